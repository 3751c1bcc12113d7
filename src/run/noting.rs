//! Entries of the decision log: made here for every decision, and stored with what it decided, or by themselves.

use super::conduct::Inner;
use crate::model::{Ask, Decided, Decision, DecisionEntry, Digest, Durability, Labels, Problem, Verdict};
use crate::policy::PolicySet;
use crate::provenance::decision_change;
use crate::store::Batch;
use serde_json::{Map, Value};

/// What tells this process from others in the decision log.
pub(super) fn labels() -> Labels {
    Labels { id: uuid::Uuid::now_v7().to_string(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// What more there is to say of a decision than what was asked.
#[derive(Default)]
pub(super) struct More<'a> {
    pub(super) request: Map<String, Value>,
    pub(super) traceparent: Option<&'a str>,
}

impl Inner {
    /// The entry of `decision`, which answers `ask` under `set`.
    pub(super) fn entry(&self, set: &PolicySet, ask: &Ask<'_>, decision: &Decision, more: &More<'_>) -> DecisionEntry {
        let verdict = Verdict { allowed: decision.allowed, policies: decision.policies.clone(), errors: decision.errors.clone() };
        DecisionEntry::of(&Decided {
            id: decision.decision_id,
            ask,
            request: &more.request,
            verdict: &verdict,
            rule: decision.rule,
            reason: &decision.reason,
            revision: set.revision(),
            labels: &self.labels,
            traceparent: more.traceparent,
        })
    }

    /// The change that stores `entry`. What cannot be noted is not done.
    pub(super) fn noted_change(&self, entry: &DecisionEntry) -> Result<Batch, Problem> {
        decision_change(entry).map_err(|error| super::shelf::unrecorded(&error))
    }

    /// Stores `entry` by itself: nothing else is stored with it.
    pub(super) async fn note_decision(&self, entry: &DecisionEntry) -> Result<(), Problem> {
        self.parts.log.decision(entry, Durability::Batched).await.map_err(|error| super::shelf::unrecorded(&error))
    }
}

/// The members of a decision's `request` that say which artifact it was about.
pub(super) fn about(artifact: Digest) -> Map<String, Value> {
    Map::from_iter([("artifact".to_owned(), Value::String(artifact.to_string()))])
}
