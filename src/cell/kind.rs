//! Whom a zygote serves.

use crate::model::{Jit, Tier};
use serde::{Deserialize, Serialize};

/// Whom a zygote serves: the runs of one tier, with a JIT or without, or intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ZygoteKind {
    /// Runs.
    Runs(Tier, Jit),
    /// Preparation of sources. Has no V8 in it.
    Intake,
}

impl ZygoteKind {
    /// Its name in logs and in what `cordon doctor` prints.
    pub fn label(self) -> &'static str {
        match self {
            Self::Runs(tier, Jit::On) => tier.label(),
            Self::Runs(Tier::Untrusted, Jit::Off) => "0 jitless",
            Self::Runs(Tier::Validated, Jit::Off) => "1 jitless",
            Self::Runs(Tier::Production, Jit::Off) => "2 jitless",
            Self::Intake => "intake",
        }
    }

    /// Whether its processes make executable memory after they are sealed.
    pub(super) fn makes_code(self) -> bool {
        match self {
            Self::Runs(_, Jit::On) => true,
            Self::Runs(_, Jit::Off) | Self::Intake => false,
        }
    }
}
