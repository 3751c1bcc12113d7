//! One row per run: what lists show and filters read, without touching reports.

use super::record::Intent;
use crate::model::{Digest, Outcome, Principal, ProvenanceRef, RunId, Tier};
use serde::{Deserialize, Serialize};

/// The summary of a run. A run that is still going on has neither outcome nor end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRow {
    /// The run.
    pub run: RunId,
    /// Who asked.
    pub principal: Principal,
    /// What ran.
    pub artifact: Digest,
    /// The tier.
    pub tier: Tier,
    /// The profile.
    pub profile: String,
    /// The agent, as claimed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
    /// The prompt, as claimed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompt_id: Option<String>,
    /// When its intent was made, in milliseconds since 1970.
    pub started_ms: u64,
    /// Its intent's place in the log.
    pub intent_sequence: u64,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
    /// When its seal was made, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_ms: Option<u64>,
    /// Its seal's place in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provenance: Option<ProvenanceRef>,
}

impl RunRow {
    /// The row of a run that starts; its intent's sequence is filled in when it is known.
    pub(super) fn running(intent: &Intent, started_ms: u64) -> Self {
        Self {
            run: intent.run,
            principal: intent.principal.clone(),
            artifact: intent.artifact,
            tier: intent.grant.tier,
            profile: intent.grant.profile.clone(),
            agent: intent.origin.agent.clone(),
            prompt_id: intent.origin.prompt_id.clone(),
            started_ms,
            intent_sequence: 0,
            outcome: None,
            ended_ms: None,
            provenance: None,
        }
    }

    /// The run ended.
    pub(super) fn end(&mut self, outcome: Outcome, ended_ms: u64, seal: ProvenanceRef) {
        self.outcome = Some(outcome);
        self.ended_ms = Some(ended_ms);
        self.provenance = Some(seal);
    }
}
