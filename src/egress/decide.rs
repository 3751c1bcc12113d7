//! Whether a grant's rules allow a target. The first rule that fits wholly decides, one that is meant before one on trial; where none does, the
//! refusal names the nearest one and what it lacks. Looks only at rules that name the host, however many others there are.

use super::refusal::{DEFAULT_DENY, Refusal, word};
use super::target::Target;
use super::wish;
use crate::model::{EgressMode, EgressRule, EgressTerms, Enforcement, HostPattern, host, path};

/// Leave to send a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit<'g> {
    /// The rule that allows it.
    pub(crate) rule: &'g EgressRule,
    /// Its place in the grant: what requests under a rule are counted by, as two rules may be for one host.
    pub(crate) index: usize,
}

/// Decides on `target`. Looks at rules in mode `allowlist` only. The guest causes refusals.
pub(crate) fn decide<'g>(grant: &'g EgressTerms, target: &Target) -> Result<Permit<'g>, Refusal> {
    match grant.mode {
        EgressMode::Deny => return Err(closed(target, "and the profile lets nothing out")),
        EgressMode::Synthetic => return Err(closed(target, "and the profile answers from fixtures and lets nothing out")),
        EgressMode::Allowlist => {}
    }
    let (mut on_trial, mut nearest): (Option<Permit<'_>>, Option<(&EgressRule, Lack)>) = (None, None);
    for (index, rule) in grant.naming(&target.host) {
        match lack(rule, target) {
            None if rule.enforcement == Enforcement::Enforce => return Ok(Permit { rule, index }),
            None => _ = on_trial.get_or_insert(Permit { rule, index }),
            Some(lack) if nearest.is_none_or(|(_, least)| lack > least) => nearest = Some((rule, lack)),
            Some(_) => {}
        }
    }
    match (on_trial, nearest) {
        (Some(permit), _) => Ok(permit),
        (None, Some((rule, lack))) => Err(lacking(rule, lack, target)),
        (None, None) => Err(unnamed(grant, target)),
    }
}

/// What a rule that names the host lacks: the first in the order in which they are looked at, so that a greater one is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Scheme,
    Port,
    Method,
    Path,
}

fn lack(rule: &EgressRule, target: &Target) -> Option<Lack> {
    if !rule.schemes.contains(&target.scheme) {
        Some(Lack::Scheme)
    } else if !rule.ports.contains(&target.port) {
        Some(Lack::Port)
    } else if !rule.methods.contains(&target.method) {
        Some(Lack::Method)
    } else if !path::fit(&rule.path_prefix, target.path()) {
        Some(Lack::Path)
    } else {
        None
    }
}

/// The refusal where a rule names the host and no rule fits.
fn lacking(rule: &EgressRule, lack: Lack, target: &Target) -> Refusal {
    let name = rule.name();
    let refuse = |code, reason: String, mend: String| Refusal::new(code, name.as_str(), target.url.as_str(), reason, mend);
    let wider =
        |key: &str, values: String| format!("ask the operator to widen the rule for {} in the profile: {key} = {values}", rule.host);
    match lack {
        Lack::Scheme => refuse(
            "schemeDenied",
            format!("{} was asked for over {}, and `{name}` does not allow that scheme", target.host, wish::scheme(target.scheme)),
            wider("schemes", wish::schemes(rule.schemes.iter().copied().chain([target.scheme]))),
        ),
        Lack::Port => refuse(
            "portDenied",
            format!("port {} of {} was asked for, and `{name}` does not allow that port", target.port, target.host),
            wider("ports", wish::ports(rule.ports.iter().copied().chain([target.port]))),
        ),
        Lack::Method => refuse(
            "methodDenied",
            format!("the method `{}` was asked for at {}, and `{name}` does not allow it", word(&target.method), target.host),
            method_mend(target, || wider("methods", wish::texts(rule.methods.iter().map(String::as_str).chain([target.method.as_str()])))),
        ),
        Lack::Path => refuse("pathDenied", path_reason(rule, &name, target), path_mend(target)),
    }
}

fn method_mend(target: &Target, wider: impl FnOnce() -> String) -> String {
    if wish::is_method(&target.method) { wider() } else { "write the method in upper-case letters: rules name no others".to_owned() }
}

fn path_reason(rule: &EgressRule, name: &str, target: &Target) -> String {
    let (path, prefix) = (word(target.path()), &rule.path_prefix);
    if path::is_plain(target.path()) {
        return format!("the path `{path}` was asked for at {}, and `{name}` allows paths below `{prefix}` only", target.host);
    }
    format!(
        "the path `{path}` hides a slash, a dot or an empty segment or cannot be decoded, and so it counts as outside of `{prefix}`, to which `{name}` is bound"
    )
}

fn path_mend(target: &Target) -> String {
    if path::is_plain(target.path()) {
        return format!("ask the operator to add to the profile: {}", wish::rule(target));
    }
    "write the path without encoded `/`, `\\` or `.`, without `//` and without `;` in front of a name".to_owned()
}

/// The refusal where no rule names the host.
fn unnamed(grant: &EgressTerms, target: &Target) -> Refusal {
    let host = word(&target.host);
    let asked = |why: String, mend: String| Refusal::new("egressDenied", DEFAULT_DENY, target.url.as_str(), why, mend);
    if target.address().is_some() {
        return asked(
            format!("{host} is an address, and rules allow hosts by name only"),
            "use the server's name, and ask the operator for a rule for that".to_owned(),
        );
    }
    if !host::is_name(&target.host) {
        return asked(
            format!("`{host}` is no name that DNS carries, so that no rule can allow it"),
            "correct the host in the URL".to_owned(),
        );
    }
    let near = grant.near(&target.host).and_then(|rule| near_miss(&rule.host, &target.host));
    let why = near.unwrap_or_else(|| "and no rule of the profile names it".to_owned());
    asked(format!("{host} was asked for, {why}"), format!("ask the operator to add to the profile: {}", wish::rule(target)))
}

/// Why a rule that looks as if it allowed `host` does not.
fn near_miss(pattern: &HostPattern, host: &str) -> Option<String> {
    match pattern {
        HostPattern::OneBelow(parent) if parent == host => Some(format!("and the rule for {pattern} does not allow {parent} itself")),
        HostPattern::OneBelow(parent) => {
            host::below(parent, host).map(|_| format!("and the rule for {pattern} allows names of one label more only"))
        }
        HostPattern::Name(name) => host::below(name, host).map(|_| format!("and the rule for {name} allows no names below it")),
    }
}

/// The refusal of a profile that lets nothing out.
fn closed(target: &Target, why: &str) -> Refusal {
    let mend = if target.address().is_none() && host::is_name(&target.host) {
        format!("send what the code needs as `input`, or ask the operator for a profile of mode \"allowlist\" with {}", wish::rule(target))
    } else {
        "send what the code needs as `input`".to_owned()
    };
    let reason = format!("{} was asked for, {why}", word(&target.host));
    Refusal::new("egressDenied", DEFAULT_DENY, target.url.as_str(), reason, mend)
}
