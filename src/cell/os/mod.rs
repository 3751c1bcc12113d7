//! The one fenced module of this package that may use `unsafe`: calls that the operating system offers and no library wraps safely.
//!
//! Everything here is meant for a zygote (one thread) or a cell right after its fork, unless said otherwise.
#![expect(unsafe_code, reason = "fork, wait4, madvise, sigaction and _exit have no safe wrapper")]

#[cfg(debug_assertions)]
pub(super) mod attempts;
mod huge;
mod signals;

pub(super) use huge::settle_program;
pub(super) use signals::{
    REFUSED_PREFIX, await_event, expect_headroom, refuse_loudly, speak_before_dying, unblock_children, watch_children,
};

use nix::sys::wait::WaitStatus;
use nix::unistd::{ForkResult, Pid};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// Forks this process with the C library's `fork`, which runs the atfork handlers that a raw clone would skip.
pub(super) fn fork() -> io::Result<ForkResult> {
    // SAFETY: the caller is a zygote, which has exactly one thread, so no lock can be held by a thread that the child lacks.
    Ok(unsafe { nix::unistd::fork() }?)
}

/// Ends this process now: no destructors, no atexit handlers. A cell shares its warm state with its siblings' parent; tearing it down is the kernel's work.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit never returns and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Closes every descriptor but `kept`: whoever started the supervisor may have left some open for it, and a cell must not have them.
pub(super) fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let listed = std::fs::read_dir("/proc/self/fd")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    let open: Vec<RawFd> = listed.filter(|number| !kept.contains(number)).collect();
    for number in open {
        // SAFETY: this process has just begun; nothing in it owns any of these. The listing's own descriptor is closed already: then
        // this call fails and changes nothing.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Keeps the C library's allocator to one arena, so that a cell's second thread does not map another one for its few small allocations.
pub(super) fn one_malloc_arena() {
    // SAFETY: sets a number; this process has one thread. A refusal costs each cell a mapping and nothing else.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// A child that ended, as the kernel accounts for it.
pub(super) struct Reaped {
    /// Its pid in this namespace.
    pub(super) pid: Pid,
    /// How it ended.
    pub(super) status: WaitStatus,
    /// User and system time together.
    pub(super) cpu: Duration,
    /// Peak resident size in bytes, pages shared with the zygote included.
    pub(super) max_rss_bytes: u64,
}

/// Collects one ended child without waiting; `None` when there is none.
pub(super) fn reap() -> Option<Reaped> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid value of that plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the right types.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage) };
    if pid <= 0 {
        return None;
    }
    let pid = Pid::from_raw(pid);
    let status = WaitStatus::from_raw(pid, status).ok()?;
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Some(Reaped { pid, status, cpu, max_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) << 10 })
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// Makes mappings inheritable that V8 marked `MADV_DONTFORK`; `smaps` is the text of `/proc/self/smaps`. Returns how many.
pub(super) fn inherit_mappings(smaps: &str) -> usize {
    let mut range = None;
    let mut count = 0;
    for line in smaps.lines() {
        if let Some(found) = mapping_range(line) {
            range = Some(found);
        } else if let (Some((low, high)), Some(flags)) = (range, line.strip_prefix("VmFlags:"))
            && flags.split_whitespace().any(|flag| flag == "dc")
        {
            // SAFETY: the range is a mapping of this process, read a moment ago by its only thread; MADV_DOFORK changes no contents.
            let done = unsafe { libc::madvise(low as *mut libc::c_void, high - low, libc::MADV_DOFORK) };
            count += usize::from(done == 0);
        }
    }
    count
}

/// The address range of a mapping's first line in smaps.
fn mapping_range(line: &str) -> Option<(usize, usize)> {
    let (range, _) = line.split_once(' ')?;
    let (low, high) = range.split_once('-')?;
    Some((usize::from_str_radix(low, 16).ok()?, usize::from_str_radix(high, 16).ok()?))
}

/// The cell's socket, for the one write that happens on a dying V8's stack. -1 until a cell has one.
static LAST_WORDS: AtomicI32 = AtomicI32::new(-1);

/// Names the socket that [`last_words`] writes to.
pub(super) fn prepare_last_words(socket: RawFd) {
    LAST_WORDS.store(socket, Ordering::Relaxed);
}

/// Writes `frame` to the cell's socket. May be called from V8's out-of-memory handler: it allocates nothing.
pub(super) fn last_words(frame: &[u8]) {
    let socket = LAST_WORDS.load(Ordering::Relaxed);
    if socket >= 0 {
        // SAFETY: the socket stays open until the cell exits.
        let socket = unsafe { BorrowedFd::borrow_raw(socket) };
        // A failed write loses a hint only: the supervisor sees the death itself.
        let _ = rustix::io::write(socket, frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_lines_of_mappings_give_a_range() {
        assert_eq!(mapping_range("7f00-7fff rw-p 00000000 00:00 0"), Some((0x7f00, 0x7fff)));
        for other in ["VmFlags: rd wr mr mw me ac dc", "Size:                  4 kB", "", "no-hex here"] {
            assert_eq!(mapping_range(other), None, "{other}");
        }
    }
}
