//! Reading a value from a file or from the environment.

use super::source::Trouble;
use super::value::VALUE_BYTES_MAX;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// For how long after a change a file is read again although it looks the same: two writes may fall into one tick of the file system's clock, whose
/// coarsest common step is 10 ms; the rest is for clocks of network file systems.
const UNSETTLED: Duration = Duration::from_secs(2);

/// What a file looked like when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    settled: bool,
}

impl Stamp {
    fn of(metadata: &Metadata, now: SystemTime) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let age = u64::try_from(changed.0).ok().and_then(|at| now.duration_since(UNIX_EPOCH + Duration::from_secs(at)).ok());
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed,
            settled: age.is_some_and(|age| age > UNSETTLED),
        }
    }
}

/// What a look at a file found.
pub(super) enum Look {
    /// The same as at the last look.
    Same,
    /// This text, as of this stamp.
    New(Zeroizing<Vec<u8>>, Stamp),
}

/// Looks at a file; reads it unless it is as it was `before`. A file longer than any value is read up to one byte more than that.
pub(super) fn look(path: &Path, before: Option<Stamp>) -> Result<Look, Trouble> {
    read(path, before).map_err(|error| {
        Trouble::new(format!("`{}` cannot be read: {error}", path.display()), "check the path, and that the server's user may read it")
    })
}

fn read(path: &Path, before: Option<Stamp>) -> io::Result<Look> {
    // Before it is opened: opening a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?, SystemTime::now());
    if stamp.settled && before == Some(stamp) {
        return Ok(Look::Same);
    }
    // Room for a line break, and for the byte that shows that it is too long; whole from the start, so that no copy is left behind by growing.
    let room = VALUE_BYTES_MAX + 3;
    let mut text = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(room as u64).read_to_end(&mut text)?;
    Ok(Look::New(text, stamp))
}

/// The value of the variable `name`.
pub(super) fn variable(name: &str, environment: impl Fn(&str) -> Option<OsString>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let value = environment(name).map(|value| Zeroizing::new(value.into_vec()));
    value.ok_or_else(|| Trouble::new(format!("the variable `{name}` is not set"), "set it in the server's environment and start it again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_readable_file_is_a_trouble_that_names_the_path() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [folder.path().to_owned(), folder.path().join("absent")] {
            let trouble = look(&path, None).err().expect("a trouble");
            assert!(trouble.what.contains(&path.display().to_string()), "{trouble:?}");
        }
    }

    #[test]
    fn a_file_is_read_again_until_its_last_change_is_old_enough_to_be_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "12345678").expect("written");
        let Ok(Look::New(_, fresh)) = look(&path, None) else { panic!("not read") };
        assert!(!fresh.settled);
        assert!(matches!(look(&path, Some(fresh)), Ok(Look::New(..))));
        let metadata = std::fs::metadata(&path).expect("there");
        let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs((metadata.ctime() + seconds).unsigned_abs());
        assert!(!Stamp::of(&metadata, at(2)).settled && Stamp::of(&metadata, at(3)).settled);
        assert!(!Stamp::of(&metadata, at(-1000)).settled, "a clock that went back settles nothing");
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("huge");
        File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
        let Ok(Look::New(text, _)) = look(&path, None) else { panic!("not read") };
        assert_eq!(text.len(), VALUE_BYTES_MAX + 3);
    }
}
