//! Whom a zygote serves.

use crate::model::Tier;
use serde::{Deserialize, Serialize};

/// Whom a zygote serves: one tier, or intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ZygoteKind {
    /// Runs of one tier.
    Runs(Tier),
    /// Preparation of sources. Has no V8 in it.
    Intake,
}

impl ZygoteKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Runs(Tier::Untrusted), Self::Runs(Tier::Validated), Self::Runs(Tier::Production), Self::Intake];

    /// The value of the `tier` label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Runs(tier) => tier.label(),
            Self::Intake => "intake",
        }
    }
}
