//! `[egress]` and `[[secret]]`.

use super::super::bounds::*;
use schemars::JsonSchema;
use std::collections::BTreeMap;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Egress {
    /// deny: nothing is sent; synthetic: fixtures answer; allowlist: rules let out, never at tier 0. deny unless given.
    mode: Option<Mode>,
    /// Who may be reached, in mode allowlist.
    #[schemars(length(max = RULES_MAX))]
    rule: Option<Vec<Rule>>,
    /// Canned answers, in mode synthetic; the first that matches answers.
    #[schemars(length(max = FIXTURES_MAX))]
    fixture: Option<Vec<Fixture>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Mode {
    Deny,
    Synthetic,
    Allowlist,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// A name in lower case, or *. and a name, for the names of one more label.
    #[schemars(length(min = 1))]
    host: String,
    /// Those of the schemes unless given.
    #[schemars(length(min = 1, max = 256), inner(range(min = 1, max = 65535)))]
    ports: Option<Vec<u16>>,
    /// https unless given.
    #[schemars(length(min = 1))]
    schemes: Option<Vec<Scheme>>,
    /// In upper case; GET and HEAD unless given.
    #[schemars(length(min = 1, max = 256))]
    methods: Option<Vec<String>>,
    /// How paths begin; without a final / it matches whole segments. / unless given.
    #[schemars(pattern("^/"))]
    path_prefix: Option<String>,
    /// Longest answer, decompressed, in bytes; 10 MiB unless given.
    #[schemars(range(min = *MAX_RESPONSE_BYTES.start(), max = *MAX_RESPONSE_BYTES.end()))]
    max_response_bytes: Option<u64>,
    /// Most requests of one run; sub_requests unless given.
    #[schemars(range(min = *MAX_REQUESTS.start(), max = *MAX_REQUESTS.end()))]
    max_requests: Option<u64>,
    /// Secrets of mode inject that its requests carry; all that fit unless given.
    #[schemars(length(max = 256))]
    inject: Option<Vec<String>>,
    /// Why it is there.
    #[schemars(length(min = 1))]
    reason: String,
    /// enforce unless given; audit, never at tier 0: what only such rules allow is let through, and recorded as what would be denied.
    enforcement: Option<Enforcement>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Enforcement {
    Enforce,
    Audit,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Scheme {
    Https,
    Http,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Fixture {
    /// In upper case, or * for every method; GET unless given.
    method: Option<String>,
    /// The URL that it answers; each * stands for any characters.
    #[schemars(pattern("^https?://"))]
    url: String,
    /// 200 unless given.
    #[schemars(range(min = *STATUS.start(), max = *STATUS.end()))]
    status: Option<u16>,
    /// By name.
    headers: Option<BTreeMap<String, String>>,
    /// At most 1 MiB; not together with file.
    body: Option<String>,
    /// A file with the body, relative to the folder of this file.
    file: Option<String>,
    /// How long the answer takes, in milliseconds.
    #[schemars(range(min = *LATENCY_MS.start(), max = *LATENCY_MS.end()))]
    latency_ms: Option<u64>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Secret {
    /// Its name in the server's [secrets], and in env.
    #[schemars(length(max = 128), pattern("^[A-Za-z_][A-Za-z0-9_]*$"))]
    name: String,
    /// Exact names of hosts that may get it, over https only.
    #[schemars(length(min = 1, max = 256))]
    hosts: Vec<String>,
    /// Methods that may carry it; all unless given.
    #[schemars(length(min = 1, max = 256))]
    methods: Option<Vec<String>>,
    /// How paths begin that may carry it; / unless given.
    #[schemars(pattern("^/"))]
    path_prefix: Option<String>,
    /// The one header that carries it; authorization unless given.
    header: Option<String>,
    /// The header's value with {} in the place of the secret; {} unless given.
    #[schemars(length(max = 256), pattern("\\{\\}"))]
    format: Option<String>,
    /// placeholder: env has a token that is replaced in the header; inject: the header is set. placeholder unless given.
    mode: Option<SecretMode>,
    /// Why the profile grants it.
    #[schemars(length(min = 1))]
    reason: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum SecretMode {
    Placeholder,
    Inject,
}
