//! What policy decided, and by which rule.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The rule that determined a decision: a closed list, also the `reason` label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// Allowed: the profile grants it.
    Granted,
    /// The principal's role may not submit runs.
    Role,
    /// There is no profile of that name.
    UnknownProfile,
    /// A hardening layer that the profile requires is not in force.
    Hardening,
    /// A limit was asked for that no run can start with.
    LimitTooSmall,
    /// The sources are larger than the profile allows.
    SourceBytes,
    /// There are more modules than the profile allows.
    Modules,
    /// The input is larger than the profile allows.
    InputBytes,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 8] = [
        Self::Granted,
        Self::Role,
        Self::UnknownProfile,
        Self::Hardening,
        Self::LimitTooSmall,
        Self::SourceBytes,
        Self::Modules,
        Self::InputBytes,
    ];

    /// Its spelling in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Role => "role",
            Self::UnknownProfile => "unknownProfile",
            Self::Hardening => "hardening",
            Self::LimitTooSmall => "limitTooSmall",
            Self::SourceBytes => "sourceBytes",
            Self::Modules => "modules",
            Self::InputBytes => "inputBytes",
        }
    }

    /// True for the rule that allows.
    pub fn allows(self) -> bool {
        match self {
            Self::Granted => true,
            Self::Role
            | Self::UnknownProfile
            | Self::Hardening
            | Self::LimitTooSmall
            | Self::SourceBytes
            | Self::Modules
            | Self::InputBytes => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One decision of policy, as the record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Its id, a UUIDv7; a refusal names it.
    pub decision_id: String,
    /// Whether it allowed.
    pub allowed: bool,
    /// The rule that determined it.
    pub rule: Rule,
    /// Why, in words.
    pub reason: String,
}

impl Decision {
    /// A decision by `rule`, with a new id.
    pub fn by(rule: Rule, reason: impl Into<String>) -> Self {
        Self { decision_id: uuid::Uuid::now_v7().to_string(), allowed: rule.allows(), rule, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_every_rule_is_the_one_serde_writes() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).ok(), Some(rule.as_str().into()));
        }
    }
}
