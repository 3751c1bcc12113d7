//! Refusals: RFC 9457 problems with a closed list of codes, each with a mend.

use super::{Denial, Digest, Missing, RunId};
use serde::{Deserialize, Serialize};

/// Why a request was refused before anything ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProblemCode {
    /// 400: the request is malformed.
    InvalidRequest,
    /// 401: no key, or a wrong one.
    Unauthenticated,
    /// 403: the principal may not do this.
    PolicyDenied,
    /// 403: the request's Host or Origin is not this server's.
    ForeignOrigin,
    /// 404: no such thing, or not for this principal.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: the same Idempotency-Key came with another body, or its first run is still going on.
    IdempotencyConflict,
    /// 409: things are not as the caller expects.
    Conflict,
    /// 413: body, source, input or module count over the limit.
    TooLarge,
    /// 422: the source does not parse, or a static check refused it.
    Rejected,
    /// 423: a standing order forbids it.
    Quarantined,
    /// 429: over the principal's rate.
    RateLimited,
    /// 503: no room for another run.
    Overloaded,
    /// 503: an operator stopped this scope.
    KillSwitch,
    /// 503: the server is stopping.
    Draining,
    /// 502: the module that was to answer the request failed, or came to a limit.
    HandlerFailed,
    /// 500: the host's fault.
    InternalError,
}

impl ProblemCode {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::PolicyDenied,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::IdempotencyConflict,
        Self::Conflict,
        Self::TooLarge,
        Self::Rejected,
        Self::Quarantined,
        Self::RateLimited,
        Self::Overloaded,
        Self::KillSwitch,
        Self::Draining,
        Self::HandlerFailed,
        Self::InternalError,
    ];

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().0
    }

    /// The code's spelling in JSON and metrics.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The problem's title.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (400, "invalidRequest", "The request is malformed"),
            Self::Unauthenticated => (401, "unauthenticated", "A valid key is needed"),
            Self::PolicyDenied => (403, "policyDenied", "Policy forbids it"),
            Self::ForeignOrigin => (403, "foreignOrigin", "The request comes from a foreign origin"),
            Self::NotFound => (404, "notFound", "There is no such thing"),
            Self::MethodNotAllowed => (405, "methodNotAllowed", "The method does not exist here"),
            Self::IdempotencyConflict => (409, "idempotencyConflict", "The idempotency key is taken"),
            Self::Conflict => (409, "conflict", "Things are not as expected"),
            Self::TooLarge => (413, "tooLarge", "The request is too large"),
            Self::Rejected => (422, "rejected", "The source was rejected"),
            Self::Quarantined => (423, "quarantined", "It is quarantined"),
            Self::RateLimited => (429, "rateLimited", "Too many requests"),
            Self::Overloaded => (503, "overloaded", "There is no room for another run"),
            Self::KillSwitch => (503, "killSwitch", "An operator stopped this"),
            Self::Draining => (503, "draining", "The server is stopping"),
            Self::HandlerFailed => (502, "handlerFailed", "The handler failed"),
            Self::InternalError => (500, "internalError", "Cordon failed"),
        }
    }
}

/// A place in a source, 1-based, columns in UTF-16 units as editors count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The module's name.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A refusal, in the shape of RFC 9457 with Cordon's members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI that names the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind it is, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The closed code.
    pub code: ProblemCode,
    /// How to mend it.
    pub remediation: String,
    /// The run, when one had an id already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunId>,
    /// The decision, when policy decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision_id: Option<String>,
    /// The place in the source, for `rejected`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// What was denied, where a static check refused a capability.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub denials: Vec<Denial>,
    /// What a step of the ladder lacks: all of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<Missing>,
    /// The evidence set that was gathered for that step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Digest>,
    /// Seconds after which trying again makes sense; also the Retry-After header.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem of `code` with what happened and how to mend it.
    pub fn new(code: ProblemCode, detail: impl Into<String>, remediation: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:cordon:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            remediation: remediation.into(),
            run: None,
            decision_id: None,
            location: None,
            denials: Vec::new(),
            missing: Vec::new(),
            evidence: None,
            retry_after: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_every_code_is_the_one_serde_writes() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).ok(), Some(code.as_str().into()));
        }
    }

    #[test]
    fn the_readme_names_every_code_with_its_status() {
        let readme = include_str!("../../README.md");
        let codes = readme.split("is `application/problem+json`").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the codes");
        for code in ProblemCode::ALL {
            let after = codes.split(&format!("{} `", code.status())).nth(1).expect("its status");
            assert!(after.contains(&format!("{}`", code.as_str())), "{} {}", code.status(), code.as_str());
        }
    }
}
