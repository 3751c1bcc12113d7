//! Puts this program's own code and constants into huge pages, so that its forks need not fault them in page by page.
//!
//! A fork does not inherit the page tables of file mappings: each cell would fault some 180 times on V8's code alone, which is half of
//! all its faults, and tear as many page tables down. Anonymous huge pages are inherited whole, one entry for 2 MiB.
//!
//! The bytes are copied into fresh huge pages, made read-only again, and moved over the file's mapping by one call, so that code that is
//! running finds the same bytes at the same place before and after. The price is memory: what is moved is this zygote's own.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A huge page, and the alignment it needs. Source: x86-64's page size above 4 KiB.
const HUGE: usize = 2 << 20;
const PAGE: usize = 4 << 10;

/// Pages of a block that must be in use for the block to be moved: with fewer the memory buys too little.
const IN_USE_MIN: usize = 32;

/// One read-only mapping of this program's file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    executable: bool,
}

/// Moves what is in use of this program's code and constants into huge pages; returns how many bytes. For a process with one thread.
///
/// Errors: the kernel gives no huge pages, or refuses a step; what was moved before stays moved, and everything works as before.
pub(in crate::cell) fn settle_program() -> io::Result<usize> {
    if cfg!(not(target_arch = "x86_64")) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "only the page sizes of x86-64 are known"));
    }
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let pagemap = File::open("/proc/self/pagemap")?;
    let mut moved = 0;
    for part in parts(&maps, settle_program as *const () as usize) {
        for run in runs(&blocks_in_use(&part.range, &pagemap)?) {
            move_to_huge(&run, part.executable)?;
            moved += run.len();
        }
    }
    Ok(moved)
}

/// The read-only mappings of the file that `inside` is mapped from.
fn parts(maps: &str, inside: usize) -> Vec<Part> {
    let lines: Vec<_> = maps.lines().filter_map(line).collect();
    let file = lines.iter().find(|(range, ..)| range.contains(&inside)).map(|(.., file)| *file);
    let ours = lines.into_iter().filter(|(_, rights, at)| Some(*at) == file && rights.starts_with('r') && !rights.contains('w'));
    ours.map(|(range, rights, _)| Part { range, executable: rights.contains('x') }).collect()
}

/// Range, rights, and device with inode of one line of `/proc/PID/maps`.
fn line(line: &str) -> Option<(Range<usize>, &str, (&str, &str))> {
    let mut fields = line.split_ascii_whitespace();
    let (low, high) = fields.next()?.split_once('-')?;
    let range = usize::from_str_radix(low, 16).ok()?..usize::from_str_radix(high, 16).ok()?;
    let (rights, _offset, device, inode) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some((range, rights, (device, inode)))
}

/// The aligned blocks inside `range` of which enough pages are present.
fn blocks_in_use(range: &Range<usize>, pagemap: &File) -> io::Result<Vec<usize>> {
    let mut entries = vec![0u8; HUGE / PAGE * 8];
    let mut blocks = Vec::new();
    let mut start = range.start.next_multiple_of(HUGE);
    while start + HUGE <= range.end {
        pagemap.read_exact_at(&mut entries, (start / PAGE * 8) as u64)?;
        // Bit 63 of an entry: the page is present (Documentation/admin-guide/mm/pagemap.rst).
        let present = entries.chunks_exact(8).filter(|entry| entry[7] & 0x80 != 0).count();
        if present >= IN_USE_MIN {
            blocks.push(start);
        }
        start += HUGE;
    }
    Ok(blocks)
}

/// Adjacent blocks together.
fn runs(blocks: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for &block in blocks {
        match runs.last_mut() {
            Some(last) if last.end == block => last.end += HUGE,
            _ => runs.push(block..block + HUGE),
        }
    }
    runs
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

    /// Whether the kernel gave huge pages for all of it.
    fn is_huge(&self) -> io::Result<bool> {
        let smaps = std::fs::read_to_string("/proc/self/smaps")?;
        Ok(huge_bytes(&smaps, self.start) >= self.bytes)
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
    let mut inside = false;
    for text in smaps.lines() {
        if let Some((range, ..)) = line(text) {
            inside = range.contains(&address);
        } else if let Some(kb) = text.strip_prefix("AnonHugePages:").filter(|_| inside) {
            return kb.trim().trim_end_matches("kB").trim().parse().unwrap_or(0) << 10;
        }
    }
    0
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn move_to_huge(run: &Range<usize>, executable: bool) -> io::Result<()> {
    let fresh = Fresh::new(run.len())?;
    let place = fresh.start as *mut libc::c_void;
    // SAFETY: the run is a readable mapping of this program's file, which nothing writes to; the fresh memory is as long and disjoint.
    unsafe { std::ptr::copy_nonoverlapping(run.start as *const u8, fresh.start as *mut u8, run.len()) };
    if !fresh.is_huge()? {
        return Err(io::Error::new(io::ErrorKind::OutOfMemory, "the kernel gave no huge pages"));
    }
    let rights = if executable { libc::PROT_READ | libc::PROT_EXEC } else { libc::PROT_READ };
    // SAFETY: the fresh memory is ours; nothing writes to it from here on.
    checked(unsafe { libc::mprotect(place, run.len(), rights) })?;
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: replaces the run, in one step, by the same bytes with the same rights. The C library, whose code makes this call, is
    // another file's mapping, and no other thread exists.
    let moved = unsafe { libc::mremap(place, run.len(), run.len(), flags, run.start as *mut libc::c_void) };
    if moved == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "1000-3000 r--p 00000000 fe:00 7 /x/cordon\n3000-9000 r-xp 00002000 fe:00 7 /x/cordon\n\
        9000-a000 rw-p 00008000 fe:00 7 /x/cordon\na000-b000 r-xp 00000000 fe:00 8 /x/libc.so\nb000-c000 ---p 00000000 00:00 0\n";

    #[test]
    fn only_read_only_mappings_of_the_own_file_are_moved() {
        let found = parts(MAPS, 0x4000);
        assert_eq!(found, [Part { range: 0x1000..0x3000, executable: false }, Part { range: 0x3000..0x9000, executable: true }]);
        assert_eq!(parts(MAPS, 0xd000), []);
    }

    #[test]
    fn blocks_that_touch_are_one_run() {
        let at = |n: usize| n * HUGE;
        assert_eq!(runs(&[at(1), at(2), at(4)]), [at(1)..at(3), at(4)..at(5)]);
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn huge_pages_are_read_off_the_mapping_that_holds_the_address() {
        let smaps = "1000-2000 rw-p 0 00:00 0\nAnonHugePages:      2048 kB\n2000-3000 rw-p 0 00:00 0\nAnonHugePages:      4096 kB\n";
        assert_eq!([huge_bytes(smaps, 0x1fff), huge_bytes(smaps, 0x2000), huge_bytes(smaps, 0x3000)], [2 << 20, 4 << 20, 0]);
    }
}
