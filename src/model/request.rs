//! What a caller asks for.

use super::{AliasName, Artifact, Digest, Door, LimitsRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;

/// The id of one run: a UUIDv7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub uuid::Uuid);

impl RunId {
    /// A new id, ordered by time.
    pub fn now() -> Self {
        Self(uuid::Uuid::now_v7())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What the caller says of where the code came from: a claim, recorded as such.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Origin {
    /// The agent's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The model's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The prompt's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// The prompt's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_digest: Option<Digest>,
    /// The conversation's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The workflow's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
}

/// The code of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunSource {
    /// Sources in the request.
    Inline(Artifact),
    /// An artifact that the server has seen before.
    Stored(Digest),
    /// Whatever artifact the alias leads to when the run is asked for.
    Alias(AliasName),
}

/// A run as asked for, parsed.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The listener that it came in by.
    pub door: Door,
    /// The code.
    pub source: RunSource,
    /// Any JSON, as the caller wrote it; `null` when absent.
    pub input: Box<RawValue>,
    /// Name of the export to run; `default` unless given.
    pub entrypoint: String,
    /// Name of the profile; the tier's own unless given.
    pub profile: Option<String>,
    /// Tighter budgets.
    pub limits: LimitsRequest,
    /// Where the code came from, as claimed.
    pub origin: Origin,
    /// W3C trace context, as received and checked for form.
    pub traceparent: Option<String>,
    /// True when the run serves an HTTP request: `input` is a [`ServedRequest`](super::exchange::ServedRequest).
    pub served: bool,
}
