//! What a profile asks of an artifact that is to enter it.

use super::Tier;
use serde::{Deserialize, Serialize};

/// What happens to runs of an artifact whose evidence is stale: made under another policy or build, or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stale {
    /// They are refused until the evidence is gathered again.
    Refuse,
    /// They go on for the grace time, and each is recorded as such; then they are refused.
    Warn,
}

/// What a profile of tier 1 or 2 asks of an artifact that is to enter it, and to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// Approving reviews, each by another principal, none by an author. Looked at for tier 2.
    pub reviews: u64,
    /// Runs at tier 1 that ended `ok` without a denial, under the evidence in force. Looked at for tier 2.
    pub clean_runs: u64,
    /// For how many days evidence is good.
    pub evidence_days: u64,
    /// What stale evidence means.
    pub stale: Stale,
    /// For how many hours after it went stale runs go on, where `stale` is `warn`.
    pub grace_hours: u64,
}

impl Promotion {
    /// What a profile of `tier` asks that says nothing about it.
    pub fn default_for(tier: Tier) -> Self {
        let stale = match tier {
            Tier::Untrusted | Tier::Validated => Stale::Refuse,
            Tier::Production => Stale::Warn,
        };
        Self { reviews: 1, clean_runs: 10, evidence_days: 30, stale, grace_hours: 72 }
    }
}
