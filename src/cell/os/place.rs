//! Where V8's memory lies: close together.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the kernel chooses the places of this process's mappings.
static KERNEL_PLACES: AtomicBool = AtomicBool::new(false);

/// From now on the kernel chooses the place of every anonymous mapping of this process that is not fixed. V8 asks for random ones, far from
/// each other, and every fork and every end of a cell then pays for some fifty more page tables. What is lost is randomness *between* V8's blocks;
/// the kernel's own, of where they all lie, stays.
pub(in crate::cell) fn let_kernel_place() {
    KERNEL_PLACES.store(true, Ordering::Relaxed);
}

/// Stands in for the C library's function, which V8 calls by this name.
///
/// # Safety
/// As for the C library's `mmap`.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap64(
    place: *mut libc::c_void,
    length: libc::size_t,
    rights: libc::c_int,
    flags: libc::c_int,
    file: libc::c_int,
    offset: libc::off64_t,
) -> *mut libc::c_void {
    let is_hint = flags & libc::MAP_ANONYMOUS != 0 && flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) == 0;
    let place = if is_hint && KERNEL_PLACES.load(Ordering::Relaxed) { std::ptr::null_mut() } else { place };
    // SAFETY: the caller's own call, but for a hint that the kernel may ignore as well. `mmap` is the C library's: on this platform both names
    // mean the same there.
    unsafe { libc::mmap(place, length, rights, flags, file, offset) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    fn map_at(hint: usize) -> usize {
        // SAFETY: a fresh mapping, never written to and left to the end of the test's process.
        let mapped = unsafe { libc::mmap64(hint as *mut _, PAGE, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
        assert_ne!(mapped, libc::MAP_FAILED);
        mapped as usize
    }

    #[test]
    fn a_hint_is_followed_until_the_kernel_places_what_is_not_fixed() {
        let hint = 0x1234_5670_0000;
        assert_eq!(map_at(hint), hint);
        let_kernel_place();
        assert_ne!(map_at(hint + PAGE), hint + PAGE);
        let (rights, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE);
        // SAFETY: as above.
        let fixed = unsafe { libc::mmap64((hint + PAGE) as *mut _, PAGE, rights, flags, -1, 0) };
        assert_eq!(fixed as usize, hint + PAGE);
    }
}
