//! What came of one test.

use crate::egress::{Leave, Refusal};
use crate::model::{Denial, GuestError, Outcome, RunReport};
use crate::policy::suite::{Asked, PolicyTest, RunExpectation};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What came of a test.
pub(super) struct Tried {
    /// How long it took.
    pub(super) took: Duration,
    /// None when all was as expected.
    pub(super) lack: Option<Lack>,
}

/// A test and what came of it.
pub(super) struct Verdict<'a> {
    pub(super) test: &'a PolicyTest,
    pub(super) tried: Tried,
}

/// What was not as expected.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lack {
    /// What is missing, in words.
    pub(super) what: String,
    /// What came instead.
    pub(super) came: Value,
    /// What was denied.
    pub(super) denials: Vec<Denial>,
    /// The guest's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<GuestError>,
    /// What would help.
    pub(super) mend: String,
}

impl Verdict<'_> {
    pub(super) fn passed(&self) -> bool {
        self.tried.lack.is_none()
    }

    /// How long it took, in milliseconds.
    pub(super) fn ms(&self) -> f64 {
        (self.tried.took.as_secs_f64() * 1e6).round() / 1e3
    }

    /// What was expected, as data.
    pub(super) fn expected(&self) -> Value {
        let decision = |allows: bool, rule: &Option<String>, code: &Option<String>| {
            let mut fields = serde_json::Map::new();
            fields.insert("decision".to_owned(), json!(if allows { "allow" } else { "deny" }));
            fields.extend(rule.iter().map(|rule| ("rule".to_owned(), json!(rule))));
            fields.extend(code.iter().map(|code| ("code".to_owned(), json!(code))));
            Value::Object(fields)
        };
        match &self.test.asked {
            Asked::Request(request) => decision(request.expect.allows, &request.expect.rule, &request.expect.code),
            Asked::Run(run) => match &run.expect {
                RunExpectation::Refused(expect) => decision(expect.allows, &expect.rule, &expect.code),
                // An expectation is strings and JSON, which always have a JSON form.
                RunExpectation::Ends(expect) => serde_json::to_value(expect).unwrap_or_default(),
            },
        }
    }
}

impl Lack {
    /// Of a run that came to an end.
    pub(super) fn of_report(what: String, report: RunReport) -> Self {
        let result: Value = serde_json::from_str(report.result.get()).unwrap_or_default();
        let came = match report.outcome {
            Outcome::Ok => json!({"outcome": report.outcome, "result": result}),
            outcome => json!({ "outcome": outcome }),
        };
        let help = report.denials.first().map(|denial| denial.remediation.clone());
        let help = help.or_else(|| report.error.as_ref().map(|error| error.remediation.clone()));
        Self { what, came, denials: report.denials, error: report.error, mend: mend(help) }
    }

    /// Of a run that was refused, or of a request; `reason` says why, `help` what would let it through.
    pub(super) fn of_decision(what: String, came: Value, denials: Vec<Denial>, help: Option<String>) -> Self {
        Self { what, came, denials, error: None, mend: mend(help) }
    }

    /// Of a request.
    pub(super) fn of_request(what: String, said: Result<Leave, Refusal>) -> Self {
        match said {
            Ok(leave) => Self::of_decision(what, json!({"decision": "allow", "rule": leave.rule}), Vec::new(), None),
            Err(refusal) => {
                let came = json!({"decision": "deny", "rule": refusal.rule, "code": refusal.code});
                Self::of_decision(what, came, vec![refusal.denial()], Some(refusal.remediation))
            }
        }
    }
}

/// A test that fails is right about the policy or about the expectation; which one, only its reader knows.
fn mend(help: Option<String>) -> String {
    match help {
        Some(help) => format!("{help}; or, if the policy is right, change what the test expects"),
        None => "change the profile, or, if it is right, what the test expects".to_owned(),
    }
}
