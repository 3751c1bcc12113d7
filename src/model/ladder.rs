//! The trust ladder: where an artifact stands, on what evidence, and who said so.

use super::{Digest, Principal, Role, Tier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an artifact stands. An artifact that never climbed has none: it is at tier 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its tier.
    pub tier: Tier,
    /// The profile that it earned, and runs under when none is named; at tier 0 that of the tier.
    pub profile: String,
    /// The evidence that it stands on; none at tier 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceMark>,
    /// Since when that evidence is known to be stale: milliseconds since 1970; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_since_ms: Option<u64>,
    /// The sequence number of the record that put it there.
    pub sequence: u64,
    /// When: milliseconds since 1970, by the server's clock.
    pub at_ms: u64,
}

/// What must be known of an evidence set whenever it is relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceMark {
    /// Its id.
    pub id: Digest,
    /// Digest of the policy that it was gathered under.
    pub policy: Digest,
    /// Digest of the build that it was gathered by.
    pub build: Digest,
    /// Until when it is good: milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// Something that a step of the ladder asks for and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// What is asked for.
    pub requirement: Requirement,
    /// What is there instead.
    pub detail: String,
    /// What would help.
    pub remediation: String,
}

/// What a step of the ladder can ask for: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// The artifact stands one tier below.
    Tier,
    /// Nothing among the static checks' findings is a `reject` at the new tier.
    StaticChecks,
    /// What it sent out at tier 0 is within the new profile.
    Egress,
    /// The profile's owner wrote cases, and all of them are green.
    ContractCases,
    /// The cases that came with the artifact are green.
    ArtifactCases,
    /// There is evidence, about this artifact, under the policy and build in force, and not expired.
    Evidence,
    /// Enough reviews by principals who are not authors, and none that objects.
    Reviews,
    /// Enough clean runs at tier 1.
    CleanRuns,
}

impl Requirement {
    /// Its spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::StaticChecks => "staticChecks",
            Self::Egress => "egress",
            Self::ContractCases => "contractCases",
            Self::ArtifactCases => "artifactCases",
            Self::Evidence => "evidence",
            Self::Reviews => "reviews",
            Self::CleanRuns => "cleanRuns",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step on the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LadderStep {
    /// It entered tier 1.
    Validated,
    /// It entered tier 2.
    Promoted,
    /// It lost its tier.
    Demoted,
    /// Its evidence was gathered again, and it stays.
    Revalidated,
    /// Its evidence went stale.
    WentStale,
    /// Its evidence counts again, as policy and build are what they were.
    FreshAgain,
    /// Evidence was gathered and does not suffice. It stays where it is.
    Failed,
}

/// One step, as the log records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderEvent {
    /// The artifact.
    pub artifact: Digest,
    /// What happened.
    pub step: LadderStep,
    /// Its tier before.
    pub from: Tier,
    /// Its tier from then on.
    pub to: Tier,
    /// The profile that it entered, or was to enter; at tier 0 that of the tier.
    pub profile: String,
    /// The evidence set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// The sequence numbers of the reviews that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<u64>,
    /// How many clean runs at tier 1 were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_runs: Option<u64>,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many running runs were told to stop, when that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<u64>,
    /// What was missing, for `failed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// Who did it; `server` when it did so itself.
    pub by: Principal,
    /// The decision that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
}

impl LadderEvent {
    /// `step` of `artifact` from one tier to another, on `profile`, by `by`; resting on nothing.
    pub fn new(artifact: Digest, step: LadderStep, (from, to): (Tier, Tier), profile: &str, by: Principal) -> Self {
        Self {
            artifact,
            step,
            from,
            to,
            profile: profile.to_owned(),
            evidence: None,
            reviews: Vec::new(),
            clean_runs: None,
            reason: None,
            stopped: None,
            missing: Vec::new(),
            by,
            decision_id: None,
        }
    }
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewVerdict {
    /// It may enter the profile.
    Approve,
    /// It may not.
    Object,
}

/// A review of an artifact by a principal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// The artifact.
    pub artifact: Digest,
    /// The profile that it is to enter.
    pub profile: String,
    /// What the reviewer says.
    pub verdict: ReviewVerdict,
    /// Why.
    pub comment: String,
    /// Who.
    pub by: Principal,
    /// The decision that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
}

/// Something with its place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted<T> {
    /// What.
    #[serde(flatten)]
    pub what: T,
    /// The sequence number of its record.
    pub sequence: u64,
    /// When: milliseconds since 1970, by the server's clock.
    pub at_ms: u64,
}

impl Principal {
    /// The server itself, for what it does on its own.
    pub fn server() -> Self {
        Self { id: "server".to_owned(), name: "server".to_owned(), role: Role::Operator }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_every_requirement_is_the_one_serde_writes() {
        use Requirement::{ArtifactCases, CleanRuns, ContractCases, Egress, Evidence, Reviews, StaticChecks, Tier};
        for requirement in [Tier, StaticChecks, Egress, ContractCases, ArtifactCases, Evidence, Reviews, CleanRuns] {
            assert_eq!(serde_json::to_value(requirement).ok(), Some(requirement.as_str().into()));
        }
    }
}
