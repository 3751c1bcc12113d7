//! A data folder for a test, and disks that fail on order.

use crate::model::Durability::{self, Batched};
use crate::store::journal::medium::{Maker, Medium, files};
use crate::store::{Batch, Opening, Options, Store, StoreError, Tree};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A data folder that goes with the test.
pub(super) struct House {
    folder: tempfile::TempDir,
}

pub(super) fn options() -> Options {
    Options { cache_bytes: 1 << 20, ..Options::default() }
}

impl House {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn open(&self) -> Store {
        self.try_open().expect("opens").0
    }

    pub(super) fn try_open(&self) -> Result<(Store, Opening), StoreError> {
        Store::open(&self.data(), options())
    }

    pub(super) fn open_on(&self, disk: &Arc<Disk>, options: Options) -> Store {
        Store::open_with(&self.data(), options, disk.maker()).expect("opens").0
    }

    /// What the operating system has right now, as a killed process would leave it.
    pub(super) fn as_if_killed(&self) -> Self {
        let copy = Self::new();
        copy_folder(&self.data(), &copy.data());
        copy
    }

    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.data().join("journal")).expect("the journal").map(|entry| entry.expect("an entry").path());
        let mut segments: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "wal")).collect();
        segments.sort();
        segments
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), &target).expect("copied")),
        }
    }
}

pub(super) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

pub(super) fn put(number: u64) -> Batch {
    Batch::new().put(Tree::Keys, key(number), format!("value {number}"))
}

pub(super) fn commit(store: &Store, numbers: impl IntoIterator<Item = u64>) {
    commit_as(store, numbers, Batched);
}

pub(super) fn commit_as(store: &Store, numbers: impl IntoIterator<Item = u64>, durability: Durability) {
    numbers.into_iter().for_each(|number| store.commit_blocking(put(number), durability).expect("stored"));
}

/// Asserts that exactly `numbers` are stored.
pub(super) fn holds(store: &Store, numbers: impl IntoIterator<Item = u64>) {
    let stored = store.range(Tree::Keys, &crate::store::Range::first(usize::MAX)).expect("reads");
    let expected: Vec<_> = numbers.into_iter().map(|number| (key(number).to_vec(), format!("value {number}").into_bytes())).collect();
    assert_eq!(stored, expected);
    for (key, value) in expected {
        assert_eq!(store.get(Tree::Keys, &key), Ok(Some(value)));
    }
}

/// A disk with so much room, whose syncs and cuts can be made to fail.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) room: AtomicU64,
    pub(super) sync_fails: AtomicBool,
    pub(super) cut_fails: AtomicBool,
    pub(super) syncs: AtomicU64,
    pub(super) appends: AtomicU64,
    pub(super) panics: AtomicBool,
    /// How long an append takes.
    pub(super) append_ms: AtomicU64,
    /// The names of the threads that appended, in order.
    pub(super) appended_by: Mutex<Vec<String>>,
}

impl Disk {
    pub(super) fn with_room(bytes: u64) -> Arc<Self> {
        Arc::new(Self { room: bytes.into(), ..Self::default() })
    }

    fn maker(self: &Arc<Self>) -> Maker {
        let (disk, real) = (Arc::clone(self), files());
        Arc::new(move |path| Ok(Arc::new(OnDisk { disk: Arc::clone(&disk), file: real(path)? })))
    }
}

struct OnDisk {
    disk: Arc<Disk>,
    file: Arc<dyn Medium>,
}

impl Medium for OnDisk {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.appends.fetch_add(1, SeqCst);
        let thread = std::thread::current();
        self.disk.appended_by.lock().expect("whole").push(thread.name().unwrap_or_default().to_owned());
        std::thread::sleep(Duration::from_millis(self.disk.append_ms.load(SeqCst)));
        assert!(!self.disk.panics.load(SeqCst), "the disk's driver panics, as the test wants");
        let room = usize::try_from(self.disk.room.load(SeqCst)).expect("fits");
        if room == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let written = self.file.append(&bytes[..bytes.len().min(room)])?;
        self.disk.room.fetch_sub(written as u64, SeqCst);
        Ok(written)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        match self.disk.cut_fails.load(SeqCst) {
            true => Err(io::Error::other("the cut fails")),
            false => self.file.truncate(bytes),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.syncs.fetch_add(1, SeqCst);
        match self.disk.sync_fails.load(SeqCst) {
            true => Err(io::Error::other("the sync fails")),
            false => self.file.sync(),
        }
    }
}
