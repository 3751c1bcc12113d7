//! What can go wrong in the store, in the operator's words.

use std::path::PathBuf;

/// Why the store did not do what was asked. Cloneable: one failed write answers every waiter of its group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the folder open. Caused by the operator.
    #[error("{path} is in use by another process{holder}: stop that process, or ask it on its operator listener")]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// ` (process N)` where it is known.
        holder: String,
    },
    /// The folder's format is not this version's. Caused by the operator (a downgrade, or a foreign folder).
    #[error("{path} has the store format `{found}`, this build knows `{known}`: use the build that wrote it, or another data folder")]
    Version {
        /// The data folder.
        path: PathBuf,
        /// What its VERSION file says.
        found: String,
        /// What this build reads and writes.
        known: &'static str,
    },
    /// The folder or a file in it cannot be made, read or synced. Caused by the machine.
    #[error("{path}: {reason}: check the folder's owner, rights and disk")]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The database did not open. Caused by a damaged database or a disk that cannot be read.
    #[error(
        "the database in {path} does not open: {reason}: restore the data folder from a backup. Without one, move the whole data folder away \
         and start with an empty one; what the old one held is then no longer served"
    )]
    EngineOpen {
        /// The database's folder.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// Bytes of the journal that were on disk are not what was written. Caused by the disk or a foreign hand.
    #[error(
        "{segment}: the journal is damaged at byte {offset}: batch {sequence} cannot be read, though it was on disk ({later} readable batches follow): \
         restore the data folder from a backup. Or give up batch {sequence} and all after it: move newer segments out of the folder, keep a copy \
         of this one, and `truncate -s {offset}` it"
    )]
    Damaged {
        /// The segment.
        segment: PathBuf,
        /// Where the first bad frame starts.
        offset: u64,
        /// The first batch that is lost.
        sequence: u64,
        /// How many batches after it can still be read.
        later: u64,
    },
    /// Segments of the journal are gone. Caused by whoever removed or restored part of the folder.
    #[error(
        "{path}: the journal should go on at batch {expected}, {found}: put the missing segments back or restore the whole data folder from one backup"
    )]
    Missing {
        /// The journal's folder.
        path: PathBuf,
        /// The first batch that is not there.
        expected: u64,
        /// What is there instead.
        found: String,
    },
    /// A batch over the limit. Caused by a caller of the store.
    #[error("a batch of {bytes} bytes is larger than the {most} allowed: store less at once")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The journal could not be written; nothing of the batch was stored. Caused by a full or failing disk. The next write tries again.
    #[error("the journal cannot be written: {0}: free space on its disk; writing goes on by itself as soon as it can")]
    Write(String),
    /// An earlier batch that this one was ordered after was not stored. Caused by the same as [`StoreError::Write`].
    #[error("not stored, because a batch before it was not: ask again")]
    Superseded,
    /// The store takes no more writes until it is opened again; what the disk has of the last batches is unknown. Caused by a failing disk.
    #[error("the store takes no more writes: {0}: check the disk, then restart; what was acknowledged is in the journal")]
    Broken(String),
    /// Something could not be read. Caused by a damaged database or a failing disk.
    #[error("the store cannot be read: {0}: check the disk, then restart")]
    Read(String),
    /// The store is closed.
    #[error("the store is closed: the server is stopping")]
    Closed,
}

impl StoreError {
    /// `error` met at `path`.
    pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Folder { path, reason: error.to_string() }
    }
}
