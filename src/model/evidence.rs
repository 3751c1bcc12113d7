//! What static checks tell about a source: findings, their closed table, and how severe each is at each tier.
//!
//! They are evidence, never the boundary. A source without a finding may do harm all the same, and what keeps harm inside is the cell, the
//! grant and the broker. Findings tell people what to look at, and are one of the things that a promotion asks for.

mod report;
mod table;

pub use report::{CheckReport, Finding, More};

use super::{Location, Tier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a finding means for the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is not told.
    Off,
    /// Worth knowing.
    Note,
    /// Worth a look.
    Warn,
    /// The artifact does not pass at this tier.
    Reject,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Note, Self::Warn, Self::Reject];

    /// Its spelling in JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A static check: a closed list. What each means is in its row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Check {
    /// Intake refuses the source.
    #[serde(rename = "source.rejected")]
    SourceRejected,
    /// An import that no module answers.
    #[serde(rename = "import.unanswered")]
    ImportUnanswered,
    /// `import()` of what only a run can know, or of what is no module.
    #[serde(rename = "import.dynamic")]
    ImportDynamic,
    /// A free name that no tier offers.
    #[serde(rename = "global.unknown")]
    GlobalUnknown,
    /// Text that is turned into code.
    #[serde(rename = "code.eval")]
    CodeEval,
    /// A built-in object or prototype is changed.
    #[serde(rename = "prototype.tampering")]
    PrototypeTampering,
    /// A very long line.
    #[serde(rename = "obfuscation.line")]
    LongLine,
    /// Escapes of characters that need none.
    #[serde(rename = "obfuscation.escapes")]
    Escapes,
    /// Long encoded data next to what decodes it.
    #[serde(rename = "obfuscation.encoded")]
    Encoded,
    /// A table of encoded strings.
    #[serde(rename = "obfuscation.table")]
    StringTable,
    /// Names as obfuscators make them.
    #[serde(rename = "obfuscation.names")]
    MangledNames,
    /// Characters that turn the direction of text.
    #[serde(rename = "text.bidi")]
    Bidi,
    /// Characters that are not seen.
    #[serde(rename = "text.invisible")]
    Invisible,
    /// A name that looks like another one.
    #[serde(rename = "text.homoglyph")]
    Homoglyph,
    /// A word of a string or comment in two scripts that look alike.
    #[serde(rename = "text.mixed-script")]
    MixedScript,
    /// A credential in a known format.
    #[serde(rename = "secret.format")]
    SecretFormat,
    /// A literal that looks like a credential.
    #[serde(rename = "secret.entropy")]
    SecretEntropy,
    /// A URL that the grant does not allow.
    #[serde(rename = "egress.url")]
    EgressUrl,
    /// A regular expression that can take exponential time.
    #[serde(rename = "regex.slow")]
    RegexSlow,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    remediation: &'static str,
    severity: [Severity; 3],
}

impl Check {
    /// Most hits of one check that are kept; the rest is counted. With it, all checks together stay below 200.
    /// INVARIANT (no hit hides another check's): the cap is each check's own, and one check has one severity per tier.
    pub const HITS_MAX: usize = 10;

    /// Its spelling.
    pub fn as_str(self) -> &'static str {
        self.row().id
    }

    /// What was found, in a few words.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What it looks for and why that matters.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What would help, where a hit has no better advice.
    pub fn remediation(self) -> &'static str {
        self.row().remediation
    }

    /// How severe it is at `tier`, unless a profile says otherwise.
    pub fn severity(self, tier: Tier) -> Severity {
        let [untrusted, validated, production] = self.row().severity;
        match tier {
            Tier::Untrusted => untrusted,
            Tier::Validated => validated,
            Tier::Production => production,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a check found something. Of no tier: how severe it is, its reader says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// Which check.
    pub check: Check,
    /// What was found.
    pub message: String,
    /// What would help.
    pub remediation: String,
    /// Where, in the source as sent.
    pub location: Location,
}

/// An absolute http, https, ws or wss URL in a literal, as far as rules look at what is not sent yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlLiteral {
    /// `http`, `https`, `ws` or `wss`.
    pub scheme: String,
    /// The host as the WHATWG parser writes it.
    pub host: String,
    /// The port, the scheme's own where the literal names none.
    pub port: u16,
    /// True when the host is an address.
    pub address: bool,
    /// Where it is first.
    pub location: Location,
}

impl UrlLiteral {
    /// Longest host that is kept, in bytes: of a name with its final dot (RFC 1035 §2.3.4).
    pub const HOST_BYTES_MAX: usize = 254;
}

/// What the checks saw in one artifact: plain data that an intake cell hands over. Every field is a claim of that cell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Hits by module, in the artifact's order, and place.
    pub hits: Vec<Hit>,
    /// The first URL of each scheme, host and port.
    pub urls: Vec<UrlLiteral>,
    /// How many hits of a check were not kept. Of `egress.url`: how many URLs.
    pub more: Vec<(Check, u64)>,
}

impl Evidence {
    /// Most URLs that are kept.
    pub const URLS_MAX: usize = 64;

    /// Longest text of a hit, in bytes: 500 characters.
    const TEXT_BYTES_MAX: usize = 2000;

    /// True when an honest cell can have said this about an artifact with modules that `has` knows. What a cell says is looked at with this
    /// before it is kept.
    pub fn is_plausible(&self, has: impl Fn(&str) -> bool) -> bool {
        let short = |text: &str| text.len() <= Self::TEXT_BYTES_MAX;
        let few = |check: &Check| self.hits.iter().filter(|hit| hit.check == *check).count() <= Check::HITS_MAX;
        let once = |check: &Check| self.more.iter().filter(|(other, _)| other == check).count() <= 1;
        let hit = |hit: &Hit| short(&hit.message) && short(&hit.remediation) && has(&hit.location.file);
        let url = |url: &UrlLiteral| url.scheme.len() <= 5 && url.host.len() <= UrlLiteral::HOST_BYTES_MAX && has(&url.location.file);
        // Lengths first: the counting below takes time by length.
        self.hits.len() <= Check::ALL.len() * Check::HITS_MAX
            && self.urls.len() <= Self::URLS_MAX
            && self.more.len() <= Check::ALL.len()
            && Check::ALL.iter().all(|check| few(check) && once(check))
            && self.hits.iter().all(hit)
            && self.urls.iter().all(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_every_check_and_severity_is_the_one_serde_writes() {
        for check in Check::ALL {
            assert_eq!(serde_json::to_value(check).ok(), Some(check.as_str().into()));
        }
        for severity in Severity::ALL {
            assert_eq!(serde_json::to_value(severity).ok(), Some(severity.as_str().into()));
        }
    }

    #[test]
    fn no_check_is_milder_at_a_higher_tier_and_every_one_has_words() {
        for check in Check::ALL {
            let severities = Tier::ALL.map(|tier| check.severity(tier));
            assert!(severities.is_sorted(), "{check}: {severities:?}");
            assert!(!check.title().is_empty() && !check.meaning().is_empty() && check.remediation().ends_with('.'), "{check}");
        }
    }

    #[test]
    fn what_is_kept_of_all_checks_together_stays_below_the_cap() {
        assert!(Check::ALL.len() * Check::HITS_MAX <= 200);
    }
}
