//! Reading runs: an agent or developer reads its own, an operator or auditor every one.

use super::conduct::{Conduct, failed};
use crate::model::{Digest, Outcome, Principal, Problem, ProblemCode, RunId, Tier};
use crate::provenance::{self, ProvenanceError, RunRow};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Which runs a list shows. Every field that is present narrows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    /// Runs of this artifact.
    pub artifact: Option<Digest>,
    /// Runs whose origin claims this agent.
    pub agent: Option<String>,
    /// Runs whose origin claims this prompt.
    pub prompt_id: Option<String>,
    /// Runs that ended so.
    pub outcome: Option<Outcome>,
    /// Runs at this tier.
    pub tier: Option<Tier>,
    /// Runs admitted at or after this time, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Runs admitted before this time, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Where the page before this one ended.
    pub cursor: Option<String>,
    /// Most runs on the page.
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The runs as JSON, newest first.
    pub runs: Vec<Box<RawValue>>,
    /// What to pass as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Conduct {
    /// The report of `run` as JSON text. `notFound` also when it is not this principal's to read, or has not ended.
    pub fn report(&self, principal: &Principal, run: RunId) -> Result<Bytes, Problem> {
        let store = self.parts().log.store();
        let row = provenance::row(store, run).map_err(|error| unreadable(&error))?;
        let Some(row) = row.filter(|row| may_read(principal, row)) else {
            return Err(Problem::new(
                ProblemCode::NotFound,
                format!("there is no run {run}"),
                "use the id that the answer to POST /v1/runs gave",
            ));
        };
        match provenance::report(store, run).map_err(|error| unreadable(&error))? {
            Some(report) => serde_json::to_vec(&report).map(Bytes::from).map_err(|error| failed(&error.to_string())),
            None => {
                let mut problem =
                    Problem::new(ProblemCode::NotFound, format!("run {run} has not ended yet"), "ask again when its wall time is over");
                problem.run = Some(row.run);
                Err(problem)
            }
        }
    }

    /// One page of the runs that `principal` may read.
    pub fn list(&self, principal: &Principal, filter: RunFilter) -> Result<Page, Problem> {
        let limit = filter.limit as usize;
        let narrowed = provenance::RunFilter {
            artifact: filter.artifact,
            agent: filter.agent,
            prompt_id: filter.prompt_id,
            outcome: filter.outcome,
            tier: filter.tier,
            principal: (!principal.role.reads_all()).then(|| principal.id.clone()),
            since_ms: filter.since_ms,
            until_ms: filter.until_ms,
        };
        let page =
            provenance::list(self.parts().log.store(), &narrowed, filter.cursor.as_deref(), limit).map_err(|error| unreadable(&error))?;
        let runs = page.runs.iter().map(to_raw_value).collect::<Result<_, _>>().map_err(|error| failed(&error.to_string()))?;
        Ok(Page { runs, cursor: page.cursor })
    }
}

fn may_read(principal: &Principal, row: &RunRow) -> bool {
    principal.role.reads_all() || row.principal.id == principal.id
}

fn unreadable(error: &ProvenanceError) -> Problem {
    match error {
        ProvenanceError::Cursor => Problem::new(ProblemCode::InvalidRequest, error.to_string(), "leave `cursor` out to start again"),
        ProvenanceError::Store(_)
        | ProvenanceError::TooLarge { .. }
        | ProvenanceError::Form(_)
        | ProvenanceError::RunKnown(_)
        | ProvenanceError::Mismatch { .. }
        | ProvenanceError::Damaged { .. } => failed(&error.to_string()),
    }
}
