//! The decision log's entries, in the shape of the events of OPA's decision log: <https://www.openpolicyagent.org/docs/management-decision-logs>.
//!
//! Names are OPA's, with underscores. What an entry keeps of a caller's texts is bounded: what was cut is named in `masked`, what was left out
//! in `erased`, by JSON pointers, as OPA does it.

use super::decision_cut::Cutter;
use super::instant::rfc3339_ms;
use super::{Ask, Digest, Resource, Rule, Verdict};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;
use std::str::FromStr;

/// Most bytes of JSON that an entry keeps of what a request adds to the question ([`Decided::request`]); above, it is left out.
pub const REQUEST_BYTES_MAX: usize = 16 << 10;

/// The id of a decision: a UUIDv7, so that ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DecisionId(uuid::Uuid);

/// Caused by a caller that wrote an id wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a decision: write a UUID of version 7")]
pub struct DecisionIdError;

impl DecisionId {
    /// A new id of this moment.
    pub fn now() -> Self {
        Self(uuid::Uuid::now_v7())
    }

    /// Its 16 bytes, in the order of time.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// When it was made: milliseconds since 1970, UTC, by the server's clock. The first 48 bits, by RFC 9562.
    pub fn at_ms(&self) -> u64 {
        u64::try_from(self.0.as_u128() >> 80).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl TryFrom<uuid::Uuid> for DecisionId {
    type Error = DecisionIdError;
    fn try_from(id: uuid::Uuid) -> Result<Self, DecisionIdError> {
        if id.get_version_num() == 7 { Ok(Self(id)) } else { Err(DecisionIdError) }
    }
}

impl FromStr for DecisionId {
    type Err = DecisionIdError;
    fn from_str(text: &str) -> Result<Self, DecisionIdError> {
        text.parse::<uuid::Uuid>().map_err(|_| DecisionIdError)?.try_into()
    }
}

impl<'de> Deserialize<'de> for DecisionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        uuid::Uuid::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// One decision, as the decision log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionEntry {
    /// Its id; records and refusals name it.
    pub decision_id: DecisionId,
    /// When it was made, by its id: RFC 3339 in UTC, with milliseconds.
    pub timestamp: String,
    /// What was decided: `cordon/` and the action.
    pub path: String,
    /// What was asked: `principal`, `action`, `resource`, `listener`, and `request` where there is more to say.
    pub input: Value,
    /// What was answered.
    pub result: DecisionResult,
    /// The policies that answered.
    pub bundles: Bundles,
    /// The server that answered.
    pub labels: Labels,
    /// The id of the principal that asked.
    pub requested_by: String,
    /// The trace id of W3C trace context, 32 hex digits, when the request had one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<String>,
    /// JSON pointers to what was left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub erased: Vec<String>,
    /// JSON pointers to what was cut.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub masked: Vec<String>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionResult {
    /// Whether it was allowed.
    pub allowed: bool,
    /// The rule that determined it.
    pub rule: Rule,
    /// Why, in words.
    pub reason: String,
    /// Ids of the policies that determined it.
    pub policies: Vec<String>,
    /// What went wrong while policies were evaluated.
    pub errors: Vec<String>,
}

/// The policies that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundles {
    /// The files of policies.
    pub policy: Bundle,
}

/// A set of policies in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Digest over their names and texts.
    pub revision: Digest,
}

/// What tells this server from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// What an entry is made of.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The decision's id.
    pub id: DecisionId,
    /// What was asked.
    pub ask: &'a Ask<'a>,
    /// What more there is to say of the request, as members of an object; empty when there is nothing.
    pub request: &'a Map<String, Value>,
    /// What the policies answered.
    pub verdict: &'a Verdict,
    /// The rule that determined the whole decision: of the policies, or of what was checked after them.
    pub rule: Rule,
    /// Why, in words.
    pub reason: &'a str,
    /// The digest of the policies that answered.
    pub revision: Digest,
    /// The server.
    pub labels: &'a Labels,
    /// The request's trace context, when it had one.
    pub traceparent: Option<&'a str>,
}

impl DecisionEntry {
    /// The entry of a decision, its texts bounded. Allowed when both the policies and the rule allow.
    pub fn of(decided: &Decided<'_>) -> Self {
        let Decided { id, ask, verdict, .. } = *decided;
        let mut cutter = Cutter::default();
        let (input, erased) = input(decided, &mut cutter);
        let result = DecisionResult {
            allowed: verdict.allowed && decided.rule.allows(),
            rule: decided.rule,
            reason: cutter.text(decided.reason, "/result/reason"),
            policies: cutter.texts(&verdict.policies, "/result/policies"),
            errors: cutter.texts(&verdict.errors, "/result/errors"),
        };
        let labels =
            Labels { id: cutter.text(&decided.labels.id, "/labels/id"), version: cutter.text(&decided.labels.version, "/labels/version") };
        Self {
            decision_id: id,
            timestamp: rfc3339_ms(id.at_ms()),
            path: format!("cordon/{}", ask.action),
            input,
            result,
            bundles: Bundles { policy: Bundle { revision: decided.revision } },
            labels,
            requested_by: cutter.text(&ask.principal.id, "/requested_by"),
            trace_id: decided.traceparent.and_then(trace_id),
            erased,
            masked: cutter.masked(),
        }
    }
}

/// The question as JSON, bounded, and pointers to what was left out of it.
fn input(decided: &Decided<'_>, cutter: &mut Cutter) -> (Value, Vec<String>) {
    let ask = decided.ask;
    let mut whole = Map::from_iter([
        ("principal".to_owned(), json!({ "id": ask.principal.id, "name": ask.principal.name, "role": ask.principal.role })),
        ("action".to_owned(), json!(ask.action)),
        ("resource".to_owned(), resource(&ask.resource)),
        ("listener".to_owned(), json!(ask.listener)),
    ]);
    let request_bytes = serde_json::to_vec(decided.request).map_or(usize::MAX, |json| json.len());
    let erased = match decided.request.is_empty() {
        true => Vec::new(),
        false if request_bytes > REQUEST_BYTES_MAX => vec!["/input/request".to_owned()],
        false => {
            whole.insert("request".to_owned(), Value::Object(decided.request.clone()));
            Vec::new()
        }
    };
    (cutter.value(&Value::Object(whole), "/input", 0), erased)
}

fn resource(resource: &Resource<'_>) -> Value {
    match resource {
        Resource::Profile { name, tier } => json!({ "type": "profile", "name": name, "tier": tier }),
        Resource::Run { id, owner, tier } => json!({ "type": "run", "id": id, "owner": owner, "tier": tier }),
        Resource::Artifact { id, tier, authors } => json!({ "type": "artifact", "id": id, "tier": tier, "authors": authors }),
        Resource::Server => json!({ "type": "server" }),
    }
}

/// The trace id inside a `traceparent`: its second part.
fn trace_id(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))).then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
