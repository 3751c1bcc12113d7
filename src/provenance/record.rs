//! The records of the log.
//!
//! A record is stored as JSON: `v`, `sequence`, `atMs`, `kind` and the fields of its kind. The stored bytes are what is hashed; nothing is
//! ever serialised again to check a hash.

use crate::model::{
    AliasMove, Denial, Digest, EgressEntry, Identity, LadderEvent, Origin, Outcome, Principal, Problem, ProblemCode, RecordedGrant, Review,
    Right, Role, RunId, RunReport, Submission, Tier, Usage,
};
use serde::{Deserialize, Serialize};

/// The version of the records' form.
pub const RECORD_VERSION: u32 = 1;

/// A record as it is read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// [`RECORD_VERSION`].
    pub v: u32,
    /// Its place in the log, from 0.
    pub sequence: u64,
    /// When it was made: milliseconds since 1970, UTC, by the server's clock. The order of records is their sequence, not this.
    pub at_ms: u64,
    /// What it records.
    #[serde(flatten)]
    pub record: Record,
}

/// What a record records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Record {
    /// A run is about to start.
    Intent(Box<Intent>),
    /// A run has ended.
    Seal(Seal),
    /// Something was refused before it ran.
    Refusal(Refusal),
    /// The server started, stopped, or sealed what an earlier one left.
    Server(ServerEvent),
    /// An API key changed.
    Key(KeyEvent),
    /// An artifact was sent in without a run, or sent again with something else said of it.
    Artifact(Box<Submission>),
    /// An alias was moved.
    Alias(AliasMove),
    /// An artifact took a step on the ladder, or did not make it.
    Ladder(Box<LadderEvent>),
    /// An artifact was reviewed.
    Review(Review),
    /// A policy came into force, or was refused.
    Policy(PolicyEvent),
}

/// What happened to the policy in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyEvent {
    /// What happened.
    pub event: PolicyEventKind,
    /// The revision in force from then on: a digest over all its files.
    pub revision: Digest,
    /// The one before; absent at the server's start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Digest>,
    /// What is wrong with the files, for `refused`: each mistake with its place.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mistakes: Vec<String>,
    /// Who asked for it; `server` at its start.
    pub by: String,
}

/// What happened to the policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyEventKind {
    /// The server started with it.
    Loaded,
    /// It took the place of another one.
    Replaced,
    /// It has mistakes, and the one before stays.
    Refused,
}

/// What is about to run, for whom and under what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// The run.
    pub run: RunId,
    /// Who asked.
    pub principal: Principal,
    /// What runs.
    pub artifact: Digest,
    /// What the run may do, with the profile's name and digest and the tier. What it may send out is told by digest where it is long:
    /// [`egress_of`](super::egress_of) finds it.
    pub grant: RecordedGrant,
    /// The immutable runtime identity.
    pub identity: Identity,
    /// By what right it has its tier; absent in records of builds that knew no ladder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub right: Option<Right>,
    /// The export that runs.
    pub entrypoint: String,
    /// Digest of the input's JSON text, as received.
    pub input_digest: Digest,
    /// Where the code came from, as claimed.
    pub origin: Origin,
    /// The policy decision that allowed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision_id: Option<String>,
    /// W3C trace context, as received.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
}

/// How a run ended. The whole report is stored beside the log and bound to it by `reportDigest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// The run.
    pub run: RunId,
    /// The sequence of its intent.
    pub intent_sequence: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why a seal was made by someone else than the run: `recovered`, `abandoned`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
    /// The error's code and name, when it did not end `ok`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<SealError>,
    /// What it used.
    pub usage: Usage,
    /// Digest of the report's JSON text as stored, without its `provenance`.
    pub report_digest: Digest,
    /// Digest of the result's JSON text.
    pub result_digest: Digest,
    /// Digest of the log lines' JSON text.
    pub logs_digest: Digest,
    /// The first denials, as many as fit; all are in the report.
    pub denials: Vec<Denial>,
    /// How many denials there were.
    pub denials_total: u64,
    /// The first outbound requests, as many as fit; all are in the report.
    pub egress: Vec<EgressEntry>,
    /// How many outbound requests there were.
    pub egress_total: u64,
}

