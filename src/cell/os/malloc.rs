//! The C library's allocator, made ready for forks.

/// Keeps the allocator to one arena, so that a cell's second thread does not map another one for its few small allocations.
pub(in crate::cell) fn one_arena() {
    // SAFETY: sets a number; this process has one thread. A refusal costs each cell a mapping and nothing else.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Sizes to fill holes with, largest first. A hole that is left is smaller than the least allocation.
fn sizes() -> impl Iterator<Item = usize> {
    let large = (12..=20).rev().map(|power| 1 << power);
    let small = (1..256).rev().map(|step| step * 16);
    large.chain(small)
}

/// Takes all memory that was freed and lies between what is in use, for good. What a cell allocates then lies together in fresh pages at
/// the end, where without this each allocation would write to a page of its own that is shared with the zygote, and copy it.
pub(in crate::cell) fn fill_holes() {
    // SAFETY: reads numbers of the allocator.
    let free_at_end = unsafe { libc::mallinfo2() }.keepcost;
    // SAFETY: asks where the heap ends.
    let end = unsafe { libc::sbrk(0) } as usize;
    let holes_end = end.saturating_sub(free_at_end);
    sizes().for_each(|bytes| fill_with(bytes, holes_end));
}

/// Takes chunks of `bytes` as long as they are below the end of the holes.
fn fill_with(bytes: usize, holes_end: usize) {
    loop {
        // SAFETY: an allocation; nothing is written to it.
        let chunk = unsafe { libc::malloc(bytes) };
        if chunk.is_null() || chunk as usize >= holes_end {
            // SAFETY: the chunk is null or was just allocated, and nobody else knows it.
            unsafe { libc::free(chunk) };
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_fall_to_the_least_chunk_and_leave_none_out() {
        let sizes: Vec<usize> = sizes().collect();
        assert!(sizes.windows(2).all(|two| two[0] > two[1]));
        // Chunks differ by 16 bytes (glibc's MALLOC_ALIGNMENT on 64-bit platforms); between two sizes fits no remainder that a smaller one cannot take.
        assert_eq!((sizes.last(), sizes.iter().filter(|size| **size < 4096).count()), (Some(&16), 255));
    }
}
