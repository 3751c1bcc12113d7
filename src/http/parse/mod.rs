//! Bodies as callers send them, parsed once and strictly. Every mistake names its place in the JSON and the mend.

mod artifact;
mod fields;
mod key;
mod ladder;
mod manifest;
mod run;

pub(super) use artifact::{destination, new_artifact};
pub(super) use key::new_key;
pub(super) use ladder::{demote, only_artifact, promote, review, validate};
pub(super) use run::run_request;

use crate::model::{Problem, ProblemCode};

/// A refusal of the body.
fn refuse(detail: String, remediation: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::InvalidRequest, detail, remediation)
}

/// At most `most` characters of what the caller wrote, safe to repeat.
fn brief(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
