//! Reading runs: an agent or developer reads its own, an operator or auditor every one.

use super::conduct::{Conduct, failed};
use crate::model::{Action, Ask, Digest, Door, Outcome, Principal, Problem, ProblemCode, Resource, RunId, Tier};
use crate::provenance::{self, ProvenanceError, RunRow};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;

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

/// Whose runs somebody may list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Those of everybody.
    Everybody,
    /// Those of the principal of this id.
    Own(String),
}

impl Reach {
    fn owner(self) -> Option<String> {
        match self {
            Self::Everybody => None,
            Self::Own(id) => Some(id),
        }
    }
}

impl Conduct {
    /// The report of `run` as JSON text. `notFound` also when it is not this principal's to read, or has not ended.
    pub async fn report(&self, principal: &Principal, run: RunId, door: Door) -> Result<Bytes, Problem> {
        let store = self.parts().log.store();
        let unknown = || {
            let mend = "use the id that the answer to POST /v1/runs gave";
            Problem::new(ProblemCode::NotFound, format!("there is no run {run}"), mend)
        };
        let row = provenance::row(store, run).map_err(|error| unreadable(&error))?.ok_or_else(unknown)?;
        // Whoever may not read a run does not learn that it exists.
        let may = self.permit_reading(principal, &row.principal.id, &run.to_string(), row.tier, door).await;
        may.map_err(|problem| if problem.status == 403 { unknown() } else { problem })?;
        self.own_report(run)
    }

    /// The report of `run`, for whoever asked for it.
    pub(super) fn own_report(&self, run: RunId) -> Result<Bytes, Problem> {
        match provenance::report(self.parts().log.store(), run).map_err(|error| unreadable(&error))? {
            Some(report) => serde_json::to_vec(&report).map(Bytes::from).map_err(|error| failed(&error.to_string())),
            None => {
                let mend = "ask again when its wall time is over";
                let problem = Problem::new(ProblemCode::NotFound, format!("run {run} has not ended yet"), mend);
                Err(Problem { run: Some(run), ..problem })
            }
        }
    }

    /// Whose runs `principal` may list: everybody's, or its own. Policies are asked about every tier, and one that they withhold withholds the list.
    /// What is noted is the decision that counts: a principal that reads its own runs was refused nothing.
    pub async fn reach(&self, principal: &Principal, door: Door) -> Result<Reach, Problem> {
        let set = self.parts().policy.current();
        let may = |owner: &str, tier| {
            let resource = Resource::Run { id: "", owner, tier };
            set.authority.decide(&Ask { principal, action: Action::ReadRun, resource, listener: door }).allowed
        };
        let everybody = Tier::ALL.into_iter().all(|tier| may("", tier));
        let owner = if everybody { "" } else { principal.id.as_str() };
        let withheld = Tier::ALL.into_iter().find(|tier| !may(owner, *tier));
        self.permit_reading(principal, owner, "", withheld.unwrap_or(Tier::Untrusted), door).await?;
        Ok(if everybody { Reach::Everybody } else { Reach::Own(principal.id.clone()) })
    }

    /// One page of the runs within `reach` that policies let `principal` read, one by one.
    pub fn list(&self, principal: &Principal, door: Door, reach: Reach, filter: RunFilter) -> Result<Page, Problem> {
        let limit = filter.limit as usize;
        let narrowed = provenance::RunFilter {
            artifact: filter.artifact,
            agent: filter.agent,
            prompt_id: filter.prompt_id,
            outcome: filter.outcome,
            tier: filter.tier,
            principal: reach.owner(),
            since_ms: filter.since_ms,
            until_ms: filter.until_ms,
        };
        let page =
            provenance::list(self.parts().log.store(), &narrowed, filter.cursor.as_deref(), limit).map_err(|error| unreadable(&error))?;
        let set = self.parts().policy.current();
        let mut known = HashMap::new();
        let mut may = |row: &RunRow| {
            let resource = Resource::Run { id: "", owner: &row.principal.id, tier: row.tier };
            let ask = Ask { principal, action: Action::ReadRun, resource, listener: door };
            *known.entry((row.principal.id.clone(), row.tier)).or_insert_with(|| set.authority.decide(&ask).allowed)
        };
        let runs = page
            .runs
            .iter()
            .filter(|row| may(row))
            .map(to_raw_value)
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error.to_string()))?;
        Ok(Page { runs, cursor: page.cursor })
    }
}

/// What the log could not answer.
pub fn unreadable(error: &ProvenanceError) -> Problem {
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
