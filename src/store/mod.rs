//! The store: named trees of keys and values that survive the death of the server and, when asked, power loss.
//!
//! sled buffers in the process, so a killed server loses what it acknowledged. Here every batch goes to a write-ahead journal first:
//!
//! * whoever commits orders what waits, writes it with one `write(2)`, and acknowledges the `batched` batches: the operating system has them. When
//!   that could take long, a thread does it instead;
//! * one thread syncs the journal, at once for `strict` waiters (all that wait share one sync) and within 50 ms for the others;
//! * one thread moves what is synced into sled, and deletes a segment only after sled's own files are on disk.
//!
//! Readers see a batch as soon as the operating system has it, whole, from an overlay in memory until sled has it. On opening, the
//! journal is replayed into sled; every operation is idempotent. sled never holds what the journal had not on disk before, so no crash can
//! leave half a batch.

mod applier;
mod batch;
mod engine;
mod error;
mod journal;
mod open;
mod overlay;
mod range;
mod shared;
mod sled_engine;
mod syncer;
mod tree;
mod turns;
mod wait;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use engine::Pair;
pub use error::StoreError;
pub use journal::replay::SetAside;
pub use open::Opening;
pub use range::{Direction, Range};
pub use shared::Health;
pub use tree::Tree;
pub use wait::wait;

use crate::model::Durability;
use journal::frame::BODY_BYTES_MAX;
use journal::medium::{Maker, files};
use open::Threads;
use shared::Shared;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use turns::Turns;
use writer::Order;

/// The store's own limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// A journal segment longer than this is closed. Default 16 MiB: replaying one takes well under a second.
    pub segment_bytes_max: u64,
    /// A journal segment older than this is closed at the next write. Default 60 s.
    pub segment_age_max: Duration,
    /// A batched write is on disk within this time, on a disk that syncs in half of it. Default 50 ms (the contract).
    pub sync_within: Duration,
    /// sled's page cache, in bytes. Default 64 MiB.
    pub cache_bytes: u64,
    /// Bytes that may wait in memory for sled; past them writing waits. Default 64 MiB.
    pub pending_bytes_max: usize,
    /// Batches that may wait to be written; past them committing waits. Default 1024.
    pub queue: usize,
    /// A write that takes longer was held up by the disk; then the thread writes for a while. Default 10 ms: into the kernel's cache a record takes
    /// some ten microseconds, and on a busy machine a scheduler's turn of a few milliseconds.
    pub slow_write: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes_max: 16 << 20,
            segment_age_max: Duration::from_secs(60),
            sync_within: Duration::from_millis(50),
            cache_bytes: 64 << 20,
            pending_bytes_max: 64 << 20,
            queue: 1024,
            slow_write: Duration::from_millis(10),
        }
    }
}

/// A handle to an open data folder. Clones share it; it is closed by [`Store::close`], at the latest when the last clone goes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    // Fields drop in this order: sled lets go of its files before the folder's lock goes.
    shared: Arc<Shared>,
    queue: mpsc::Sender<Order>,
    turns: Arc<Turns>,
    threads: Mutex<Option<Threads>>,
    _lock: open::FolderLock,
}

impl Store {
    /// Opens the data folder `data`, making it when it is not there, and brings back what the journal holds. Blocks; needs no runtime.
    ///
    /// Errors: [`StoreError::Locked`], [`StoreError::Version`], [`StoreError::Folder`], [`StoreError::EngineOpen`],
    /// [`StoreError::Damaged`], [`StoreError::Missing`].
    pub fn open(data: &Path, options: Options) -> Result<(Self, Opening), StoreError> {
        Self::open_with(data, options, files())
    }

    /// Whether a store was made in `data`.
    pub fn is_in(data: &Path) -> bool {
        data.join("VERSION").exists()
    }

    fn open_with(data: &Path, options: Options, maker: Maker) -> Result<(Self, Opening), StoreError> {
        let parts = open::open(data, options, maker)?;
        let threads = Mutex::new(Some(parts.threads));
        let inner = Inner { shared: parts.shared, queue: parts.queue, turns: parts.turns, threads, _lock: parts.lock };
        Ok((Self { inner: Arc::new(inner) }, parts.opening))
    }

    /// Waits for room in the queue. What then is committed with the permit takes its place in the order at once, without waiting.
    pub async fn reserve(&self) -> Result<Permit, StoreError> {
        let queue = self.inner.queue.clone().reserve_owned().await.map_err(|_| StoreError::Closed)?;
        Ok(self.permit(queue))
    }

