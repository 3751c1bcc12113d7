//! Tells what came of tests: as text while they go on, or as one JSON object at the end.

use super::verdict::{Lack, Verdict};
use crate::app::failure::Failure;
use crate::app::local::print_line;
use crate::app::once::harmless;
use crate::policy::suite::Asked;
use serde_json::{Value, json};
use std::time::Duration;

/// Tells a person, or a program.
pub(super) struct Teller {
    json: bool,
}

impl Teller {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One line for a test.
    pub(super) fn hear(&self, verdict: &Verdict<'_>) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let word = if verdict.passed() { "ok    " } else { "FAILED" };
        print_line(&harmless(&format!("{word} {}: {} ({:.1} ms)", verdict.test.profile, verdict.test.name, verdict.ms())))
    }

    /// The failures and the sum.
    pub(super) fn end(&self, verdicts: &[Verdict<'_>], took: Duration) -> Result<(), Failure> {
        let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
        if self.json {
            let tests: Vec<Value> = verdicts.iter().map(row).collect();
            let sum = json!({"tests": tests, "total": verdicts.len(), "passed": verdicts.len() - failed, "failed": failed, "ms": took.as_millis()});
            return print_line(&sum.to_string());
        }
        for (verdict, lack) in verdicts.iter().filter_map(|verdict| verdict.tried.lack.as_ref().map(|lack| (verdict, lack))) {
            print_line(&harmless(&format!(
                "\n{}:{}: {}\n{}",
                verdict.test.file,
                verdict.test.position.line,
                verdict.test.name,
                story(verdict, lack)
            )))?;
        }
        let tests = if verdicts.len() == 1 { "test" } else { "tests" };
        print_line(&format!("\n{} {tests}: {} ok, {failed} failed ({:.1} s)", verdicts.len(), verdicts.len() - failed, took.as_secs_f64()))
    }
}

/// A test as JSON.
fn row(verdict: &Verdict<'_>) -> Value {
    let test = verdict.test;
    let kind = match test.asked {
        Asked::Run(_) => "run",
        Asked::Request(_) => "request",
    };
    json!({
        "name": test.name, "file": test.file, "line": test.position.line, "profile": test.profile, "kind": kind, "reason": test.reason,
        "ok": verdict.passed(), "ms": verdict.ms(), "expected": verdict.expected(), "failure": verdict.tried.lack,
    })
}

/// A failure in full, a line for each thing to know.
pub(super) fn story(verdict: &Verdict<'_>, lack: &Lack) -> String {
    let mut lines = vec![
        format!("  failed:   {}", lack.what),
        format!("  expected: {}", verdict.expected()),
        format!("  came:     {}", lack.came),
        format!("  why:      {}", verdict.test.reason),
    ];
    lines.extend(lack.error.iter().map(|error| format!("  error:    {}: {}", error.name, error.message)));
    lines.extend(lack.denials.iter().map(|no| format!("  denied:   {} {} by {}: {}", no.capability, no.target, no.rule, no.reason)));
    lines.push(format!("  mend:     {}", lack.mend));
    lines.join("\n")
}
