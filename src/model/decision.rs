//! What policy decided, and by which rule.

use super::DecisionId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The rule that determined a decision: a closed list, also the `reason` label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// Allowed: the profile grants it.
    Granted,
    /// No policy permits it to this principal, or one forbids it.
    Authorization,
    /// The artifact has not earned the profile's tier.
    Tier,
    /// The artifact earned the tier by evidence that is stale, and has no grace.
    Evidence,
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
    pub const ALL: [Self; 10] = [
        Self::Granted,
        Self::Authorization,
        Self::Tier,
        Self::Evidence,
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
            Self::Authorization => "authorization",
            Self::Tier => "tier",
            Self::Evidence => "evidence",
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
            Self::Authorization
            | Self::Tier
            | Self::Evidence
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
    pub decision_id: DecisionId,
    /// Whether it allowed.
    pub allowed: bool,
    /// The rule that determined it.
    pub rule: Rule,
    /// Why, in words.
    pub reason: String,
    /// Ids of the policies that determined it, where policies did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// What went wrong when policies were evaluated: any error denies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl Decision {
    /// A decision by `rule`, with a new id.
    pub fn by(rule: Rule, reason: impl Into<String>) -> Self {
        Self {
            decision_id: DecisionId::now(),
            allowed: rule.allows(),
            rule,
            reason: reason.into(),
            policies: Vec::new(),
            errors: Vec::new(),
        }
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
