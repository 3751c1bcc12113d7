//! What one run really got.

use super::{Digest, EgressGrant, Jit, Limits, Profile, Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Profile ∩ request limits ∩ tier, as plain data. The supervisor checks every request of a cell against this, as it stored it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
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
    pub egress: Arc<EgressGrant>,
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

    /// The digest of this grant.
    pub fn digest(&self) -> Digest {
        // A struct of strings, numbers and maps with string keys always has a JSON form.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