    /// A permit if there is room right now.
    pub fn try_reserve(&self) -> Option<Permit> {
        self.inner.queue.clone().try_reserve_owned().ok().map(|queue| self.permit(queue))
    }

    fn permit(&self, queue: mpsc::OwnedPermit<Order>) -> Permit {
        Permit { queue, turns: Arc::clone(&self.inner.turns) }
    }

    /// Stores `batch`; returns when `durability` is reached. Dropping the future after its first poll does not take the batch back.
    ///
    /// Errors: [`StoreError::TooLarge`], [`StoreError::Write`], [`StoreError::Superseded`], [`StoreError::Broken`], [`StoreError::Closed`].
    pub async fn commit(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        self.reserve().await?.commit(self.generation(), batch, durability)?.await
    }

    /// [`Store::commit`] on the calling thread.
    pub fn commit_blocking(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        wait(self.commit(batch, durability))
    }

    /// Returns when everything committed before is on disk.
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.commit(Batch::new(), Durability::Strict).await
    }

    /// Counts failed writes. A batch that builds on earlier ones is committed under the count that those were committed under, and is
    /// refused as [`StoreError::Superseded`] when one of them was not stored.
    pub fn generation(&self) -> u64 {
        self.inner.shared.generation()
    }

    /// Whether the store takes writes.
    pub fn health(&self) -> Health {
        self.inner.shared.health()
    }

    /// The value of a key.
    pub fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.shared.overlay.get(self.inner.shared.engine.as_ref(), tree, key)
    }

    /// The pairs of `range`, at most its limit.
    pub fn range(&self, tree: Tree, range: &Range) -> Result<Vec<Pair>, StoreError> {
        self.inner.shared.overlay.range(self.inner.shared.engine.as_ref(), tree, range)
    }

    /// The pair with the largest key.
    pub fn last(&self, tree: Tree) -> Result<Option<Pair>, StoreError> {
        Ok(self.range(tree, &Range::last(1))?.pop())
    }

    /// Writes what is queued and brings everything to the disk. Blocks. Reading goes on working; the folder is free for another process
    /// when the last clone is gone. A second call does nothing.
    ///
    /// Errors: [`StoreError::Broken`]; the journal then keeps what sled does not have, and the next opening replays it.
    pub fn close(&self) -> Result<(), StoreError> {
        self.inner.close()
    }
}

impl Inner {
    fn close(&self) -> Result<(), StoreError> {
        let Some(threads) = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        self.turns.close();
        let panicked = |_| StoreError::Broken("a thread of the store panicked".to_owned());
        let ended = threads.writer.join().map_err(panicked);
        let synced = threads.syncer.join().map_err(panicked);
        let applied = threads.applier.join().map_err(panicked).and_then(|applied| applied);
        self.shared.closed();
        ended.and(synced).and(applied)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store did not close cleanly; its journal will be replayed");
        }
    }
}

/// A place in the store's queue.
pub struct Permit {
    queue: mpsc::OwnedPermit<Order>,
    turns: Arc<Turns>,
}

impl Permit {
    /// Hands `batch` over in the order of these calls and returns at once; the future resolves when `durability` is reached.
    /// `generation` is what [`Store::generation`] said when the state that the batch builds on was read.
    ///
    /// Errors, before anything is handed over: [`StoreError::TooLarge`].
    pub fn commit(self, generation: u64, batch: Batch, durability: Durability) -> Result<Commit, StoreError> {
        let bytes = batch.bytes();
        if bytes > BODY_BYTES_MAX {
            return Err(StoreError::TooLarge { bytes, most: BODY_BYTES_MAX });
        }
        let (done, answer) = oneshot::channel();
        self.turns.expect_one();
        self.queue.send(Order { generation, batch, durability, done });
        Ok(Commit { answer, turns: Some(self.turns) })
    }
}

/// The answer to a batch that was handed over. It is written when this is first polled or dropped, at the latest.
#[must_use = "a batch is stored when its commit says so"]
pub struct Commit {
    answer: oneshot::Receiver<Result<(), StoreError>>,
    turns: Option<Arc<Turns>>,
}

impl Commit {
    fn write(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.take();
        }
    }
}

impl Future for Commit {
    type Output = Result<(), StoreError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.write();
        Poll::Ready(ready!(Pin::new(&mut self.answer).poll(context)).unwrap_or(Err(StoreError::Closed)))
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.write();
    }
}
