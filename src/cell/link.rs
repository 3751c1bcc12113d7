//! The cell's side of what is said while an order is under way.

use super::guest::Link;
use super::inside::{EXIT_NO_ORDER, write_frame};
use super::os;
use crate::model::frame::{self, ToCell};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

/// Longest frame that the supervisor sends to a cell that has its order, in bytes: one piece of a body, or the head of an answer.
pub(super) const TALK_BYTES_MAX: usize = 4 << 20;

/// Room for what one read brings, in bytes: a piece of a body and its frame.
const READ_BYTES: usize = 80 << 10;

/// The link over `stream`.
pub(super) fn of(stream: &Rc<UnixStream>) -> Link {
    let (writer, reader, waiter) = (Rc::clone(stream), Rc::clone(stream), Rc::clone(stream));
    let unread = RefCell::new(Vec::new());
    Link {
        send: Box::new(move |frame| write_frame(&writer, &frame)),
        receive: Box::new(move || next(&reader, &mut unread.borrow_mut())),
        wait: Box::new(move |most| wait(&waiter, most)),
    }
}

/// The next frame, if it is there.
fn next(stream: &UnixStream, unread: &mut Vec<u8>) -> Option<ToCell> {
    loop {
        match frame::decode(unread, TALK_BYTES_MAX) {
            Ok(Some(decoded)) => {
                unread.drain(..decoded.taken);
                return Some(decoded.frame);
            }
            Ok(None) => {}
            Err(_) => os::exit_now(EXIT_NO_ORDER),
        }
        // Room, but not written to: most looks find nothing, and the pages stay those of the zygote.
        unread.reserve(READ_BYTES);
        match recv(stream, spare_capacity(unread), RecvFlags::DONTWAIT) {
            Ok((1.., _)) | Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return None,
            Ok((0, _)) | Err(_) => os::exit_now(EXIT_NO_ORDER),
        }
    }
}

/// Waits for something to read. A signal ends it: it may have ended the run.
fn wait(stream: &UnixStream, most: Option<Duration>) {
    let most = most.map(|most| Timespec { tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX), tv_nsec: most.subsec_nanos().into() });
    // Nothing to do about an error: who called looks at everything again.
    let _ = poll(&mut [PollFd::new(stream, PollFlags::IN)], most.as_ref());
}
