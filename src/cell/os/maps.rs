//! The lines of `/proc/PID/maps`, which are also the first lines of the entries of `/proc/PID/smaps`.

use std::ops::Range;

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping<'a> {
    /// Its addresses.
    pub(super) range: Range<usize>,
    letters: &'a str,
    /// A path, a name of the kernel's in brackets, or nothing.
    name: &'a str,
}

impl Mapping<'_> {
    pub(super) fn is_readable(&self) -> bool {
        self.letters.contains('r')
    }

    pub(super) fn is_writable(&self) -> bool {
        self.letters.contains('w')
    }

    pub(super) fn is_executable(&self) -> bool {
        self.letters.contains('x')
    }

    /// Whether what is written to it stays with this process.
    pub(super) fn is_private(&self) -> bool {
        self.letters.ends_with('p')
    }

    /// Whether the kernel made it for a purpose of its own, as the stack that grows downwards.
    pub(super) fn is_kernels(&self) -> bool {
        self.name.starts_with('[') && self.name != "[heap]"
    }

    /// Its rights, as `mprotect` takes them.
    pub(super) fn rights(&self) -> libc::c_int {
        let right = |is_given: bool, right| if is_given { right } else { libc::PROT_NONE };
        right(self.is_readable(), libc::PROT_READ)
            | right(self.is_writable(), libc::PROT_WRITE)
            | right(self.is_executable(), libc::PROT_EXEC)
    }
}

/// The mapping that `line` tells of; `None` when it tells of none.
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let (low, high) = fields.next()?.split_once('-')?;
    let range = usize::from_str_radix(low, 16).ok()?..usize::from_str_radix(high, 16).ok()?;
    let (letters, _offset, _device, _inode) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some(Mapping { range, letters, name: fields.next().unwrap_or_default() })
}

/// What `/proc/PID/smaps` tells of each mapping: the mapping, the name of a detail, and its text.
pub(super) fn details(smaps: &str) -> impl Iterator<Item = (Mapping<'_>, &str, &str)> {
    let mut current = None;
    smaps.lines().filter_map(move |line| match mapping(line) {
        Some(found) => {
            current = Some(found);
            None
        }
        None => line.split_once(':').and_then(|(name, text)| Some((current.clone()?, name, text.trim()))),
    })
}

/// The mappings of `maps`.
pub(super) fn mappings(maps: &str) -> impl Iterator<Item = Mapping<'_>> {
    maps.lines().filter_map(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_lines_of_mappings_are_mappings() {
        let found = mapping("7f00-7fff r-xp 00001000 fe:00 7    /lib/x.so").expect("a mapping");
        assert_eq!((found.range.clone(), found.rights()), (0x7f00..0x7fff, libc::PROT_READ | libc::PROT_EXEC));
        assert!(found.is_private() && !found.is_kernels());
        let kernels = |line| mapping(line).expect("a mapping").is_kernels();
        assert!(kernels("7f00-7fff rw-p 0 00:00 0 [stack]") && kernels("7f00-7fff r-xp 0 00:00 0 [vdso]"));
        assert!(!kernels("7f00-7fff rw-p 0 00:00 0 [heap]") && !kernels("7f00-7fff rw-p 0 00:00 0"));
        for other in ["VmFlags: rd wr mr mw me ac dc", "Size:                  4 kB", "", "no-hex here"] {
            assert_eq!(mapping(other), None, "{other}");
        }
    }

    #[test]
    fn a_detail_belongs_to_the_mapping_before_it() {
        let smaps = "Rss: 1 kB\n1000-2000 rw-p 0 00:00 0\nRss:   4 kB\n2000-3000 rw-p 0 00:00 0\nRss: 8 kB\nVmFlags: rd wr \n";
        let found: Vec<_> = details(smaps).map(|(mapping, name, text)| (mapping.range.start, name, text)).collect();
        assert_eq!(found, [(0x1000, "Rss", "4 kB"), (0x2000, "Rss", "8 kB"), (0x2000, "VmFlags", "rd wr")]);
    }
}
