//! The life of a cell, from its fork to its exit.

use super::guest::WarmGuest;
use super::link;
use super::os;
use super::seal;
use super::seccomp::SeccompCell;
use crate::model::frame::{self, FromCell, Order};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// Exit code of a cell that could not be sealed, or whose limits could not be set: it never ran anything.
pub(super) const EXIT_NOT_SEALED: i32 = 71;

/// Exit code of a cell whose supervisor went away or sent something that is no order.
pub(super) const EXIT_NO_ORDER: i32 = 72;

/// Memory that a cell may map beyond what it inherited and its run's budget: the watchdog thread's stack, V8's nursery, code
/// and compiler memory, and the headroom in which a termination for memory unwinds. An estimate, not yet
/// measured; the corpus ends as it should with it.
pub const DATA_SLACK_BYTES: u64 = 32 << 20;

/// Memory budget of an intake cell in bytes; one artifact's sources and their trees fit many times.
pub const PREPARE_MEMORY_BYTES: u64 = 256 << 20;

/// CPU seconds after which the kernel kills an intake cell; the supervisor's watchdog comes first.
const PREPARE_CPU_SECONDS: u64 = 5;

/// What a cell is born with.
pub(super) struct Birth<'a> {
    pub(super) socket: OwnedFd,
    pub(super) guest: &'a mut Box<dyn WarmGuest>,
    pub(super) filter: &'a SeccompCell,
    pub(super) inherited_data_bytes: u64,
}

/// Lives as a cell: seal, wait for the one order, obey it, say the last word, exit.
pub(super) fn live(birth: Birth<'_>) -> ! {
    os::prepare_last_words(birth.socket.as_raw_fd());
    let sealed = os::unblock_children().is_ok() && birth.guest.arm().is_ok() && seal::arm_cell(birth.filter).is_ok();
    if !sealed {
        os::exit_now(EXIT_NOT_SEALED);
    }
    let stream = Rc::new(UnixStream::from(birth.socket));
    let Some(order) = read_order(&stream) else { os::exit_now(EXIT_NO_ORDER) };
    if limit(&order, birth.inherited_data_bytes).is_err() {
        os::exit_now(EXIT_NOT_SEALED);
    }
    let last = answer(&order, &stream).unwrap_or_else(|| birth.guest.obey(order, link::of(&stream)));
    write_frame(&stream, &last);
    os::exit_now(0)
}

/// Native probes and lies, in test builds only.
#[cfg(debug_assertions)]
fn answer(order: &Order, stream: &UnixStream) -> Option<FromCell> {
    super::probe::answer(order, stream)
}

#[cfg(not(debug_assertions))]
fn answer(_: &Order, _: &UnixStream) -> Option<FromCell> {
    None
}

fn read_order(mut stream: &UnixStream) -> Option<Order> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).ok()?;
    let length = u32::from_le_bytes(prefix) as usize;
    if length > frame::TO_CELL_MAX {
        return None;
    }
    let mut bytes = vec![0; prefix.len() + length];
    bytes[..prefix.len()].copy_from_slice(&prefix);
    stream.read_exact(&mut bytes[prefix.len()..]).ok()?;
    frame::decode(&bytes, frame::TO_CELL_MAX).ok().flatten().map(|decoded| decoded.frame)
}

/// Sets the kernel's own limits for this order: the true end of memory and the backstop of CPU.
fn limit(order: &Order, inherited_data_bytes: u64) -> nix::Result<()> {
    let (memory, cpu_seconds) = match order {
        // Two seconds cover the rounding up, what the cell used while idle, and the grace of both watchdogs.
        Order::Run(run) => (run.memory_bytes, run.cpu_ms.div_ceil(1000).saturating_add(2)),
        Order::Prepare(_) | Order::Check(_) | Order::Compile(_) => (PREPARE_MEMORY_BYTES, PREPARE_CPU_SECONDS),
    };
    let own = memory.saturating_add(DATA_SLACK_BYTES);
    // A death with half of it still free was not for want of memory.
    os::expect_headroom(usize::try_from(own / 2).unwrap_or(usize::MAX));
    seal::limit_data(inherited_data_bytes.saturating_add(own))?;
    seal::limit_cpu(cpu_seconds)
}

/// Writes one frame. A supervisor that is gone or refuses the frame has no use for this cell: it ends.
pub(super) fn write_frame(mut stream: &UnixStream, frame: &FromCell) {
    let written = frame::encode(frame, frame::TO_CELL_MAX).is_ok_and(|bytes| stream.write_all(&bytes).is_ok());
    if !written {
        os::exit_now(EXIT_NO_ORDER);
    }
}

/// The frame that says memory ran out, encoded ahead: length 2, version, variant 5.
const OUT_OF_MEMORY: [u8; 6] = [2, 0, 0, 0, frame::VERSION, 5];

/// V8's last words before it aborts.
pub(super) fn out_of_memory() {
    os::last_words(&OUT_OF_MEMORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_encoded_ahead_is_the_one_the_codec_writes() {
        assert_eq!(frame::encode(&FromCell::OutOfMemory, 100).expect("fits"), OUT_OF_MEMORY);
    }
}
