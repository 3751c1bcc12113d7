//! Findings as SARIF 2.1.0 (OASIS, 2020), as far as code scanners read it.

use crate::model::{Check, CheckReport, Finding, Severity};
use serde::Serialize;

/// A SARIF log of one run.
#[derive(Debug, Serialize)]
pub struct Sarif {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Debug, Serialize)]
struct Configuration {
    enabled: bool,
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

/// Of findings that were counted and not kept.
#[derive(Debug, Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Place; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    physical_location: Physical,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Uri,
    region: Region,
}

#[derive(Debug, Serialize)]
struct Uri {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// A kind of finding, for [`Sarif::new`].
#[derive(Debug, Clone)]
pub struct SarifRule {
    /// Its id.
    pub id: String,
    /// What it finds, in a few words.
    pub title: String,
    /// What that means.
    pub meaning: String,
    /// How it is mended.
    pub help: String,
    /// `none`, `note`, `warning` or `error`; `none` is of a rule that is off.
    pub level: &'static str,
}

/// A finding, for [`Sarif::new`].
#[derive(Debug, Clone)]
pub struct SarifResult {
    /// The id of one of the rules.
    pub rule: String,
    /// `none`, `note`, `warning` or `error`.
    pub level: &'static str,
    /// What was found, and the mend.
    pub message: String,
    /// The file's path.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SarifColumns {
    /// UTF-16 units, as in sources of a guest.
    Utf16,
    /// Characters, as in files of an operator.
    Characters,
}

impl Sarif {
    /// The log of `report`. Its rules are all checks, in the table's order, at the report's tier.
    pub fn of(report: &CheckReport) -> Self {
        let rules = Check::ALL.into_iter().map(|check| rule(check, check.severity(report.tier))).collect();
        let more = report.more.iter().map(|more| Notification {
            level: level(more.severity),
            message: text(format!("{} more findings of {} are not listed", more.count, more.id)),
        });
        Self::with(SarifColumns::Utf16, rules, report.findings.iter().map(found).collect(), more.collect())
    }

    /// A log of these results, each of one of `rules`.
    pub fn new(columns: SarifColumns, rules: Vec<SarifRule>, results: Vec<SarifResult>) -> Self {
        Self::with(columns, rules, results, Vec::new())
    }

    fn with(columns: SarifColumns, rules: Vec<SarifRule>, results: Vec<SarifResult>, more: Vec<Notification>) -> Self {
        let results = results.into_iter().map(|result| outcome(result, &rules)).collect();
        let column_kind = match columns {
            SarifColumns::Utf16 => "utf16CodeUnits",
            SarifColumns::Characters => "unicodeCodePoints",
        };
        let driver = Driver { name: "cordon", version: env!("CARGO_PKG_VERSION"), rules: rules.into_iter().map(Rule::from).collect() };
        Self {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool { driver },
                column_kind,
                invocations: [Invocation { execution_successful: true, tool_execution_notifications: more }],
                results,
            }],
        }
    }
}

impl From<SarifRule> for Rule {
    fn from(rule: SarifRule) -> Self {
        Self {
            default_configuration: Configuration { enabled: rule.level != "none", level: rule.level },
            id: rule.id,
            short_description: text(rule.title),
            full_description: text(rule.meaning),
            help: text(rule.help),
        }
    }
}

fn rule(check: Check, severity: Severity) -> SarifRule {
    SarifRule {
        id: check.as_str().to_owned(),
        title: check.title().to_owned(),
        meaning: check.meaning().to_owned(),
        help: check.remediation().to_owned(),
        level: level(severity),
    }
}

fn found(finding: &Finding) -> SarifResult {
    SarifResult {
        rule: finding.id.as_str().to_owned(),
        level: level(finding.severity),
        message: format!("{}. {}", finding.message, finding.remediation),
        file: finding.location.file.clone(),
        line: finding.location.line,
        column: finding.location.column,
    }
}

fn outcome(result: SarifResult, rules: &[SarifRule]) -> Outcome {
    let region = Region { start_line: result.line, start_column: result.column };
    let artifact_location = Uri { uri: uri(&result.file) };
    Outcome {
        rule_index: rules.iter().position(|rule| rule.id == result.rule).unwrap_or_default(),
        rule_id: result.rule,
        level: result.level,
        message: text(result.message),
        locations: [Place { physical_location: Physical { artifact_location, region } }],
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Note => "note",
        Severity::Warn => "warning",
        Severity::Reject => "error",
    }
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

/// A module's name as a relative reference (RFC 3986): what is not unreserved or a slash is escaped.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
