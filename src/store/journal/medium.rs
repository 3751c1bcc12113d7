//! The three things the journal asks of a file, so that tests can make each of them fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A file that grows at its end.
pub(crate) trait Medium: Send + Sync {
    /// Appends some of `bytes` in one system call; says how many.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file to `bytes`.
    fn truncate(&self, bytes: u64) -> io::Result<()>;
    /// Returns when what was appended survives power loss.
    fn sync(&self) -> io::Result<()>;
}

impl Medium for File {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self;
        file.write(bytes)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes the file of a new segment.
pub(crate) type Maker = Arc<dyn Fn(&Path) -> io::Result<Arc<dyn Medium>> + Send + Sync>;

/// Real files. Append mode: after a cut the next bytes go to the new end.
pub(crate) fn files() -> Maker {
    Arc::new(|path| {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Arc::new(file) as Arc<dyn Medium>)
    })
}
