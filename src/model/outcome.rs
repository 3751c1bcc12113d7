//! How a run ended: a closed list.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How a run ended. Guest misbehaviour is an outcome, never an error of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It returned a result.
    Ok,
    /// An uncaught guest error, an uncaught denial included.
    Exception,
    /// The CPU budget was used up.
    ExceededCpu,
    /// The wall budget was used up.
    ExceededWallTime,
    /// Heap or memory outside it went over the budget.
    ExceededMemory,
    /// The result was larger than allowed.
    ExceededOutput,
    /// An operator's order ended it.
    KillSwitch,
    /// The client went away.
    Canceled,
    /// Its cell died of something that is no limit.
    Crashed,
    /// The host's fault.
    InternalError,
}

/// Caused by a caller that named an outcome that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an outcome")]
pub struct OutcomeError(String);

impl Outcome {
    /// Every outcome, in the order of the contract.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Exception,
        Self::ExceededCpu,
        Self::ExceededWallTime,
        Self::ExceededMemory,
        Self::ExceededOutput,
        Self::KillSwitch,
        Self::Canceled,
        Self::Crashed,
        Self::InternalError,
    ];

    /// The contract's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Exception => "exception",
            Self::ExceededCpu => "exceededCpu",
            Self::ExceededWallTime => "exceededWallTime",
            Self::ExceededMemory => "exceededMemory",
            Self::ExceededOutput => "exceededOutput",
            Self::KillSwitch => "killSwitch",
            Self::Canceled => "canceled",
            Self::Crashed => "crashed",
            Self::InternalError => "internalError",
        }
    }

    /// True when a cell may claim this outcome for its own run; the others are the supervisor's alone.
    pub fn may_be_claimed(self) -> bool {
        match self {
            Self::Ok | Self::Exception | Self::ExceededCpu | Self::ExceededWallTime | Self::ExceededMemory | Self::ExceededOutput => true,
            Self::KillSwitch | Self::Canceled | Self::Crashed | Self::InternalError => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = OutcomeError;
    fn from_str(text: &str) -> Result<Self, OutcomeError> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| OutcomeError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_and_serde_agree_for_every_outcome() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).ok(), Some(outcome.as_str().into()));
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        assert!("fine".parse::<Outcome>().is_err());
    }

    #[test]
    fn the_readme_names_every_outcome() {
        for outcome in Outcome::ALL {
            assert!(include_str!("../../README.md").contains(&format!("`{outcome}`")), "{outcome}");
        }
    }
}
