//! By what right a run has its tier.

use super::{CaseOwner, Digest};
use serde::{Deserialize, Serialize};

/// By what right a run has its tier: part of its intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Right {
    /// It has the lowest tier, which needs none.
    Untrusted,
    /// Its artifact earned it.
    Earned {
        /// The evidence set that the artifact stands on.
        evidence: Digest,
    },
    /// Its artifact earned it, by evidence that is stale and has grace.
    Grace {
        /// That evidence set.
        evidence: Digest,
        /// Until when such runs go on: milliseconds since 1970.
        until_ms: u64,
    },
    /// Its artifact did not earn it: somebody who may do so let it run all the same, and answers for it.
    Trial,
    /// It is a contract case: at tier 0, with synthetic data.
    Contract {
        /// The case's name.
        case: String,
        /// Who wrote it.
        owner: CaseOwner,
        /// The profile that the artifact is to enter.
        profile: String,
    },
}
