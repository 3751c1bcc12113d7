//! What a cell inherits of its zygote's mappings, and what it would have to fault in again.

use super::maps::mapping;
use std::io;

/// Stack of the thread that is started for its effects, in bytes. Source: glibc's least, with room for Rust's own start.
const THREAD_STACK_BYTES: usize = 64 << 10;

/// Makes mappings inheritable that V8 marked `MADV_DONTFORK`; `smaps` is the text of `/proc/self/smaps`. Returns how many.
pub(in crate::cell) fn inherit_mappings(smaps: &str) -> usize {
    let mut range = None;
    let mut count = 0;
    for line in smaps.lines() {
        if let Some(found) = mapping(line) {
            range = Some((found.range.start, found.range.end));
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

/// Starts a thread and waits for its end: what the C library does for its first thread is then done, once for all cells.
///
/// Errors: the kernel gives no thread.
pub(in crate::cell) fn start_and_end_a_thread() -> io::Result<()> {
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES).spawn(|| {})?;
    thread.join().map_err(|_| io::Error::other("an empty thread panicked"))
}
