//! Trace completeness: every intent has its seal, but for the runs under way. It is counted from what the store says.

use super::log::Log;
use super::{ProvenanceError, recover};
use crate::model::{Durability, RunId};
use crate::store::{Batch, Range, Tree, wait};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most open intents that one look reads: more than runs can be under way at once.
const OPEN_MAX: usize = 16 << 10;

/// Runs between their intent and their seal, and how many are past it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    under_way: HashSet<RunId>,
    ended: u64,
}

/// One run under way; dropping it says that nobody conducts the run any more.
#[derive(Debug)]
pub(super) struct UnderWay {
    tally: Tally,
    run: RunId,
    counts: bool,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run begins; before its intent can be seen in the store.
    pub(super) fn begin(&self, run: RunId) -> UnderWay {
        let counts = self.lock().under_way.insert(run);
        UnderWay { tally: self.clone(), run, counts }
    }
}

impl UnderWay {
    /// The run never was: its intent was not stored.
    pub(super) fn forget(mut self) {
        if std::mem::take(&mut self.counts) {
            self.tally.lock().under_way.remove(&self.run);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.counts {
            let mut counts = self.tally.lock();
            counts.under_way.remove(&self.run);
            counts.ended += 1;
        }
    }
}

/// How complete the trace is, for the runs that ended since the log was opened; what was open then was sealed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Runs that have an intent and are not under way.
    pub ended: u64,
    /// Those of them that have no seal.
    pub missing: Vec<RunId>,
}

impl Log {
    /// Counts what is missing. Blocks while the store writes what is queued, if something seems to be missing.
    ///
    /// Errors: [`ProvenanceError::Store`].
    pub fn completeness(&self) -> Result<Completeness, ProvenanceError> {
        let missing = self.open_and_not_under_way()?;
        if !missing.is_empty() {
            // A seal may be on its way: what was handed over before this is visible after it. A store that takes no write has none to show.
            let _ = self.store().commit_blocking(Batch::new(), Durability::Batched);
            let still = self.open_and_not_under_way()?;
            let missing = missing.into_iter().filter(|run| still.contains(run)).collect();
            return Ok(Completeness { ended: self.tally().lock().ended, missing });
        }
        Ok(Completeness { ended: self.tally().lock().ended, missing })
    }

    /// Runs whose intent is open, of which nobody is conducting any. The store is read first: what is sealed meanwhile is under way then.
    fn open_and_not_under_way(&self) -> Result<Vec<RunId>, ProvenanceError> {
        let open = self.store().range(Tree::OpenIntents, &Range::first(OPEN_MAX))?;
        let counts = self.tally().lock();
        let runs = open.iter().filter_map(|(key, _)| key.as_slice().try_into().ok().map(|bytes| RunId(uuid::Uuid::from_bytes(bytes))));
        Ok(runs.filter(|run| !counts.under_way.contains(run)).collect())
    }

    /// Seals what is missing as `internalError`, cause `abandoned`, once the store takes writes again; gives those runs. Blocks.
    ///
    /// Errors: [`ProvenanceError::Store`]: the rest stays open until the next try.
    pub fn seal_missing(&self) -> Result<Vec<RunId>, ProvenanceError> {
        let missing = self.completeness()?.missing;
        for run in &missing {
            if let Some(sequence) = self.store().get(Tree::OpenIntents, run.0.as_bytes())? {
                recover::seal(self, run.0.as_bytes(), &sequence, "abandoned")?;
            }
        }
        if !missing.is_empty() {
            wait(self.store().sync())?;
        }
        Ok(missing)
    }
}
