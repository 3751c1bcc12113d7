//! The lints: a closed list.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may be meant.
    Warn,
    /// It opens what nobody who knew would open, or promises what cannot be kept.
    Error,
}

impl Level {
    /// Its spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A kind of slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lint {
    /// A wildcard over names that anybody can register.
    #[serde(rename = "rule.shared-suffix")]
    SharedSuffix,
    /// Plain text to a host that gets a secret.
    #[serde(rename = "rule.http-beside-secret")]
    HttpBesideSecret,
    /// Plain text.
    #[serde(rename = "rule.http")]
    Http,
    /// A secret that goes to every path of a host.
    #[serde(rename = "rule.whole-host-with-secret")]
    WholeHostWithSecret,
    /// Every method that changes something.
    #[serde(rename = "rule.every-method")]
    EveryMethod,
    /// Ports that are not the web's.
    #[serde(rename = "rule.unusual-port")]
    UnusualPort,
    /// A rule that an earlier one makes void.
    #[serde(rename = "rule.shadowed")]
    RuleShadowed,
    /// Two rules that share some requests.
    #[serde(rename = "rule.overlap")]
    RuleOverlap,
    /// A fixture that an earlier one makes void.
    #[serde(rename = "fixture.shadowed")]
    FixtureShadowed,
    /// A fixture that no test asks for.
    #[serde(rename = "fixture.untested")]
    FixtureUntested,
    /// A reason that gives none.
    #[serde(rename = "reason.placeholder")]
    ReasonPlaceholder,
    /// A profile that no test is about.
    #[serde(rename = "profile.untested")]
    ProfileUntested,
    /// Records of approved code that a loss of power may take.
    #[serde(rename = "profile.batched-at-tier-2")]
    BatchedAtTier2,
    /// A secret that can never be sent.
    #[serde(rename = "secret.unreachable")]
    SecretUnreachable,
    /// A secret without a source.
    #[serde(rename = "secret.undefined")]
    SecretUndefined,
}

impl Lint {
    /// Every lint.
    pub const ALL: [Self; 15] = [
        Self::SharedSuffix,
        Self::HttpBesideSecret,
        Self::Http,
        Self::WholeHostWithSecret,
        Self::EveryMethod,
        Self::UnusualPort,
        Self::RuleShadowed,
        Self::RuleOverlap,
        Self::FixtureShadowed,
        Self::FixtureUntested,
        Self::ReasonPlaceholder,
        Self::ProfileUntested,
        Self::BatchedAtTier2,
        Self::SecretUnreachable,
        Self::SecretUndefined,
    ];

    /// Its id.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// How bad it is.
    pub fn level(self) -> Level {
        self.row().1
    }

    /// What it finds, as a title.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// Why it matters, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SharedSuffix => "Whoever registers a name below the suffix receives what runs send, and answers them.",
            Self::HttpBesideSecret => {
                "The secret itself never goes over plain text, but what it protects does, and an answer can send code on."
            }
            Self::Http => "Whoever is on the way reads and changes requests and answers.",
            Self::WholeHostWithSecret => "Some path of most hosts shows a request's headers, changes an account or creates another key.",
            Self::EveryMethod => "A rule that allows everything says nothing about what the code needs.",
            Self::UnusualPort => "Administration, databases and debuggers listen on other ports of the same name.",
            Self::RuleShadowed => "Its limits, its methods and its reason count for nothing, though they read as if they did.",
            Self::RuleOverlap => "Which limits count for a request depends on the order of the rules.",
            Self::FixtureShadowed => "The first fixture that matches answers, so the later one is dead text.",
            Self::FixtureUntested => "A fixture whose URL is mistyped answers nothing, and nobody notices.",
            Self::ReasonPlaceholder => "Nobody can tell later whether the permission is still needed.",
            Self::ProfileUntested => "A change that widens the profile breaks no test.",
            Self::BatchedAtTier2 => "An effect may be in the world while its record is not on the disk.",
            Self::SecretUnreachable => "It reads as a permission and is none.",
            Self::SecretUndefined => "The server refuses to start with such a profile.",
        }
    }

    fn row(self) -> (&'static str, Level, &'static str) {
        match self {
            Self::SharedSuffix => ("rule.shared-suffix", Level::Error, "A rule allows names that anybody can register"),
            Self::HttpBesideSecret => ("rule.http-beside-secret", Level::Error, "A rule allows plain text to a host that gets a secret"),
            Self::Http => ("rule.http", Level::Warn, "A rule allows plain text"),
            Self::WholeHostWithSecret => ("rule.whole-host-with-secret", Level::Warn, "A secret goes to every path of a host"),
            Self::EveryMethod => ("rule.every-method", Level::Warn, "A rule allows every usual method"),
            Self::UnusualPort => ("rule.unusual-port", Level::Warn, "A rule allows ports that are not the web's"),
            Self::RuleShadowed => ("rule.shadowed", Level::Warn, "A rule never decides, because an earlier one always does"),
            Self::RuleOverlap => ("rule.overlap", Level::Warn, "Two rules share some requests, and the first decides on them"),
            Self::FixtureShadowed => ("fixture.shadowed", Level::Warn, "A fixture never answers, because an earlier one always does"),
            Self::FixtureUntested => ("fixture.untested", Level::Warn, "No test asks for a fixture"),
            Self::ReasonPlaceholder => ("reason.placeholder", Level::Warn, "A reason says nothing that could be reviewed"),
            Self::ProfileUntested => ("profile.untested", Level::Warn, "No test is about a profile"),
            Self::BatchedAtTier2 => ("profile.batched-at-tier-2", Level::Warn, "A loss of power may take records of approved code"),
            Self::SecretUnreachable => ("secret.unreachable", Level::Warn, "A secret can never be sent"),
            Self::SecretUndefined => ("secret.undefined", Level::Error, "The configuration has no source for a secret"),
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
