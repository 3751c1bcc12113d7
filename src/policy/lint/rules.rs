//! What rules allow beyond what their owner may have meant, and what they say about each other.

use super::hosts::is_shared;
use super::{Advice, Lint, Subject};
use crate::model::host::matches as covers;
use crate::model::{EgressRule, HostPattern, Scheme, path};

/// Methods that together leave nothing out that a server usually takes (RFC 9110 §9.3, RFC 5789).
const EVERY_METHOD: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn lint(subject: &Subject<'_>) -> Vec<Advice> {
    let rules = &subject.profile.egress.rules;
    let each = |(index, rule)| alone(subject, index, rule).into_iter().chain(beside_earlier(subject, index, rule));
    rules.iter().enumerate().flat_map(each).collect()
}

fn alone(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Vec<Advice> {
    [
        suffix(subject, index, rule),
        plain_text(subject, index, rule),
        whole_host(subject, index, rule),
        methods(subject, index, rule),
        ports(subject, index, rule),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn say(subject: &Subject<'_>, (index, key): (usize, &str), id: Lint, message: String, mend: impl Into<String>) -> Option<Advice> {
    let position = subject.places.rules.get(index).map(|rule| rule.at(key)).unwrap_or(subject.places.top.at("egress"));
    Some(subject.advise(id, position, message, mend))
}

fn suffix(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    let HostPattern::OneBelow(parent) = &rule.host else { return None };
    if !is_shared(parent) {
        return None;
    }
    let message = format!("anybody can have a name below {parent}, and {} allows them all", rule.host);
    say(
        subject,
        (index, "host"),
        Lint::SharedSuffix,
        message,
        format!("name the hosts that are meant, each with a rule, such as yours.{parent}"),
    )
}

/// Names of the secrets that are for a host of `rule`.
fn secrets_of(subject: &Subject<'_>, rule: &EgressRule) -> Vec<String> {
    let bound = |host: &String| covers(&rule.host, host);
    let secrets = subject.profile.egress.secrets.iter().filter(|secret| secret.hosts.iter().any(bound));
    secrets.map(|secret| secret.name.clone()).collect()
}

fn plain_text(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    if !rule.schemes.contains(&Scheme::Http) {
        return None;
    }
    let mend = "take \"http\" out of `schemes`, or say in `reason` why plain text is right";
    match secrets_of(subject, rule).first() {
        Some(name) => {
            let message = format!("{} gets the secret `{name}` over https, and may be reached in plain text as well", rule.host);
            say(subject, (index, "schemes"), Lint::HttpBesideSecret, message, "take \"http\" out of `schemes`")
        }
        None => {
            let message = format!("{} may be reached in plain text: who is on the way reads and changes it", rule.host);
            say(subject, (index, "schemes"), Lint::Http, message, mend)
        }
    }
}

/// A secret's own `path_prefix` bounds it as well as the rule's does.
fn whole_host(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    if rule.path_prefix != "/" {
        return None;
    }
    let anywhere = |name: &String| subject.profile.egress.secrets.iter().any(|secret| secret.name == *name && secret.path_prefix == "/");
    let name = secrets_of(subject, rule).into_iter().find(anywhere)?;
    let message = format!("the secret `{name}` may be sent to every path of {}, one that echoes it included", rule.host);
    say(
        subject,
        (index, "path_prefix"),
        Lint::WholeHostWithSecret,
        message,
        "give the rule or the secret a `path_prefix`, such as \"/v1/\"",
    )
}

fn methods(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    if !EVERY_METHOD.iter().all(|method| rule.methods.iter().any(|own| own == method)) {
        return None;
    }
    let message = format!("the rule for {} allows {}", rule.host, rule.methods.join(", "));
    say(subject, (index, "methods"), Lint::EveryMethod, message, "name the methods that the code needs, or split the rule by path")
}

fn ports(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    let usual = |port: u16| port == 443 || (port == 80 && rule.schemes.contains(&Scheme::Http));
    let port = rule.ports.iter().copied().find(|port| !usual(*port))?;
    let message = format!("port {port} of {} is not the web's: something else may listen there", rule.host);
    say(subject, (index, "ports"), Lint::UnusualPort, message, "leave `ports` out, or say in `reason` what listens there")
}

fn beside_earlier(subject: &Subject<'_>, index: usize, rule: &EgressRule) -> Option<Advice> {
    // A rule on trial decides only where no other does, wherever it stands.
    let earlier = || {
        let before = subject.profile.egress.rules.iter().take(index).enumerate();
        before.filter(|(_, other)| other.enforcement == rule.enforcement)
    };
    let line = |other: usize| subject.places.rules.get(other).map(|rule| rule.at("host").line).unwrap_or_default();
    if let Some((other, _)) = earlier().find(|(_, other)| is_wider(other, rule)) {
        let message = format!("the rule for {} never decides: that of line {} allows all of it", rule.host, line(other));
        return say(
            subject,
            (index, "host"),
            Lint::RuleShadowed,
            message,
            "remove it, or move it in front if its limits are meant to count",
        );
    }
    let (other, _) = earlier().find(|(_, other)| meet(other, rule) && !is_wider(rule, other))?;
    let message =
        format!("some requests fit the rule for {} and that of line {}, whose limits and secrets count for them", rule.host, line(other));
    say(
        subject,
        (index, "host"),
        Lint::RuleOverlap,
        message,
        "make one of them the wider one in everything, and put the narrower in front; or keep them apart",
    )
}

/// True when `wide` allows all that `narrow` does.
fn is_wider(wide: &EgressRule, narrow: &EgressRule) -> bool {
    host_covers(&wide.host, &narrow.host)
        && narrow.ports.iter().all(|port| wide.ports.contains(port))
        && narrow.schemes.iter().all(|scheme| wide.schemes.contains(scheme))
        && narrow.methods.iter().all(|method| wide.methods.contains(method))
        && path::fit(&wide.path_prefix, &narrow.path_prefix)
}

/// True when some request fits both.
fn meet(one: &EgressRule, other: &EgressRule) -> bool {
    (host_covers(&one.host, &other.host) || host_covers(&other.host, &one.host))
        && one.ports.iter().any(|port| other.ports.contains(port))
        && one.schemes.iter().any(|scheme| other.schemes.contains(scheme))
        && one.methods.iter().any(|method| other.methods.contains(method))
        && (path::fit(&one.path_prefix, &other.path_prefix) || path::fit(&other.path_prefix, &one.path_prefix))
}

fn host_covers(wide: &HostPattern, narrow: &HostPattern) -> bool {
    match narrow {
        HostPattern::Name(name) => covers(wide, name),
        HostPattern::OneBelow(_) => wide == narrow,
    }
}
