//! Opening a data folder: lock, version, database, journal.

use super::applier::{Applier, Rest, checkpoint, last_checkpoint, remove_segments};
use super::engine::Engine;
use super::journal::medium::Maker;
use super::journal::replay::{SetAside, replay};
use super::journal::segment::{self, Segment};
use super::shared::Shared;
use super::sled_engine::SledEngine;
use super::syncer::Syncer;
use super::turns::Turns;
use super::writer::{Order, Writer};
use super::{Options, StoreError};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use tokio::sync::mpsc;

/// The format this build reads and writes.
pub(super) const VERSION: &str = "cordon-store 1";
/// Groups between two threads. Memory is bounded by `pending_bytes_max`; this only keeps the threads in step.
const GROUPS_IN_FLIGHT: usize = 1024;

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// Batches that the journal brought back after a stop that was not clean.
    pub replayed: u64,
    /// What could not be used of an interrupted write: never acknowledged as being on disk, kept in files.
    pub set_aside: Vec<SetAside>,
}

/// The store's threads.
pub(super) struct Threads {
    pub(super) writer: JoinHandle<std::path::PathBuf>,
    pub(super) syncer: JoinHandle<()>,
    pub(super) applier: JoinHandle<Result<(), StoreError>>,
}

/// An opened folder.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: mpsc::Sender<Order>,
    pub(super) turns: Arc<Turns>,
    pub(super) threads: Threads,
    pub(super) lock: FolderLock,
    pub(super) opening: Opening,
}

/// Opens `data` with sled under it.
pub(super) fn open(data: &Path, options: Options, maker: Maker) -> Result<Parts, StoreError> {
    make_folder(data)?;
    let lock = lock(data)?;
    let known = check_version(data)?;
    make_folder(&data.join("sled"))?;
    let engine: Arc<dyn Engine> = Arc::new(SledEngine::open(&data.join("sled"), options.cache_bytes)?);
    let folder = data.join("journal");
    make_folder(&folder)?;
    if known == Folder::Known && last_checkpoint(engine.as_ref())?.is_none() {
        let reason = "it is empty, though a store was here".to_owned();
        return Err(StoreError::EngineOpen { path: data.join("sled"), reason });
    }
    let (applied, opening) = recover(&folder, engine.as_ref())?;
    match known {
        Folder::New => mark_made(data)?,
        Folder::Known => {}
    }
    let segment = Segment::create(&folder, applied + 1, &maker).map_err(StoreError::at(&folder))?;
    segment.medium().sync().map_err(StoreError::at(&folder))?;
    segment::sync_folder(&folder).map_err(StoreError::at(&folder))?;

    let shared = Arc::new(Shared::new(engine, applied));
    let (queue, requests) = mpsc::channel(options.queue);
    let (to_syncer, written) = channel();
    let (to_applier, synced) = sync_channel(GROUPS_IN_FLIGHT);
    let applier = Applier { shared: Arc::clone(&shared), synced, folder: folder.clone(), applied };
    // The writer's thread comes last: without it the others end by themselves.
    let applier = spawn("store-apply", data, move || applier.run())?;
    let syncer =
        Syncer { shared: Arc::clone(&shared), written, synced: to_applier, folder: folder.clone(), delay: options.sync_within / 2 };
    let syncer = spawn("store-sync", data, move || syncer.run())?;
    let thread = syncer.thread().clone();
    let next = applied + 1;
    let writer = Writer {
        shared: Arc::clone(&shared),
        queue: requests,
        written: to_syncer,
        syncer: thread,
        segment,
        folder,
        maker,
        options,
        next,
        slow_until: None,
    };
    let turns = Arc::new(Turns::new(writer));
    let served = Arc::clone(&turns);
    let writer = spawn("store-write", data, move || served.serve())?;
    turns.served_by(writer.thread().clone());
    let threads = Threads { applier, syncer, writer };
    Ok(Parts { shared, queue, turns, threads, lock, opening })
}

fn spawn<T: Send + 'static>(name: &str, data: &Path, work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, StoreError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(StoreError::at(data))
}

/// Completes the database from the journal and empties the journal; says which batch was the last.
fn recover(folder: &Path, engine: &dyn Engine) -> Result<(u64, Opening), StoreError> {
    let (applied, rest) = last_checkpoint(engine)?.unwrap_or((0, Rest::Clean));
    let replayed = replay(folder, applied, |batch| engine.apply(batch))?;
    let last = match (replayed.last, rest) {
        (Some(last), _) => last.max(applied),
        (None, Rest::Clean) => applied,
        (None, Rest::Journal) => {
            let found = "and no segment is there, though the store was not closed".to_owned();
            return Err(StoreError::Missing { path: folder.to_owned(), expected: applied + 1, found });
        }
    };
    // From here on the journal is needed again: the mark says so before the first batch.
    checkpoint(engine, last, Rest::Journal)?;
    remove_segments(folder, None)?;
    Ok((last, Opening { replayed: replayed.batches, set_aside: replayed.set_aside }))
}

/// Makes `folder` for its owner alone; one that is there becomes so, unless it is another's.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::at(folder))?;
    let rights = fs::metadata(folder).map_err(StoreError::at(folder))?.permissions();
    if rights.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(StoreError::at(folder))?;
    }
    Ok(())
}

/// The folder is this process's as long as it lives.
pub(super) struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread is just starting has it open too, until it executes its program.
        // An unlocking that fails leaves the lock to the process's end.
        let _ = self.0.unlock();
    }
}

/// Takes the folder for this process. The lock goes with the process, however it ends.
fn lock(data: &Path) -> Result<FolderLock, StoreError> {
    let path = data.join("lock");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(StoreError::at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok_and(|bytes| bytes > 0);
            let holder = if known { format!(" (process {})", holder.trim()) } else { String::new() };
            return Err(StoreError::Locked { path: data.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::at(&path)(error)),
    }
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(StoreError::at(&path))?;
    Ok(FolderLock(file))
}

/// Whether a store was here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    New,
    Known,
}

/// Refuses a folder of another format. A new one is marked as being made; [`mark_made`] ends that.
fn check_version(data: &Path) -> Result<Folder, StoreError> {
    let (path, draft) = (data.join("VERSION"), data.join("VERSION.new"));
    let other = |found: String| StoreError::Version { path: data.to_owned(), found, known: VERSION };
    match fs::read_to_string(&path) {
        Ok(found) if found.trim_end() == VERSION => Ok(Folder::Known),
        Ok(found) => Err(other(found.trim_end().chars().take(80).collect())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if data.join("sled").exists() && !draft.exists() {
                return Err(other("unmarked".to_owned()));
            }
            let marked = fs::write(&draft, format!("{VERSION}\n")).and_then(|()| File::open(&draft)?.sync_all());
            marked.and_then(|()| segment::sync_folder(data)).map_err(StoreError::at(&draft))?;
            Ok(Folder::New)
        }
        Err(error) => Err(StoreError::at(&path)(error)),
    }
}

/// The database has its first checkpoint: from now on one without it has lost what it held.
fn mark_made(data: &Path) -> Result<(), StoreError> {
    let (path, draft) = (data.join("VERSION"), data.join("VERSION.new"));
    fs::rename(&draft, &path).and_then(|()| segment::sync_folder(data)).map_err(StoreError::at(path))
}
