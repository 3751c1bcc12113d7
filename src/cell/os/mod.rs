//! The one fenced module of this package that may use `unsafe`: calls that the operating system offers and no library wraps safely.
//!
//! Everything here is meant for a zygote (one thread) or a cell right after its fork, unless said otherwise.
#![expect(unsafe_code, reason = "fork, wait4, madvise, sigaction and _exit have no safe wrapper")]

#[cfg(debug_assertions)]
pub(super) mod attempts;
mod huge;
mod inherit;
mod malloc;
mod maps;
mod place;
mod signals;

pub(super) use huge::settle;
pub(super) use inherit::{inherit_mappings, start_and_end_a_thread};
pub(super) use malloc::{fill_holes, one_arena};
pub(super) use place::let_kernel_place;
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
