//! Puts what a zygote has in memory into huge pages, so that forking it, and living and dying as its fork, costs less.
//!
//! A fork does not inherit the page tables of file mappings: each cell would fault some 180 times on V8's code alone. It does inherit those of
//! anonymous memory, entry by entry, and counts each page at the fork and at the end of the cell; but pages that lie in one huge page are
//! counted together (`copy_present_ptes` in the kernel's mm/memory.c, since 6.9), and an aligned huge page is one entry.
//!
//! The bytes are copied into fresh huge pages and moved over the old mapping by one call, so that whatever runs finds the same bytes with the
//! same rights at the same place before and after. The price is memory: what is moved is this zygote's own.

use super::maps::{Mapping, details, mappings};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A huge page, and the alignment it needs. Source: x86-64's page size above 4 KiB.
const HUGE: usize = 2 << 20;
const PAGE: usize = 4 << 10;

/// Shortest mapping that is moved, in bytes. Shorter ones gain little, and among them is what the kernel itself writes to: the thread's own
/// block, with its restartable sequences.
const LEAST: usize = 64 << 10;

/// Longest mapping that is moved: longer ones are reservations.
const MOST: usize = 64 << 20;

/// One mapping to move.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    /// Where the room after it ends that nothing is mapped in, so that its last block can be whole.
    end: usize,
    rights: libc::c_int,
    /// Where it goes in the fresh memory, from its start.
    offset: usize,
}

/// Moves this process's code, constants and data into huge pages; returns how many bytes. For a process with one thread.
///
/// Errors: the kernel gives no huge pages, or refuses to change rights; what was moved before stays moved, and everything works as before. A move
/// that the kernel gives up halfway leaves a hole, and the zygote dies of it.
pub(in crate::cell) fn settle() -> io::Result<usize> {
    if cfg!(not(target_arch = "x86_64")) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "only the page sizes of x86-64 are known"));
    }
    let smaps = std::fs::read_to_string("/proc/self/smaps")?;
    // SAFETY: asks where the number of this thread's last error is.
    let thread = unsafe { libc::__errno_location() } as usize;
    let pagemap = File::open("/proc/self/pagemap")?;
    let mut found = Vec::new();
    let special = special(&smaps);
    for (mapping, end) in with_room(mappings(&smaps)).filter(|(mapping, _)| may_move(mapping)) {
        let is_special = special.contains(&mapping.range.start) || mapping.range.contains(&thread);
        if !is_special && is_in_use(&mapping.range, &pagemap)? {
            found.push((mapping, end));
        }
    }
    let (parts, bytes) = plan(&found);
    let fresh = Fresh::new(bytes)?;
    fresh.fill()?;
    parts.iter().map(|part| fresh.give(part)).sum()
}

/// Whether a mapping's bytes stay what they are when they are moved, and its size is one to move.
fn may_move(mapping: &Mapping<'_>) -> bool {
    let is_plain = mapping.is_private() && mapping.is_readable() && !(mapping.is_writable() && mapping.is_executable());
    is_plain && !mapping.is_kernels() && (LEAST..=MOST).contains(&mapping.range.len())
}

/// Where the mappings begin whose pages are more than bytes: wiped at a fork (`wf`), a device's (`io`, `pf`), or under a protection key.
fn special(smaps: &str) -> Vec<usize> {
    let is_special = |name: &str, text: &str| match name {
        "VmFlags" => text.split_whitespace().any(|flag| matches!(flag, "wf" | "io" | "pf")),
        "ProtectionKey" => text != "0",
        _ => false,
    };
    details(smaps).filter(|(_, name, text)| is_special(name, text)).map(|(mapping, ..)| mapping.range.start).collect()
}

/// Whether at least one page in four is present: with fewer the memory buys too little.
fn is_in_use(range: &Range<usize>, pagemap: &File) -> io::Result<bool> {
    // On the stack: freeing it must not move the heap's end, which was read already.
    let mut entries = [0u8; 4096];
    let (mut at, end, mut present) = (range.start / PAGE * 8, range.end / PAGE * 8, 0);
    while at < end {
        let part = &mut entries[..(end - at).min(4096)];
        pagemap.read_exact_at(part, at as u64)?;
        // Bit 63 of an entry: the page is present (Documentation/admin-guide/mm/pagemap.rst).
        present += part.chunks_exact(8).filter(|entry| entry[7] & 0x80 != 0).count();
        at += part.len();
    }
    Ok(present * 4 * PAGE >= range.len())
}

