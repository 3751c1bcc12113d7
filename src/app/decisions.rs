//! The decision log, and outbound requests of runs, as the operator listener answers with them and as commands read them in a data folder.

use crate::http::Stretch;
use crate::model::{DecisionId, EgressEntry, Problem, ProblemCode, Role, RunId};
use crate::provenance::{self, ProvenanceError, Record, RunFilter, RunRow};
use crate::run;
use crate::store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A run and the outbound requests that its seal has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunEgress {
    /// The run.
    pub(super) run: RunId,
    /// The role of who asked for it.
    pub(super) role: Role,
    /// The profile that it ran under.
    pub(super) profile: String,
    /// Its first requests, as many as fit into a seal.
    pub(super) egress: Vec<EgressEntry>,
    /// How many there were.
    pub(super) egress_total: u64,
}

/// One page of decisions, newest first. The caller causes wrong cursors.
pub(super) fn page(store: &Store, stretch: &Stretch) -> Result<Value, Problem> {
    let Stretch { since_ms, until_ms, cursor, limit } = stretch;
    let page = provenance::decisions(store, *since_ms, *until_ms, cursor.as_deref(), *limit as usize);
    page.map(|page| json!({ "decisions": page.decisions, "cursor": page.cursor })).map_err(|error| run::unreadable(&error))
}

/// The entry of one decision.
pub(super) fn one(store: &Store, id: DecisionId) -> Result<Value, Problem> {
    let entry = provenance::decision(store, id).map_err(|error| run::unreadable(&error))?;
    entry.map(|entry| json!(entry)).ok_or_else(|| unknown(id))
}

/// One page of runs with outbound requests, newest first; `limit` runs are looked at.
pub(super) fn egress(store: &Store, stretch: &Stretch) -> Result<Value, Problem> {
    let filter = RunFilter { since_ms: stretch.since_ms, until_ms: stretch.until_ms, ..RunFilter::default() };
    let page =
        provenance::list(store, &filter, stretch.cursor.as_deref(), stretch.limit as usize).map_err(|error| run::unreadable(&error))?;
    let runs: Result<Vec<Option<RunEgress>>, _> = page.runs.into_iter().map(|row| sealed(store, row)).collect();
    let runs: Vec<RunEgress> = runs.map_err(|error| run::unreadable(&error))?.into_iter().flatten().collect();
    Ok(json!({ "runs": runs, "cursor": page.cursor }))
}

/// What the run's seal has; `None` for runs that go on, or sent nothing out.
fn sealed(store: &Store, row: RunRow) -> Result<Option<RunEgress>, ProvenanceError> {
    let Some(seal) = row.provenance else { return Ok(None) };
    let Some((stored, _)) = provenance::record_at(store, seal.sequence)? else { return Ok(None) };
    Ok(match stored.record {
        Record::Seal(seal) if seal.egress_total > 0 => Some(RunEgress {
            run: row.run,
            role: row.principal.role,
            profile: row.profile,
            egress: seal.egress,
            egress_total: seal.egress_total,
        }),
        _ => None,
    })
}

/// There is no such decision.
pub(super) fn unknown(id: DecisionId) -> Problem {
    let mend = "use the `decisionId` of a refusal, or the `decision_id` of an entry from GET /v1/decisions";
    Problem::new(ProblemCode::NotFound, format!("there is no decision {id}"), mend)
}
