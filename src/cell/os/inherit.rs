//! What a cell inherits of its zygote's mappings, and what it would have to fault in again.

use super::maps::details;
use std::io;

/// Stack of the thread that is started for its effects, in bytes. Source: glibc's least, with room for Rust's own start.
const THREAD_STACK_BYTES: usize = 64 << 10;

/// Makes mappings inheritable that V8 marked `MADV_DONTFORK`; `smaps` is the text of `/proc/self/smaps`.
pub(in crate::cell) fn inherit_mappings(smaps: &str) {
    let is_kept_back = |name: &str, text: &str| name == "VmFlags" && text.split_whitespace().any(|flag| flag == "dc");
    for (mapping, ..) in details(smaps).filter(|(_, name, text)| is_kept_back(name, text)) {
        // SAFETY: the range is a mapping of this process, read a moment ago by its only thread; MADV_DOFORK changes no contents. Where the kernel
        // refuses it, as for a device's memory, cells do without.
        unsafe { libc::madvise(mapping.range.start as *mut libc::c_void, mapping.range.len(), libc::MADV_DOFORK) };
    }
}

/// Starts a thread and waits for its end: what the C library does for its first thread is then done, once for all cells.
///
/// Errors: the kernel gives no thread.
pub(in crate::cell) fn start_and_end_a_thread() -> io::Result<()> {
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES).spawn(|| {})?;
    thread.join().map_err(|_| io::Error::other("an empty thread panicked"))
}
