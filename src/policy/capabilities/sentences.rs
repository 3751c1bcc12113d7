//! What the declarations and the brief both say: limits, requests and secrets, a line each.

use super::view::{Capabilities, Egress, Rule, Secret};
use super::words::{bytes, counted, listed, quoted, visible};
use crate::model::{EgressMode, Scheme, SecretMode};

/// Most methods, ports or hosts in one line; the rest is counted.
const LISTED_MAX: usize = 8;

/// How a request that is denied, or fails, is told to the code.
pub(super) const DENIAL: &str = "A request that is not allowed rejects with an EgressDenied, a TypeError whose `rule` and `remediation` say what decided and \
                                 what to do; the caller sees it in `denials`. One that fails rejects with an error whose `code` is such as \
                                 `timeout` or `connectFailed`.";

/// The budgets of a run.
pub(super) fn limits(of: &Capabilities<'_>) -> Vec<String> {
    let limits = &of.limits;
    vec![
        format!("{} ms of CPU time (waiting costs none), {} ms from start to end", limits.cpu_ms, limits.wall_ms),
        format!("{} MiB of memory, heap and buffers together", limits.memory_mb),
        format!("a result of {} as JSON, an input of {}", bytes(limits.output_bytes), bytes(limits.input_bytes)),
        format!("{} of log, {} together", counted(limits.log_lines, "line"), bytes(limits.log_bytes)),
        format!("{} of source in {}", bytes(limits.source_bytes), counted(limits.modules, "module")),
    ]
}

/// What `fetch` may do: the rule of the mode, then at most `most` of what it lists.
pub(super) fn requests(of: &Capabilities<'_>, most: usize) -> Vec<String> {
    let Egress { mode, rules, fixtures, .. } = &of.egress;
    let most_requests = format!("at most {} of one run, each hop of a redirect counted", counted(of.limits.sub_requests, "request"));
    match mode {
        EgressMode::Deny | EgressMode::Synthetic | EgressMode::Allowlist if of.limits.sub_requests == 0 => nothing(),
        EgressMode::Deny => nothing(),
        EgressMode::Synthetic if fixtures.is_empty() => {
            vec!["Nothing leaves the machine, and no request has a canned answer: every one is denied.".to_owned()]
        }
        EgressMode::Synthetic => {
            let head = format!(
                "Nothing leaves the machine. These requests have canned answers ({most_requests}), others are denied; `*` stands for any characters:"
            );
            let lines = fixtures.iter().map(|fixture| format!("- {} {}", method_of(fixture.method), visible(fixture.url)));
            headed(head, lines, most)
        }
        EgressMode::Allowlist if rules.is_empty() => vec!["No host can be reached: every request is denied.".to_owned()],
        EgressMode::Allowlist => {
            let head = format!("These requests may be made ({most_requests}), others are denied:");
            headed(head, rules.iter().map(rule), most)
        }
    }
}

fn nothing() -> Vec<String> {
    vec!["No request can be made: every one is denied. Only `data:` and `blob:` URLs can be read.".to_owned()]
}

fn method_of(method: &str) -> String {
    if method == "*" { "any method".to_owned() } else { visible(method) }
}

/// `head`, `most` of `lines`, and how many more there are.
fn headed(head: String, lines: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let rest = lines.len().saturating_sub(most);
    let more = (rest > 0).then(|| format!("- and {rest} more"));
    std::iter::once(head).chain(lines.take(most)).chain(more).collect()
}

fn rule(rule: &Rule<'_>) -> String {
    let ports = listed(rule.ports.iter().map(u16::to_string), LISTED_MAX);
    let schemes = listed(rule.schemes.iter().map(|scheme| scheme_name(*scheme)), LISTED_MAX);
    format!(
        "- {} {}: {schemes}, port {ports}{}; answers of at most {}; {}; reason: {}",
        listed(rule.methods.iter(), LISTED_MAX),
        visible(&rule.host),
        paths(rule.path_prefix),
        bytes(rule.max_response_bytes),
        counted(rule.max_requests, "request"),
        quoted(rule.reason),
    )
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => "https",
        Scheme::Http => "http",
    }
}

/// Which paths a prefix allows, when it does not allow all.
fn paths(prefix: &str) -> String {
    match prefix {
        "/" => String::new(),
        prefix if prefix.ends_with('/') => format!(", paths that begin with {}", visible(prefix)),
        prefix => format!(", the path {} and those below it", visible(prefix)),
    }
}

/// How one secret is used.
pub(super) fn secret(secret: &Secret<'_>) -> String {
    let (name, header) = (visible(secret.name), visible(secret.header));
    let use_it = match secret.mode {
        SecretMode::Placeholder => format!("send `env.{name}` alone as the header `{header}`; the server puts the secret in its place"),
        SecretMode::Inject => format!("{name}: the server sets the header `{header}`, the code sends nothing"),
    };
    let methods = if secret.methods.is_empty() { String::new() } else { format!(" by {}", listed(secret.methods.iter(), LISTED_MAX)) };
    let hosts = listed(secret.hosts.iter(), LISTED_MAX);
    let value = if secret.has_value { "" } else { "; no value is behind it under this profile" };
    format!("{use_it}, over https to {hosts}{methods}{}{value}; reason: {}", paths(secret.path_prefix), quoted(secret.reason))
}

/// What holds for every secret that `env` shows.
pub(super) const PLACEHOLDERS: &str =
    "Code never sees the value of a secret. Its token in a URL, a body, another header or for another host is a violation.";
