//! Evidence sets: what was found out about an artifact before it entered a profile.

use super::{CheckReport, Digest, EvidenceMark, Outcome, Principal, RunId, Tier};
use serde::{Deserialize, Serialize};

/// Everything that was looked at before an artifact may enter a profile. Content-addressed: its id is the digest of its stored JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSet {
    /// The artifact that it is about.
    pub artifact: Digest,
    /// The profile that it is to enter.
    pub profile: String,
    /// That profile's tier.
    pub tier: Tier,
    /// Digest of the policy that it was gathered under: that profile, and the one of tier 0.
    pub policy: Digest,
    /// Digest of the build that it was gathered by.
    pub build: Digest,
    /// When: milliseconds since 1970, by the server's clock.
    pub at_ms: u64,
    /// Until when it is good.
    pub expires_at_ms: u64,
    /// Who asked for it; `server` when it did so itself.
    pub by: Principal,
    /// What the static checks say at that tier.
    pub checks: CheckReport,
    /// What it sent out at tier 0, judged by that profile.
    pub egress: AttemptReport,
    /// What came of the contract cases.
    pub cases: Vec<CaseResult>,
}

/// What an artifact tried to send out at tier 0, and what the profile that it is to enter says to that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptReport {
    /// How many runs were looked at, those of the contract cases included.
    pub runs: u64,
    /// What was asked for, each method and place once.
    pub attempts: Vec<Attempt>,
    /// How many more there were.
    #[serde(default)]
    pub more: u64,
    /// True when there are earlier runs that were not looked at.
    #[serde(default)]
    pub partial: bool,
}

/// One kind of outbound request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The method.
    pub method: String,
    /// The URL without query, cut where it is long.
    pub url: String,
    /// Why the profile does not allow it; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// A run that asked for it.
    pub run: RunId,
}

/// Who wrote a contract case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseOwner {
    /// The profile's owner: mandatory.
    Profile,
    /// It came with the artifact: must be green too, and never suffices.
    Artifact,
}

/// What came of one contract case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Who wrote it.
    pub owner: CaseOwner,
    /// The run at tier 0; absent when it could not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// How that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What was not as expected; absent when all was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lack: Option<String>,
}

impl EvidenceSet {
    /// Its stored form, and its id: the digest of that.
    pub fn stored(&self) -> (Digest, Vec<u8>) {
        // Plain data with string keys always has a JSON form.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        (Digest::of(&bytes), bytes)
    }

    /// What must be known of it whenever it is relied on; `id` is its own.
    pub fn mark(&self, id: Digest) -> EvidenceMark {
        EvidenceMark { id, policy: self.policy, build: self.build, expires_at_ms: self.expires_at_ms }
    }
}