/// Each mapping that is only read with the end of its last block, when nothing is mapped between; the others with their own. The program's parts
/// begin on a block's edge (`build.rs`).
fn with_room<'a>(all: impl Iterator<Item = Mapping<'a>>) -> impl Iterator<Item = (Mapping<'a>, usize)> {
    let mut all = all.peekable();
    std::iter::from_fn(move || {
        let mapping = all.next()?;
        let (own, block) = (mapping.range.end, mapping.range.end.next_multiple_of(HUGE));
        let is_free = all.peek().is_none_or(|next| next.range.start >= block);
        let end = if is_free && !mapping.is_writable() && mapping.range.start % HUGE == 0 { block } else { own };
        Some((mapping, end))
    })
}

/// Places for `found`, and how long the fresh memory must be. What holds a whole aligned block keeps its place in it, so that the
/// block becomes one entry; the others lie side by side.
fn plan(found: &[(Mapping<'_>, usize)]) -> (Vec<Part>, usize) {
    let mut last: usize = 0;
    let mut parts = Vec::new();
    for (mapping, end) in found {
        let range = mapping.range.clone();
        let holds_block = range.start.next_multiple_of(HUGE) + HUGE <= *end;
        let offset = if holds_block { last.next_multiple_of(HUGE) + range.start % HUGE } else { last };
        last = offset + (end - range.start);
        parts.push(Part { range, end: *end, rights: mapping.rights(), offset });
    }
    (parts, last.next_multiple_of(HUGE))
}

/// Fresh, aligned, writable memory that asks for huge pages; unmapped unless it is given away.
struct Fresh {
    reserved: *mut libc::c_void,
    reserved_bytes: usize,
    start: usize,
    bytes: usize,
}

impl Fresh {
    fn new(bytes: usize) -> io::Result<Self> {
        let reserved_bytes = bytes + HUGE;
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
        // SAFETY: a fresh mapping anywhere.
        let reserved = unsafe { libc::mmap(std::ptr::null_mut(), reserved_bytes, rights, flags, -1, 0) };
        if reserved == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let fresh = Self { reserved, reserved_bytes, start: (reserved as usize).next_multiple_of(HUGE), bytes };
        // SAFETY: the range lies inside the fresh mapping.
        checked(unsafe { libc::madvise(fresh.start as *mut libc::c_void, bytes, libc::MADV_HUGEPAGE) })?;
        Ok(fresh)
    }

    /// Makes every page present, and sees that all are huge.
    fn fill(&self) -> io::Result<()> {
        for block in (self.start..self.start + self.bytes).step_by(HUGE) {
            // SAFETY: a byte of the fresh memory.
            unsafe { (block as *mut u8).write_volatile(0) };
        }
        let smaps = std::fs::read_to_string("/proc/self/smaps")?;
        if huge_bytes(&smaps, self.start) < self.bytes {
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, "the kernel gave no huge pages"));
        }
        Ok(())
    }

    /// Copies `part` and puts the copy in its place. INVARIANT: nothing between the copy and the move writes to memory but the stack.
    fn give(&self, part: &Part) -> io::Result<usize> {
        let (bytes, place) = (part.end - part.range.start, (self.start + part.offset) as *mut libc::c_void);
        // SAFETY: the part is a readable mapping of this process, which has one thread; the fresh memory is as long and disjoint.
        unsafe { std::ptr::copy_nonoverlapping(part.range.start as *const u8, place.cast(), part.range.len()) };
        // SAFETY: the fresh memory is ours; nothing writes to it through this address from here on.
        checked(unsafe { libc::mprotect(place, bytes, part.rights) })?;
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        // SAFETY: replaces the part, in one step, by the same bytes with the same rights, even where the code is that makes this call. Nothing is
        // mapped between its end and the block's.
        let moved = unsafe { libc::mremap(place, bytes, bytes, flags, part.range.start as *mut libc::c_void) };
        if moved == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(bytes) }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // SAFETY: what is left of the fresh mapping is ours alone; a part that was moved away is no longer in this range.
        unsafe { libc::munmap(self.reserved, self.reserved_bytes) };
    }
}