/// The part of an error that a seal keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealError {
    /// Its code.
    pub code: String,
    /// Its name, cut after [`NAME_CHARS_MAX`] characters.
    pub name: String,
}

/// Characters of an error's name that a seal keeps: the guest chooses the name.
pub const NAME_CHARS_MAX: usize = 120;
/// Bytes of JSON that a seal keeps of denials, and again of outbound requests.
const LIST_BYTES_MAX: usize = 64 << 10;

impl Seal {
    /// The seal of `report`, whose JSON text is `report_json`.
    pub(super) fn of(report: &RunReport, report_json: &[u8], intent_sequence: u64, cause: Option<&str>) -> Self {
        Self {
            run: report.run,
            intent_sequence,
            outcome: report.outcome,
            cause: cause.map(str::to_owned),
            error: report.error.as_ref().map(|error| SealError { code: clip(&error.code), name: clip(&error.name) }),
            usage: report.usage,
            report_digest: Digest::of(report_json),
            result_digest: Digest::of(report.result.get().as_bytes()),
            logs_digest: Digest::of(&serde_json::to_vec(&report.logs).unwrap_or_default()),
            denials: fitting(&report.denials),
            denials_total: report.denials.len() as u64,
            egress: fitting(&report.egress),
            egress_total: report.egress.len() as u64,
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).collect()
}

/// The first items whose JSON texts fit in [`LIST_BYTES_MAX`] together.
fn fitting<T: Serialize + Clone>(items: &[T]) -> Vec<T> {
    let mut bytes = 0;
    let fits = |item: &&T| {
        bytes += serde_json::to_vec(item).map_or(usize::MAX / 2, |json| json.len());
        bytes <= LIST_BYTES_MAX
    };
    items.iter().take_while(fits).cloned().collect()
}

/// What was refused before anything ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Why.
    pub code: ProblemCode,
    /// In words, cut after 1000 characters.
    pub detail: String,
    /// Who asked, when that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub principal: Option<Principal>,
    /// What was to run, when that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact: Option<Digest>,
    /// The run, when it had an id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunId>,
    /// The tier it was to run at, when that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<Tier>,
    /// The policy decision, when policy decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision_id: Option<String>,
    /// Refusals before this one that were counted and not recorded, because nobody answers for them and they came too fast.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unrecorded: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Characters of a refusal's detail that the record keeps: part of it is the caller's text.
const DETAIL_CHARS_MAX: usize = 1000;

impl Refusal {
    /// The refusal that `problem` told the caller.
    pub fn of(problem: &Problem, principal: Option<&Principal>, artifact: Option<Digest>) -> Self {
        Self {
            code: problem.code,
            detail: problem.detail.chars().take(DETAIL_CHARS_MAX).collect(),
            principal: principal.cloned(),
            artifact,
            run: problem.run,
            tier: None,
            decision_id: problem.decision_id.clone(),
            unrecorded: 0,
        }
    }
}

/// What the server did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerEvent {
    /// What happened.
    pub event: ServerEventKind,
    /// Digest of the build's identity, when it is known by then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub build: Option<Digest>,
    /// Runs that recovery sealed, for `recovered`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub runs: Option<u64>,
}

/// What the server did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServerEventKind {
    /// It takes requests.
    Started,
    /// It stopped in order.
    Stopped,
    /// It sealed runs that an earlier server left open.
    Recovered,
}

/// What happened to an API key. The key itself is never recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyEvent {
    /// What happened.
    pub event: KeyEventKind,
    /// The key's id.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Who did it: a principal's id, or `cli`.
    pub by: String,
}

/// What happened to an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyEventKind {
    /// It was made.
    Created,
    /// Its secret was replaced.
    Rotated,
    /// It is void.
    Revoked,
}
