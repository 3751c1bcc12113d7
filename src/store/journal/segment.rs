//! One segment being written, and the names of segments.

use super::frame;
use super::medium::{Maker, Medium};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The segment that new frames go to.
pub(crate) struct Segment {
    medium: Arc<dyn Medium>,
    path: PathBuf,
    bytes: u64,
    frames: u64,
    started: Instant,
}

/// Why bytes were not appended.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// The segment is as it was: a later append may succeed.
    Undone(io::Error),
    /// Part of the bytes may be in the segment; nothing may follow them.
    Stuck(io::Error),
}

impl Segment {
    /// A new segment in `folder` whose first frame will be `first`.
    pub(crate) fn create(folder: &Path, first: u64, maker: &Maker) -> io::Result<Self> {
        let path = folder.join(name(first));
        let medium = maker(&path)?;
        let mut segment = Self { medium, path, bytes: 0, frames: 0, started: Instant::now() };
        match segment.append(&frame::head(first), 0) {
            Ok(()) => Ok(segment),
            Err(AppendError::Undone(error) | AppendError::Stuck(error)) => {
                // Without its head it is no segment; the next try makes the same name again.
                std::fs::remove_file(&segment.path)?;
                Err(error)
            }
        }
    }

    /// Appends `bytes`, which are `frames` frames: all of them or, after a failure, none.
    pub(crate) fn append(&mut self, bytes: &[u8], frames: u64) -> Result<(), AppendError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let failure = match self.medium.append(rest) {
                Ok(0) => io::Error::from(io::ErrorKind::WriteZero),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(match self.medium.truncate(self.bytes) {
                Ok(()) => AppendError::Undone(failure),
                Err(_) => AppendError::Stuck(failure),
            });
        }
        self.bytes += bytes.len() as u64;
        self.frames += frames;
        Ok(())
    }

    /// What to sync.
    pub(crate) fn medium(&self) -> Arc<dyn Medium> {
        Arc::clone(&self.medium)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many frames it has.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// When it was made.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }
}

/// The name of the segment whose first frame is `first`: names sort as numbers do.
fn name(first: u64) -> String {
    format!("{first:020}.wal")
}

/// The segments in `folder` with their first frames' numbers, in order. Other files are left alone.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".wal"));
        if let Some(first) = number.filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok()) {
            segments.push((first, path));
        }
    }
    segments.sort();
    Ok(segments)
}

/// Makes the names in `folder` survive power loss.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}
