//! Signals of a zygote: children that end, and system calls that the filter refuses.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The line that a refused call leaves on descriptor 2: this prefix, the call's number, a newline.
pub(in crate::cell) const REFUSED_PREFIX: &str = "refused-syscall ";

extern "C" fn nothing(_: libc::c_int) {}

/// Blocks SIGCHLD outside [`await_event`] and gives it a handler that does nothing, so that it only interrupts that wait.
pub(in crate::cell) fn watch_children() -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it is safe in any context.
    unsafe { sigaction(Signal::SIGCHLD, &action) }?;
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    Ok(sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?)
}

/// Undoes the blocking for a cell, which has no children.
pub(in crate::cell) fn unblock_children() -> io::Result<()> {
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?)
}

/// Waits until `control` is readable or a child ended; true when `control` is readable or closed.
pub(in crate::cell) fn await_event(control: impl AsFd) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: control.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let unblocked = SigSet::empty();
    // SAFETY: one pollfd and one signal set, both live; a null timeout means to wait.
    let ready = unsafe { libc::ppoll(&raw mut poll, 1, std::ptr::null(), unblocked.as_ref()) };
    if ready >= 0 {
        return Ok(poll.revents != 0);
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        error => Err(error),
    }
}

/// Answers a call that seccomp refused with EPERM and leaves a line on descriptor 2, so that a refusal is seen and not a mystery.
pub(in crate::cell) fn refuse_loudly() -> io::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_NODEFER | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(on_refused), flags, SigSet::empty());
    // SAFETY: the handler uses the stack and one write(2) only.
    unsafe { sigaction(Signal::SIGSYS, &action) }?;
    Ok(())
}

/// Bytes that a cell with memory left could still map when it dies; 0 until a cell has its order.
static HEADROOM: AtomicUsize = AtomicUsize::new(0);

/// Sets how much a dying cell must still be able to map, in bytes, for its death to count as something else than want of memory.
pub(in crate::cell) fn expect_headroom(bytes: usize) {
    HEADROOM.store(bytes, Ordering::Relaxed);
}

/// Lets a cell that V8 or the C library aborts say whether it was for want of memory, before it dies of that signal all the same.
pub(in crate::cell) fn speak_before_dying() -> io::Result<()> {
    let flags = SaFlags::SA_RESETHAND | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::Handler(on_fatal), flags, SigSet::empty());
    for signal in [Signal::SIGABRT, Signal::SIGTRAP, Signal::SIGILL] {
        // SAFETY: the handler maps, unmaps and writes, and allocates nothing.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

extern "C" fn on_fatal(signal: libc::c_int) {
    // What the last refused call was refused for: an allocation that failed leaves ENOMEM, whatever room is left for smaller ones.
    // SAFETY: the address of this thread's errno is valid as long as the thread.
    let wanted_memory = unsafe { *libc::__errno_location() } == libc::ENOMEM;
    let bytes = HEADROOM.load(Ordering::Relaxed);
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh private mapping, taken back at once; a failure is the answer.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), bytes.max(1), protection, flags, -1, 0) };
    if wanted_memory || place == libc::MAP_FAILED {
        crate::cell::inside::out_of_memory();
    }
    // SAFETY: the handler was reset before it ran, so the signal is fatal as soon as this returns.
    unsafe { libc::raise(signal) };
}

extern "C" fn on_refused(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a ucontext_t to an SA_SIGINFO handler; seccomp's trap leaves the call's number in the result register.
    let number = unsafe { swap_result(context.cast(), -i64::from(libc::EPERM)) };
    let mut line = [0u8; 40];
    let length = format_refusal(&mut line, number.unsigned_abs());
    // SAFETY: the buffer is live and `length` is inside it.
    unsafe { libc::write(2, line.as_ptr().cast(), length) };
}

/// Replaces the result of the trapped call and returns what stood there: its number.
#[cfg(target_arch = "x86_64")]
unsafe fn swap_result(context: *mut libc::ucontext_t, result: i64) -> i64 {
    // SAFETY: the caller passes the live context of this signal frame.
    let register = unsafe { &mut (*context).uc_mcontext.gregs[libc::REG_RAX as usize] };
    std::mem::replace(register, result)
}

/// Replaces the result of the trapped call and returns its number.
#[cfg(target_arch = "aarch64")]
unsafe fn swap_result(context: *mut libc::ucontext_t, result: i64) -> i64 {
    // SAFETY: the caller passes the live context of this signal frame; x8 holds the number, x0 the result.
    let machine = unsafe { &mut (*context).uc_mcontext };
    machine.regs[0] = result as u64;
    machine.regs[8] as i64
}

/// Writes the line without allocating; returns its length.
fn format_refusal(line: &mut [u8; 40], mut number: u64) -> usize {
    let prefix = REFUSED_PREFIX.as_bytes();
    line[..prefix.len()].copy_from_slice(prefix);
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 || at == 0 {
            break;
        }
    }
    let end = prefix.len() + digits.len() - at;
    line[prefix.len()..end].copy_from_slice(&digits[at..]);
    line[end] = b'\n';
    end + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_line_names_the_call_for_any_number() {
        for number in [0, 9, 10, 41, 435, u64::MAX] {
            let mut line = [0; 40];
            let length = format_refusal(&mut line, number);
            assert_eq!(std::str::from_utf8(&line[..length]), Ok(format!("{REFUSED_PREFIX}{number}\n").as_str()));
        }
    }
}
