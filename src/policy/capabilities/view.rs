//! The capabilities of a profile as data, for JSON.

use super::Access;
use crate::model::{
    Durability, EgressFixture, EgressMode, EgressRule, Enforcement, Limits, Outcome, Profile, Scheme, SecretGrant, SecretMode, Tier,
};
use serde::Serialize;

/// What one profile grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities<'a> {
    /// Its name, for `profile` of a run.
    pub name: &'a str,
    /// Its tier.
    pub tier: Tier,
    /// What it is for, in its owner's words.
    pub description: &'a str,
    /// False when whoever asks may only read about it.
    pub may_run: bool,
    /// The budgets; times in milliseconds, sizes in bytes unless the name says otherwise.
    pub limits: Limits,
    /// When an answer leaves relative to its record.
    pub durability: Durability,
    /// Names of variables in `env`.
    pub vars: Vec<&'a str>,
    /// Secrets that requests may carry.
    pub secrets: Vec<Secret<'a>>,
    /// What `fetch` may do.
    pub egress: Egress<'a>,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret<'a> {
    /// Its name; in mode `placeholder` also in `env`.
    pub name: &'a str,
    /// The one header that carries it, in lower case.
    pub header: &'a str,
    /// Exact hosts that may get it, over TLS only.
    pub hosts: &'a [String],
    /// Methods that may carry it; empty: all.
    pub methods: &'a [String],
    /// Paths that may carry it begin with this.
    pub path_prefix: &'a str,
    /// Whether the code sends a token or nothing.
    pub mode: SecretMode,
    /// False when no value is ever behind it: at tier 0, and where nothing leaves the machine.
    pub has_value: bool,
    /// Why it is granted, in its owner's words.
    pub reason: &'a str,
}

/// Most rules that an answer lists. An estimate: what a caller can look through.
const RULES_LISTED_MAX: usize = 256;

/// What `fetch` may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Egress<'a> {
    /// How requests are answered.
    pub mode: EgressMode,
    /// Whom requests may reach, in mode `allowlist`; absent where there are more than an answer lists.
    #[serde(skip_serializing_if = "too_many")]
    pub rules: Vec<Rule<'a>>,
    /// How many rules there are.
    pub rule_count: usize,
    /// Which requests have canned answers, in mode `synthetic`.
    pub fixtures: Vec<Fixture<'a>>,
}

fn too_many(rules: &[Rule<'_>]) -> bool {
    rules.len() > RULES_LISTED_MAX
}

/// One permission to reach a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule<'a> {
    /// The host; `*.x` is every name of one label more than `x`.
    pub host: String,
    /// On which ports.
    pub ports: &'a [u16],
    /// By which protocols.
    pub schemes: &'a [Scheme],
    /// With which methods.
    pub methods: &'a [String],
    /// Paths begin with this; without a final `/` it matches whole segments.
    pub path_prefix: &'a str,
    /// Longest response body, decompressed, in bytes.
    pub max_response_bytes: u64,
    /// Most requests of one run under this rule.
    pub max_requests: u64,
    /// Names of secrets of mode `inject` that these requests carry; absent: all that are bound to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inject: Option<&'a [String]>,
    /// `audit` where it is on trial: what only such rules allow goes through, and is recorded as what would be denied.
    #[serde(skip_serializing_if = "is_enforced")]
    pub enforcement: Enforcement,
    /// Why it is there, in its owner's words.
    pub reason: &'a str,
}

fn is_enforced(enforcement: &Enforcement) -> bool {
    *enforcement == Enforcement::Enforce
}

/// Which requests a canned answer is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fixture<'a> {
    /// The method; `*` is every one.
    pub method: &'a str,
    /// The URL; each `*` stands for any number of characters.
    pub url: &'a str,
}

/// What is the same for every profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform<'a> {
    /// The global names that code finds.
    pub globals: &'a [&'a str],
    /// What the main module may export.
    pub entrypoints: [Entrypoint; 3],
    /// How a run can end.
    pub outcomes: [Outcome; 10],
}

/// One form that the default export may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entrypoint {
    /// Its name here.
    pub form: &'static str,
    /// It, written out.
    pub example: &'static str,
    /// What is called, and what the result is.
    pub meaning: &'static str,
}

/// Every form of a default export. Source: `js/run.js` and `js/handler.js`.
pub(super) const ENTRYPOINTS: [Entrypoint; 3] = [
    Entrypoint { form: "value", example: "export default 42", meaning: "the value is the result" },
    Entrypoint {
        form: "function",
        example: "export default async (input, env, ctx) => input",
        meaning: "called with the run's input; what it returns, awaited, is the result",
    },
    Entrypoint {
        form: "object",
        example: "export default { async fetch(request, env, ctx) { return new Response(\"hello\") } }",
        meaning: "`fetch` is called with the Request that the input {method, url, headers, body} tells of; the result is {status, headers, body}",
    },
];

impl<'a> Platform<'a> {
    /// The platform of an isolate that shows `globals`.
    pub fn with(globals: &'a [&'a str]) -> Self {
        Self { globals, entrypoints: ENTRYPOINTS, outcomes: Outcome::ALL }
    }
}

impl<'a> Capabilities<'a> {
    /// What `profile` grants to who has `access` to it.
    pub fn of(profile: &'a Profile, access: Access) -> Self {
        Self {
            name: &profile.name,
            tier: profile.tier,
            description: &profile.description,
            may_run: access == Access::Run,
            limits: profile.limits,
            durability: profile.durability,
            vars: profile.vars.keys().map(String::as_str).collect(),
            secrets: profile.egress.secrets.iter().map(|grant| secret(grant, has_values(profile))).collect(),
            egress: egress(profile),
        }
    }
}

/// Whether secrets of `profile` ever have values. Held to what runs do by `run::outbound::secrets`.
pub(super) fn has_values(profile: &Profile) -> bool {
    profile.tier != Tier::Untrusted && profile.egress.mode == EgressMode::Allowlist
}

/// Rules and fixtures that the mode looks at.
fn egress(profile: &Profile) -> Egress<'_> {
    let grant = &profile.egress;
    let rules = if grant.mode == EgressMode::Allowlist { grant.rules.as_slice() } else { &[] };
    let fixtures = if grant.mode == EgressMode::Synthetic { grant.fixtures.as_slice() } else { &[] };
    Egress {
        mode: grant.mode,
        rules: rules.iter().map(rule).collect(),
        rule_count: rules.len(),
        fixtures: fixtures.iter().map(fixture).collect(),
    }
}

fn fixture(fixture: &EgressFixture) -> Fixture<'_> {
    Fixture { method: &fixture.method, url: &fixture.url }
}

fn rule(rule: &EgressRule) -> Rule<'_> {
    Rule {
        host: rule.host.to_string(),
        ports: &rule.ports,
        schemes: &rule.schemes,
        methods: &rule.methods,
        path_prefix: &rule.path_prefix,
        max_response_bytes: rule.max_response_bytes,
        max_requests: rule.max_requests,
        inject: rule.inject.as_deref(),
        enforcement: rule.enforcement,
        reason: &rule.reason,
    }
}

fn secret(grant: &SecretGrant, has_value: bool) -> Secret<'_> {
    Secret {
        name: &grant.name,
        header: &grant.header,
        hosts: &grant.hosts,
        methods: &grant.methods,
        path_prefix: &grant.path_prefix,
        mode: grant.mode,
        has_value,
        reason: &grant.reason,
    }
}
