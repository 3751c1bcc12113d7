//! What one run really got.

use super::{Digest, EgressRecord, EgressTerms, Jit, Limits, Profile, Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Profile ∩ request limits ∩ tier, as plain data. The supervisor checks every request of a cell against this, as it stored it. `E` is what
/// outbound requests may do: the terms themselves, or how a record tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant<E = Arc<EgressTerms>> {
    /// The profile's name.
    pub profile: String,
    /// The profile's digest.
    pub profile_digest: Digest,
    /// The tier.
    pub tier: Tier,
    /// The budgets.
    pub limits: Limits,
    /// Plain variables.
    pub vars: BTreeMap<String, String>,
    /// What outbound requests may do.
    pub egress: E,
    /// Whether V8 may compile to machine code.
    pub jit: Jit,
}

impl Grant {
    /// The grant of a run under `profile` with `limits`, which the caller has tightened already.
    pub fn new(profile: &Profile, limits: Limits) -> Self {
        Self {
            profile: profile.name.clone(),
            profile_digest: profile.digest,
            tier: profile.tier,
            limits,
            vars: profile.vars.clone(),
            egress: Arc::clone(&profile.egress),
            jit: profile.jit,
        }
    }

    /// The grant as records tell it.
    pub fn recorded(&self) -> RecordedGrant {
        Grant {
            profile: self.profile.clone(),
            profile_digest: self.profile_digest,
            tier: self.tier,
            limits: self.limits,
            vars: self.vars.clone(),
            egress: self.egress.record().clone(),
            jit: self.jit,
        }
    }
}

/// A grant as records tell it: short, whatever the number of its rules.
pub type RecordedGrant = Grant<EgressRecord>;

impl RecordedGrant {
    /// The digest of this grant: of its text as records have it, so that whoever has the record can compute it.
    pub fn digest(&self) -> Digest {
        // A struct of strings, numbers and maps with string keys always has a JSON form.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
