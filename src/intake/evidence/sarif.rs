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
    id: &'static str,
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
    rule_id: &'static str,
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

impl Sarif {
    /// The log of `report`. Its rules are all checks, in the table's order, at the report's tier.
    pub fn of(report: &CheckReport) -> Self {
        let rules = Check::ALL.into_iter().map(|check| rule(check, check.severity(report.tier))).collect();
        let more = report.more.iter().map(|more| Notification {
            level: level(more.severity),
            message: text(format!("{} more findings of {} are not listed", more.count, more.id)),
        });
        Self {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool { driver: Driver { name: "cordon", version: env!("CARGO_PKG_VERSION"), rules } },
                column_kind: "utf16CodeUnits",
                invocations: [Invocation { execution_successful: true, tool_execution_notifications: more.collect() }],
                results: report.findings.iter().map(outcome).collect(),
            }],
        }
    }
}

fn rule(check: Check, severity: Severity) -> Rule {
    Rule {
        id: check.as_str(),
        short_description: text(check.title()),
        full_description: text(check.meaning()),
        help: text(check.remediation()),
        default_configuration: Configuration { enabled: severity > Severity::Off, level: level(severity) },
    }
}

fn outcome(finding: &Finding) -> Outcome {
    let region = Region { start_line: finding.location.line, start_column: finding.location.column };
    let artifact_location = Uri { uri: uri(&finding.location.file) };
    Outcome {
        rule_id: finding.id.as_str(),
        rule_index: Check::ALL.iter().position(|check| *check == finding.id).unwrap_or_default(),
        level: level(finding.severity),
        message: text(format!("{}. {}", finding.message, finding.remediation)),
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
