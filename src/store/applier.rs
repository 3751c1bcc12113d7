//! The thread that moves synced batches into the database and, once the database is durable, deletes journal segments.

use super::engine::Engine;
use super::journal::segment;
use super::shared::Shared;
use super::sled_engine::panic_words;
use super::syncer::Synced;
use super::{Batch, StoreError, Tree};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Key in [`Tree::Meta`]: the last batch that the database surely has (8 bytes, big-endian).
const APPLIED: &[u8] = b"journal/applied";
/// Key in [`Tree::Meta`]: present while no journal is needed.
const CLEAN: &[u8] = b"journal/clean";

/// The applier's state.
pub(super) struct Applier {
    pub(super) shared: Arc<Shared>,
    pub(super) synced: Receiver<Synced>,
    pub(super) folder: PathBuf,
    /// The last batch the database has.
    pub(super) applied: u64,
}

impl Applier {
    /// Works until the syncer has ended, then closes the journal: the database has everything and no segment is left.
    pub(super) fn run(mut self) -> Result<(), StoreError> {
        while let Ok(synced) = self.synced.recv() {
            if self.shared.broken().is_some() {
                continue; // What is not in the database stays in the overlay and in the journal.
            }
            if let Err(error) = guarded(|| self.take(&synced)) {
                self.shared.broke(error.to_string());
            }
        }
        match self.shared.broken() {
            Some(error) => Err(error),
            None => guarded(|| {
                checkpoint(self.shared.engine.as_ref(), self.applied, Rest::Clean)?;
                remove_segments(&self.folder, None)
            }),
        }
    }

    fn take(&mut self, synced: &Synced) -> Result<(), StoreError> {
        if let Some(retired) = &synced.retired {
            checkpoint(self.shared.engine.as_ref(), self.applied, Rest::Journal)?;
            remove_segments(&self.folder, Some(retired))?;
        }
        // A run's intent and seal are mostly in one group, and the second undoes part of the first: of each key only the last change is put.
        // Halfway through, the database may have a later change and not an earlier one; the journal still has both until the next checkpoint.
        self.shared.engine.apply(&Batch::merged(synced.group.iter().map(|numbered| numbered.batch.as_ref())))?;
        for numbered in &synced.group {
            self.shared.overlay.remove(numbered);
            self.applied = numbered.sequence;
        }
        Ok(())
    }
}

/// sled can panic; then the store stops writing and the process lives.
fn guarded(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(StoreError::Broken(format!("the database panicked: {}", panic_words(panic.as_ref())))))
}

/// What is needed besides the database after a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// The journal's newest segment.
    Journal,
    /// Nothing: the store was closed.
    Clean,
}

/// Brings the database to the disk together with the number of the last batch in it.
pub(super) fn checkpoint(engine: &dyn Engine, applied: u64, rest: Rest) -> Result<(), StoreError> {
    let marks = Batch::new().put(Tree::Meta, APPLIED, applied.to_be_bytes());
    engine.apply(&match rest {
        Rest::Journal => marks.delete(Tree::Meta, CLEAN),
        Rest::Clean => marks.put(Tree::Meta, CLEAN, []),
    })?;
    engine.checkpoint()
}

/// What the last checkpoint said: the last batch in the database, and what is needed besides it. `None` before the first one.
pub(super) fn last_checkpoint(engine: &dyn Engine) -> Result<Option<(u64, Rest)>, StoreError> {
    let Some(applied) = engine.get(Tree::Meta, APPLIED)? else { return Ok(None) };
    let applied = applied.try_into().map_err(|_| StoreError::Read("the checkpoint's mark has no known form".to_owned()))?;
    let rest = if engine.get(Tree::Meta, CLEAN)?.is_some() { Rest::Clean } else { Rest::Journal };
    Ok(Some((u64::from_be_bytes(applied), rest)))
}

/// Removes the segments up to `last`, or all, oldest first: what is left is always an unbroken end of the journal.
pub(super) fn remove_segments(folder: &Path, last: Option<&Path>) -> Result<(), StoreError> {
    for (_, path) in segment::list(folder).map_err(StoreError::at(folder))? {
        if last.is_some_and(|last| path.as_path() > last) {
            break;
        }
        std::fs::remove_file(&path).map_err(StoreError::at(&path))?;
    }
    segment::sync_folder(folder).map_err(StoreError::at(folder))
}
