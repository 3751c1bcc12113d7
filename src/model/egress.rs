//! What a run may send out, to whom, with which secrets: plain data of a grant. The broker decides by it; nobody else.

use super::Digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How outbound requests of a run are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressMode {
    /// Not at all.
    #[default]
    Deny,
    /// From the profile's fixtures; nothing leaves the machine.
    Synthetic,
    /// By the profile's rules; what no rule names is denied.
    Allowlist,
}

/// What a run may send out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressGrant {
    /// How requests are answered.
    pub mode: EgressMode,
    /// Who may be reached. Looked at in mode `allowlist` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<EgressRule>,
    /// Canned answers. Looked at in mode `synthetic` only; the first that matches answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixtures: Vec<EgressFixture>,
    /// Secrets that requests may carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretGrant>,
}

impl EgressGrant {
    /// Most rules of a profile: what its reader takes. Source: what an operator's generator may write for one tenant; deciding costs the same with
    /// one rule as with so many.
    pub const RULES_MAX: usize = 10_000;
}

/// A host name that rules and secrets are bound to: lower case, A-labels, no trailing dot, never an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HostPattern {
    /// This name.
    Name(String),
    /// Names of exactly one label more than this one: written `*.x`, it never matches `x` itself.
    OneBelow(String),
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::OneBelow(name) => write!(f, "*.{name}"),
        }
    }
}

/// A protocol that outbound requests may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain text. Never carries a secret.
    Http,
}

/// Whether a rule is meant, or on trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// It allows.
    #[default]
    Enforce,
    /// It lets through, and what no other rule allows is recorded as what would be denied without it. Never at tier 0.
    Audit,
}

impl Enforcement {
    /// True for the ordinary kind, which texts leave out.
    fn is_enforce(&self) -> bool {
        matches!(self, Self::Enforce)
    }
}

/// One permission to reach a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressRule {
    /// Whom.
    pub host: HostPattern,
    /// On which ports.
    pub ports: Vec<u16>,
    /// By which protocols.
    pub schemes: Vec<Scheme>,
    /// With which methods, in upper case.
    pub methods: Vec<String>,
    /// Paths begin with this; `/` allows all. A prefix that does not end in `/` matches whole segments only.
    pub path_prefix: String,
    /// Longest response body, decompressed, in bytes.
    pub max_response_bytes: u64,
    /// Most requests of one run under this rule, each hop of a redirect counted.
    pub max_requests: u64,
    /// Names of secrets of mode `inject` that requests under this rule carry; absent: all that are bound to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inject: Option<Vec<String>>,
    /// Whether it is meant, or on trial.
    #[serde(default, skip_serializing_if = "Enforcement::is_enforce")]
    pub enforcement: Enforcement,
    /// Why the rule is there.
    pub reason: String,
}

#[cfg(test)]
impl EgressRule {
    /// A rule that lets one GET reach `host` over TLS, for tests: each spoils or widens what it is about.
    pub(crate) fn sample(host: HostPattern) -> Self {
        Self {
            host,
            ports: vec![443],
            schemes: vec![Scheme::Https],
            methods: vec!["GET".to_owned()],
            path_prefix: "/".to_owned(),
            max_response_bytes: 1,
            max_requests: 1,
            inject: None,
            enforcement: Enforcement::Enforce,
            reason: "a test".to_owned(),
        }
    }
}

impl EgressRule {
    /// What ledgers and denials call it.
    pub fn name(&self) -> String {
        format!("egress.{}", self.host)
    }
}

/// A canned answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressFixture {
    /// The method that it answers, in upper case; `*` answers all.
    pub method: String,
    /// The URL that it answers, as the WHATWG parser writes it; each `*` stands for any number of characters.
    pub url: String,
    /// Status of the answer.
    pub status: u16,
    /// Its headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Digest of its body: what identifies the grant instead of the body itself.
    pub body_digest: Digest,
    /// Its body. Not part of the grant's text.
    #[serde(skip)]
    pub body: Bytes,
    /// How long the answer takes, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
}

/// How a secret gets into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretMode {
    /// The code sends nothing; the broker sets the header.
    Inject,
    /// The code has a random token in `env` and puts it into the header; the broker replaces it there.
    Placeholder,
}

/// The right to use one secret, bound to where it may go. Its value is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretGrant {
    /// Its name in the server's configuration, and in `env`.
    pub name: String,
    /// Exact hosts that may get it, over TLS only.
    pub hosts: Vec<String>,
    /// Methods that may carry it, in upper case; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Paths that may carry it begin with this, as in [`EgressRule::path_prefix`].
    pub path_prefix: String,
    /// The one header that carries it, in lower case.
    pub header: String,
    /// The header's value, with `{}` in the place of the secret.
    pub format: String,
    /// How it gets there.
    pub mode: SecretMode,
    /// Why the profile grants it.
    pub reason: String,
}
