//! What the log knows of a run or of a decision.

use crate::model::{DecisionEntry, DecisionId, Denial, Outcome, RunId};
use crate::provenance::{self, Intent, ProvenanceError};
use crate::store::Store;

/// Everything that an explanation is made of.
#[derive(Debug, Clone)]
pub(in crate::app) struct Facts {
    /// The id that was asked for.
    pub(super) id: DecisionId,
    /// The decision; none for runs of builds that had no decision log.
    pub(super) entry: Option<DecisionEntry>,
    /// The run, if the id is that of one.
    pub(in crate::app) run: Option<RunFacts>,
}

/// What is known of a run.
#[derive(Debug, Clone)]
pub(in crate::app) struct RunFacts {
    /// Its intent.
    pub(in crate::app) intent: Intent,
    /// How it ended; none while it goes on.
    pub(super) outcome: Option<Outcome>,
    /// What it was refused.
    pub(super) denials: Vec<Denial>,
    /// Denials that were dropped because there were too many.
    pub(super) denials_truncated: u64,
}

impl Facts {
    /// What `store` knows of the run or the decision `id`; `None` when there is neither. Blocks.
    pub(in crate::app) fn gather(store: &Store, id: DecisionId) -> Result<Option<Self>, ProvenanceError> {
        let Some(run) = run_of(id) else { return Ok(None) };
        if provenance::row(store, run)?.is_none() {
            let entry = provenance::decision(store, id)?;
            return Ok(entry.map(|entry| Self { id, entry: Some(entry), run: None }));
        }
        let Some(intent) = provenance::intent_of(store, run)? else { return Ok(None) };
        let decided = intent.decision_id.as_deref().and_then(|id| id.parse().ok());
        let entry = decided.map(|id| provenance::decision(store, id)).transpose()?.flatten();
        let report = provenance::report(store, run)?;
        let outcome = report.as_ref().map(|report| report.outcome);
        let denials_truncated = report.as_ref().map_or(0, |report| report.denials_truncated);
        let denials = report.map(|report| report.denials).unwrap_or_default();
        Ok(Some(Self { id, entry, run: Some(RunFacts { intent, outcome, denials, denials_truncated }) }))
    }
}

/// The run of the same id. Both are UUIDs, written alike.
fn run_of(id: DecisionId) -> Option<RunId> {
    id.to_string().parse().ok()
}