/// Bytes in huge pages of the mapping that holds `address`.
fn huge_bytes(smaps: &str, address: usize) -> usize {
    let mut huge = details(smaps).filter(|(mapping, name, _)| mapping.range.contains(&address) && *name == "AnonHugePages");
    huge.next().and_then(|(.., text)| text.trim_end_matches("kB").trim().parse::<usize>().ok()).unwrap_or(0) << 10
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(maps: &str) -> Vec<(Mapping<'_>, usize)> {
        with_room(mappings(maps)).filter(|(mapping, _)| may_move(mapping)).collect()
    }

    #[test]
    fn only_what_is_read_and_begins_a_block_takes_the_free_rest_of_its_last_one() {
        let ends = |maps: &'static str| found(maps).into_iter().map(|(_, end)| end).collect::<Vec<_>>();
        assert_eq!(ends("200000-310000 r-xp 0 fe:00 7 /x\n400000-500000 r--p 0 fe:00 7 /x\n"), [0x400000, 0x600000]);
        // One is followed by another, one is written to, and one begins inside a block.
        assert_eq!(ends("200000-310000 r-xp 0 fe:00 7 /x\n3ff000-400000 ---p 0 00:00 0\n"), [0x310000]);
        assert_eq!(ends("200000-310000 rw-p 0 fe:00 7 /x\n"), [0x310000]);
        assert_eq!(ends("201000-311000 r-xp 0 fe:00 7 /x\n"), [0x311000]);
    }

    #[test]
    fn short_long_shared_kernel_made_and_writable_code_stay_where_they_are() {
        let moved = "10000-20000 r-xp 0 fe:00 7 /x/cordon\n100000-4100000 rw-p 0 00:00 0\n5000000-5010000 rw-p 0 00:00 0 [heap]\n";
        assert_eq!(found(moved).len(), 3);
        let left = "10000-1f000 r--p 0 fe:00 7 /x\n100000-4101000 rw-p 0 00:00 0\n10000-20000 rw-s 0 00:01 9 /x\n10000-20000 ---p 0 00:00 0\n\
            10000-20000 rwxp 0 00:00 0\n7ff000000000-7ff000021000 rw-p 0 00:00 0 [stack]\n7ff000100000-7ff000110000 r--p 0 00:00 0 [vvar]\n";
        assert_eq!(found(left), []);
    }

    #[test]
    fn what_holds_a_block_keeps_its_place_in_it_and_the_rest_lies_side_by_side() {
        let maps = "10000-20000 rw-p 0 00:00 0\n30000-50000 r--p 0 00:00 0\n1f0000-400000 r-xp 0 00:00 0\n500000-510000 rw-p 0 00:00 0\n";
        let (parts, bytes) = plan(&found(maps));
        let offsets: Vec<_> = parts.iter().map(|part| part.offset).collect();
        assert_eq!(offsets, [0, 0x10000, HUGE + 0x1f0000, HUGE + 0x1f0000 + 0x210000]);
        assert_eq!(bytes, 4 * HUGE);
        assert_eq!(parts[2].rights, libc::PROT_READ | libc::PROT_EXEC);
    }

    #[test]
    fn what_a_fork_wipes_and_what_has_a_key_is_special() {
        let of = |start: &str, rest: &str| format!("{start}000-{start}fff rw-p 0 00:00 0\nRss: 4 kB\n{rest}\n");
        let plain = of("1", "ProtectionKey:         0\nVmFlags: rd wr mr mw me ac sd");
        let smaps = [plain, of("2", "VmFlags: rd wr wf"), of("3", "ProtectionKey:         1\nVmFlags: rd wr")].concat();
        assert_eq!(special(&smaps), [0x2000, 0x3000]);
    }

    #[test]
    fn parts_of_one_plan_never_overlap() {
        let maps: String = (1..40usize).map(|n| format!("{:x}-{:x} r--p 0 00:00 0\n", n << 24, (n << 24) + n * 0x33000)).collect();
        let (parts, bytes) = plan(&found(&maps));
        assert!(parts.len() > 30);
        assert!(parts.windows(2).all(|two| two[0].offset + two[0].range.len() <= two[1].offset));
        assert!(parts.last().is_some_and(|last| last.offset + last.range.len() <= bytes));
    }

    #[test]
    fn a_part_is_replaced_by_its_copy_with_its_rights() {
        let part = Fresh::new(HUGE).expect("memory");
        // SAFETY: a byte of the fresh memory.
        unsafe { (part.start as *mut u8).add(5).write(7) };
        let fresh = Fresh::new(HUGE).expect("memory");
        let (range, end) = (part.start..part.start + HUGE / 2, part.start + HUGE / 2);
        let given = Part { range, end, rights: libc::PROT_READ, offset: 0x3000 };
        assert_eq!(fresh.give(&given).expect("moved"), HUGE / 2);
        // SAFETY: a byte of the part.
        assert_eq!(unsafe { (part.start as *const u8).add(5).read() }, 7);
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
        let now = mappings(&maps).find(|mapping| mapping.range.contains(&part.start)).expect("mapped");
        assert!(now.range.end == part.start + HUGE / 2 && !now.is_writable(), "{now:?}");
    }

    #[test]
    fn huge_pages_are_read_off_the_mapping_that_holds_the_address() {
        let smaps = "1000-2000 rw-p 0 00:00 0\nAnonHugePages:      2048 kB\n2000-3000 rw-p 0 00:00 0\nAnonHugePages:      4096 kB\n";
        assert_eq!([huge_bytes(smaps, 0x1fff), huge_bytes(smaps, 0x2000), huge_bytes(smaps, 0x3000)], [2 << 20, 4 << 20, 0]);
    }
}
