//! Capability profiles: what a run may do, and its budgets.

use super::{Check, ContractCase, Digest, EgressTerms, Limits, Promotion, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Trust tier of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// 0: an untrusted proposal.
    Untrusted,
    /// 1: validated automation.
    Validated,
    /// 2: production-approved.
    Production,
}

impl Tier {
    /// Every tier, lowest first.
    pub const ALL: [Self; 3] = [Self::Untrusted, Self::Validated, Self::Production];

    /// Its number: 0, 1 or 2.
    pub fn number(self) -> u8 {
        match self {
            Self::Untrusted => 0,
            Self::Validated => 1,
            Self::Production => 2,
        }
    }

    /// Its number as text, for metric labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Untrusted => "0",
            Self::Validated => "1",
            Self::Production => "2",
        }
    }
}

impl TryFrom<u8> for Tier {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL.into_iter().find(|tier| tier.number() == number).ok_or_else(|| format!("{number} is not a tier: 0, 1 or 2"))
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> Self {
        tier.number()
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// When an answer may leave relative to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// After the record is on disk (fsync): survives power loss.
    Strict,
    /// After the operating system has the record: survives the death of the server. On disk within 50 ms.
    Batched,
}

/// Whether V8 may compile to machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jit {
    /// It may: fast, and memory exists that is written and then executed.
    On,
    /// It interprets: slower, and no memory ever becomes executable.
    Off,
}

/// A capability profile, parsed and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name, also its file's name without `.toml`.
    pub name: String,
    /// The tier it belongs to.
    pub tier: Tier,
    /// One sentence for its reader.
    pub description: String,
    /// The budgets.
    pub limits: Limits,
    /// Plain variables that `env` shows.
    pub vars: BTreeMap<String, String>,
    /// What outbound requests may do.
    pub egress: Arc<EgressTerms>,
    /// When an answer may leave relative to its record.
    pub durability: Durability,
    /// Whether V8 may compile to machine code. `jitless = true` in the file is [`Jit::Off`].
    pub jit: Jit,
    /// Hardening layers without which this profile's tier does not run; names as `cordon doctor` prints them.
    pub require_hardening: Vec<String>,
    /// Severities of static checks that differ from those of the tier.
    pub checks: BTreeMap<Check, Severity>,
    /// What it asks of an artifact that is to enter it. Means nothing at tier 0.
    pub promotion: Promotion,
    /// What code that is to enter it must do: its owner's cases, all mandatory.
    pub cases: Vec<ContractCase>,
    /// Digest of the profile's source text, and of the files that it names.
    pub digest: Digest,
}
