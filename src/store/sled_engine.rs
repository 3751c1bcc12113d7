//! sled 0.34.7 behind [`Engine`].
//!
//! sled writes a page that outgrows a quarter of its segments to a file of its own, which it never syncs; a page holds up to about
//! twenty values. So values are kept small here: a long one is cut into pieces, and pages stay far below that size.

use super::engine::{Engine, Pair, Pairs};
use super::range::Direction;
use super::{Batch, Range, StoreError, Tree};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Longest value sled is given. Source: about 20 values of a page stay under [`SEGMENT_BYTES`] / 4.
const PIECE_BYTES: usize = 32 << 10;
/// sled's segment size.
const SEGMENT_BYTES: usize = 4 << 20;
/// First byte of a stored value: the value itself follows.
const INLINE: u8 = 0;
/// First byte of a stored value: the id of its pieces (8 bytes) and their number (4 bytes) follow.
const PIECES: u8 = 1;
/// How often a reader that lost its pieces to a concurrent writer looks again.
const READ_TRIES: usize = 16;

/// sled, its trees, and its folder.
pub(super) struct SledEngine {
    db: sled::Db,
    trees: Vec<sled::Tree>,
    pieces: sled::Tree,
    folder: PathBuf,
}

/// What a stored value says.
enum Stored<'a> {
    Inline(&'a [u8]),
    Pieces { id: u64, count: u32 },
}

fn read_fault(error: sled::Error) -> StoreError {
    StoreError::Read(error.to_string())
}

fn write_fault(error: sled::Error) -> StoreError {
    StoreError::Broken(error.to_string())
}

fn stored(value: &[u8]) -> Result<Stored<'_>, StoreError> {
    let odd = || StoreError::Read("a value in the database has no known form".to_owned());
    match value.split_first().ok_or_else(odd)? {
        (&INLINE, bytes) => Ok(Stored::Inline(bytes)),
        (&PIECES, rest) => {
            let (id, rest) = rest.split_first_chunk().ok_or_else(odd)?;
            let count = rest.try_into().map_err(|_| odd())?;
            Ok(Stored::Pieces { id: u64::from_be_bytes(*id), count: u32::from_be_bytes(count) })
        }
        _ => Err(odd()),
    }
}

fn piece_key(id: u64, index: u32) -> Vec<u8> {
    [id.to_be_bytes().as_slice(), &index.to_be_bytes()].concat()
}

/// Waits until nobody has the lock of sled's file: sled itself gives up at once. The folder is this process's by then, so the holder is a
/// child of an earlier store's process that inherited the file and has not executed its program yet.
fn await_free(file: &Path) -> std::io::Result<()> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        tracing::warn!("another process has the database's file; waiting for it");
        file.lock()?;
    }
    file.unlock()
}

impl SledEngine {
    /// Opens the database in `folder`. It runs in a thread of its own, because sled can panic on what it finds.
    pub(super) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::EngineOpen { path: folder.to_owned(), reason };
        let path = folder.to_owned();
        let opener = std::thread::Builder::new().name("store-open".to_owned()).spawn(move || Self::open_here(path, cache_bytes));
        match opener.map_err(|error| wrong(error.to_string()))?.join() {
            Ok(opened) => opened.map_err(|error| wrong(error.to_string())),
            Err(panic) => Err(wrong(format!("it panicked: {}", panic_words(panic.as_ref())))),
        }
    }

    fn open_here(folder: PathBuf, cache_bytes: u64) -> sled::Result<Self> {
        await_free(&folder.join("db"))?;
        let config = sled::Config::new().path(&folder).segment_size(SEGMENT_BYTES).cache_capacity(cache_bytes);
        // No flusher thread: the journal is what makes writes durable, and `checkpoint` says when sled's own disk state counts.
        let db = config.flush_every_ms(None).open()?;
        let trees = Tree::ALL.iter().map(|tree| db.open_tree(tree.name())).collect::<sled::Result<_>>()?;
        let pieces = db.open_tree("pieces")?;
        Ok(Self { db, trees, pieces, folder })
    }

    fn tree(&self, tree: Tree) -> Result<&sled::Tree, StoreError> {
        self.trees.get(tree.index()).ok_or_else(|| StoreError::Read(format!("there is no tree {}", tree.name())))
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let head = if value.len() <= PIECE_BYTES {
            [&[INLINE], value].concat()
        } else {
            let id = self.db.generate_id().map_err(write_fault)?;
            let mut count = 0u32;
            for piece in value.chunks(PIECE_BYTES) {
                self.pieces.insert(piece_key(id, count), piece).map_err(write_fault)?;
                count += 1;
            }
            [[PIECES].as_slice(), &id.to_be_bytes(), &count.to_be_bytes()].concat()
        };
        let old = self.tree(tree)?.insert(key, head).map_err(write_fault)?;
        self.forget(old)
    }

    /// Removes the pieces of a value that is no longer stored.
    fn forget(&self, old: Option<sled::IVec>) -> Result<(), StoreError> {
        let Some(old) = old else { return Ok(()) };
        match stored(&old)? {
            Stored::Inline(_) => Ok(()),
            Stored::Pieces { id, count } => {
                (0..count).try_for_each(|index| self.pieces.remove(piece_key(id, index)).map(drop)).map_err(write_fault)
            }
        }
    }

    /// The whole value; `None` when its pieces are gone, because the value was replaced meanwhile.
    fn whole(&self, value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match stored(value)? {
            Stored::Inline(bytes) => Ok(Some(bytes.to_vec())),
            Stored::Pieces { id, count } => {
                let mut whole = Vec::new();
                for index in 0..count {
                    match self.pieces.get(piece_key(id, index)).map_err(read_fault)? {
                        Some(piece) => whole.extend_from_slice(&piece),
                        None => return Ok(None),
                    }
                }
                Ok(Some(whole))
            }
        }
    }

    /// A pair of a scan; a value that was replaced meanwhile is read again, one that was removed meanwhile is left out.
    fn pair(&self, tree: Tree, item: sled::Result<(sled::IVec, sled::IVec)>) -> Option<Result<Pair, StoreError>> {
        let read = item.map_err(read_fault).and_then(|(key, value)| {
            let whole = match self.whole(&value)? {
                Some(whole) => Some(whole),
                None => self.get(tree, &key)?,
            };
            Ok(whole.map(|whole| (key.to_vec(), whole)))
        });
        read.transpose()
    }
}

