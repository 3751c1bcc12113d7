//! What the checks say about an artifact at a tier.

use super::{Check, Severity};
use crate::model::{Location, Tier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A hit with what it means at a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which check.
    pub id: Check,
    /// How severe it is.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What would help.
    pub remediation: String,
    /// Where, in the source as sent.
    pub location: Location,
}

/// One line for a terminal or a log, as compilers write it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { file, line, column } = &self.location;
        write!(f, "{file}:{line}:{column}: {}: {} [{}] {}", self.severity, self.message, self.id, self.remediation)
    }
}

/// Findings that were counted and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct More {
    /// Of which check.
    pub id: Check,
    /// How severe they are.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// What the checks say about an artifact at a tier. Also its JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The tier that severities are of.
    pub tier: Tier,
    /// What was found and kept.
    pub findings: Vec<Finding>,
    /// What was found besides.
    pub more: Vec<More>,
}

impl CheckReport {
    /// The greatest severity of all findings, kept or counted; `Off` when there is none.
    pub fn worst(&self) -> Severity {
        let kept = self.findings.iter().map(|finding| finding.severity);
        kept.chain(self.more.iter().map(|more| more.severity)).max().unwrap_or(Severity::Off)
    }

    /// True when nothing stands against the artifact at this tier.
    pub fn passes(&self) -> bool {
        self.worst() < Severity::Reject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let location = Location { file: "main.ts".into(), line: 2, column: 7 };
        let (message, remediation) = ("`eval` turns text into code".into(), "Write it out.".into());
        let finding = Finding { id: Check::CodeEval, severity: Severity::Reject, message, remediation, location };
        assert_eq!(finding.to_string(), "main.ts:2:7: reject: `eval` turns text into code [code.eval] Write it out.");
    }

    #[test]
    fn a_finding_that_was_only_counted_decides_as_much_as_one_that_was_kept() {
        let more = vec![More { id: Check::CodeEval, severity: Severity::Reject, count: 1 }];
        let report = CheckReport { tier: Tier::Validated, findings: Vec::new(), more };
        assert!(!report.passes());
        assert!(CheckReport { more: Vec::new(), ..report }.passes());
    }
}
