//! What a run was and how it ended: the answer's body and what is stored.

use super::{Digest, Identity, Outcome, RunId, Tier};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// `console.debug`, `console.trace`
    Debug,
    /// `console.log`, `console.info` and kin
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, `console.assert`
    Error,
}

/// One line that the guest logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Its level.
    pub level: LogLevel,
    /// The text; what is cut says so at its end.
    pub message: String,
    /// Milliseconds after the run's start.
    pub at_ms: u64,
}

/// Something the guest tried and policy refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// What right was missing: `module`, `codegen`, `egress` …
    pub capability: String,
    /// On what.
    pub target: String,
    /// The rule that decided.
    pub rule: String,
    /// Why, in words.
    pub reason: String,
    /// What would help.
    pub remediation: String,
}

/// One outbound request, made or refused: a row of the run's ledger. Where URLs of a chain stand, each is as the WHATWG parser writes it, capped, and
/// free of secrets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressEntry {
    /// Method of the first hop.
    pub method: String,
    /// URL of the first hop.
    pub url: String,
    /// Status of the last answer; 0 when there was none.
    pub status: u16,
    /// Bytes of the request's body that left.
    pub request_bytes: u64,
    /// Bytes of the response's body that came in, decompressed.
    pub response_bytes: u64,
    /// From the request to the end of the body, or to the refusal.
    pub ms: f64,
    /// True when a fixture answered.
    pub synthetic: bool,
    /// The rule that allowed the last hop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// True when a hop was let through that only a rule on trial allows: without such rules it would have been denied.
    #[serde(skip_serializing_if = "is_false", default)]
    pub would_deny: bool,
    /// Address and port that the last hop was sent to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// Names of the secrets that it carried, over all hops; where nothing leaves, those that it asked to carry.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub secrets: Vec<String>,
    /// URLs of the hops after the first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub redirects: Vec<String>,
    /// Why there is no whole answer: the code of a denial or of a failure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Its kind, where the attempt is a violation by itself: a secret's placeholder, or a decoy, was where it has no business.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub violation: Option<String>,
}

/// Why a run did not end `ok`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestError {
    /// The outcome's spelling, or `policyDenied` for an uncaught denial.
    pub code: String,
    /// The error's name, such as `TypeError`.
    pub name: String,
    /// Its message.
    pub message: String,
    /// Its stack in terms of the sources the caller sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack: Option<String>,
    /// What would help.
    pub remediation: String,
}

/// What a run used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// CPU time of the cell from the run's start, by the kernel's account.
    pub cpu_ms: f64,
    /// From the run's start to its end.
    pub wall_ms: f64,
    /// From admission to the run's start, intake included.
    pub queue_ms: f64,
    /// From the order to a cell to the cell's first instruction of guest code, as the cell tells it.
    pub start_ms: f64,
    /// Peak of V8's heap, as the cell tells it.
    pub heap_peak_bytes: u64,
    /// Peak of buffers outside the heap, as the cell tells it.
    pub external_peak_bytes: u64,
    /// Outbound requests.
    pub sub_requests: u64,
}

/// Where the run's seal is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceRef {
    /// Sequence number of the seal in the log.
    pub sequence: u64,
    /// Leaf hash of the seal.
    pub digest: Digest,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to a run that was admitted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// The result; `null` unless the outcome is `ok`.
    pub result: Box<RawValue>,
    /// Why it did not end `ok`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<GuestError>,
    /// What it logged.
    pub logs: Vec<LogLine>,
    /// Lines that were dropped because the log budget was used up.
    pub logs_truncated: u64,
    /// What it was refused.
    pub denials: Vec<Denial>,
    /// Denials that were dropped because there were too many; absent when none was.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub denials_truncated: u64,
    /// Outbound requests.
    pub egress: Vec<EgressEntry>,
    /// Outbound requests that have no row because there were too many; absent when none was.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub egress_truncated: u64,
    /// What it used.
    pub usage: Usage,
    /// The tier it ran at.
    pub tier: Tier,
    /// The profile it ran under.
    pub profile: String,
    /// The artifact.
    pub artifact: Digest,
    /// The immutable runtime identity.
    pub identity: Identity,
    /// Where its seal is; filled when it is sealed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provenance: Option<ProvenanceRef>,
}