impl Engine for SledEngine {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        for _ in 0..READ_TRIES {
            let Some(value) = self.tree(tree)?.get(key).map_err(read_fault)? else { return Ok(None) };
            if let Some(whole) = self.whole(&value)? {
                return Ok(Some(whole));
            }
        }
        Err(StoreError::Read(format!("a value in {} has lost its pieces", tree.name())))
    }

    fn scan(&self, tree: Tree, range: &Range) -> Result<Pairs<'_>, StoreError> {
        let pairs = self.tree(tree)?.range(range.bounds());
        Ok(match range.direction {
            Direction::Forward => Box::new(pairs.filter_map(move |item| self.pair(tree, item))),
            Direction::Backward => Box::new(pairs.rev().filter_map(move |item| self.pair(tree, item))),
        })
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        for op in batch.ops() {
            let (tree, key) = op.place();
            match op.value() {
                Some(value) => self.put(tree, key, value)?,
                None => {
                    let old = self.tree(tree)?.remove(key).map_err(write_fault)?;
                    self.forget(old)?;
                }
            }
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(write_fault)?;
        // sled's flush is `sync_file_range`, which syncs neither file sizes nor the disk's own cache.
        let folder = File::open(&self.folder).map_err(StoreError::at(&self.folder))?;
        nix::unistd::syncfs(&folder).map_err(|errno| StoreError::Broken(errno.to_string()))
    }
}

/// The words of a panic.
pub(super) fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(folder: &Path) -> SledEngine {
        SledEngine::open(folder, 1 << 20).expect("opens")
    }

    #[test]
    fn values_at_one_piece_and_past_it_read_back_and_never_become_files_of_sled() {
        let folder = tempfile::tempdir().expect("folder");
        let engine = engine(folder.path());
        for (index, bytes) in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES].into_iter().cycle().take(60).enumerate() {
            let value = vec![index as u8; bytes];
            engine.apply(&Batch::new().put(Tree::Runs, [index as u8], value.clone())).expect("applies");
            assert_eq!(engine.get(Tree::Runs, &[index as u8]), Ok(Some(value)));
        }
        for index in 100..140u8 {
            engine.apply(&Batch::new().put(Tree::Artifacts, [index], vec![index; PIECE_BYTES])).expect("applies");
        }
        engine.checkpoint().expect("flushes");
        assert_eq!(std::fs::read_dir(folder.path().join("blobs")).expect("folder of sled").count(), 0);
        let scanned = engine.scan(Tree::Runs, &Range::first(0)).expect("scans").collect::<Result<Vec<_>, _>>().expect("reads");
        assert_eq!(scanned.len(), 60);
        assert!(scanned.iter().all(|(key, value)| value.iter().all(|byte| [*byte] == key[..])));
    }

    #[test]
    fn replacing_and_deleting_a_long_value_leaves_no_piece_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let engine = engine(folder.path());
        let long = Batch::new().put(Tree::Runs, "run", vec![7; 3 * PIECE_BYTES]);
        engine.apply(&long).expect("applies");
        engine.apply(&long).expect("applies again");
        assert_eq!(engine.pieces.len(), 3);
        engine.apply(&Batch::new().put(Tree::Runs, "run", "short")).expect("replaces");
        assert_eq!((engine.pieces.len(), engine.get(Tree::Runs, b"run")), (0, Ok(Some(b"short".to_vec()))));
        engine.apply(&long.delete(Tree::Runs, "run")).expect("deletes");
        assert_eq!((engine.pieces.len(), engine.get(Tree::Runs, b"run")), (0, Ok(None)));
    }

    #[test]
    fn a_database_that_does_not_open_names_its_folder_and_the_mend() {
        let folder = tempfile::tempdir().expect("folder");
        drop(engine(folder.path()));
        std::fs::write(folder.path().join("conf"), b"not sled's").expect("spoils");
        let Err(error) = SledEngine::open(folder.path(), 1 << 20) else { panic!("it opened") };
        assert!(matches!(&error, StoreError::EngineOpen { path, .. } if path == folder.path()), "{error}");
        assert!(error.to_string().contains("restore the data folder from a backup"), "{error}");
    }
}
