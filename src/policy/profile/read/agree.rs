//! What rules and secrets say about each other: a secret that could never be sent, or a header that two secrets would set, is a mistake.

use super::rule::Rule;
use super::secret::Secret;
use crate::config::Reader;
use crate::model::host::matches;
use crate::model::{EgressRule, Enforcement, Scheme, SecretGrant, SecretMode};

/// Notes where the rules and secrets of a profile of mode `allowlist` do not fit.
pub(super) fn agree(reader: &Reader<'_>, rules: &[Rule], secrets: &[Secret]) {
    for rule in rules {
        injected(reader, rule, secrets);
        one_per_header(reader, rule, secrets);
    }
    for Secret { grant, hosts } in secrets {
        for host in &grant.hosts {
            let (lack, mend) = match reach(rules, grant, host) {
                Some(Enforcement::Enforce) => continue,
                Some(Enforcement::Audit) => ("only rules on trial reach", "enforce a rule"),
                None => ("no rule reaches", "add an [[egress.rule]]"),
            };
            let message = format!("the secret `{}` is for {host}, which {lack} over https with its methods and path", grant.name);
            reader.note_in(hosts, message, format!("{mend} for {host}, or take it out of `hosts`"));
        }
    }
}

/// How `host` may get the secret: by a rule that is meant, or only on trial. A rule on trial is one that the operator doubts, and may be there just
/// to see who would miss it: it lets requests through, and is no reason to give away what cannot be taken back.
fn reach(rules: &[Rule], grant: &SecretGrant, host: &str) -> Option<Enforcement> {
    let reaching = rules.iter().map(|rule| &rule.rule).filter(|rule| carries(rule, grant) && matches(&rule.host, host));
    let mut reached = None;
    for rule in reaching {
        match rule.enforcement {
            Enforcement::Enforce => return Some(Enforcement::Enforce),
            Enforcement::Audit => reached = Some(Enforcement::Audit),
        }
    }
    reached
}

/// Each name in `inject` is a secret that the rule's requests can carry.
fn injected(reader: &Reader<'_>, Rule { rule, inject }: &Rule, secrets: &[Secret]) {
    for name in rule.inject.iter().flatten() {
        let secret = secrets.iter().map(|secret| &secret.grant).find(|grant| grant.name == *name);
        let wrong = match secret {
            None => "is no [[secret]] of this profile",
            Some(SecretGrant { mode: SecretMode::Placeholder, .. }) => "is of mode `placeholder`: the code sends it, the rule does not",
            Some(grant) if !binds(rule, grant) => "is not for the rule's host over https with its methods and path",
            Some(_) => continue,
        };
        reader.note_in(
            inject,
            format!("`inject` of the rule for {} names `{name}`, which {wrong}", rule.host),
            "correct the name, or the secret",
        );
    }
}

/// No two secrets that a request under the rule would carry are for the same header.
fn one_per_header(reader: &Reader<'_>, Rule { rule, inject }: &Rule, secrets: &[Secret]) {
    let named = |grant: &SecretGrant| rule.inject.as_ref().is_none_or(|names| names.contains(&grant.name));
    let carried =
        secrets.iter().map(|secret| &secret.grant).filter(|grant| grant.mode == SecretMode::Inject && named(grant) && binds(rule, grant));
    let carried: Vec<&SecretGrant> = carried.collect();
    for (at, first) in carried.iter().enumerate() {
        for second in carried.iter().skip(at + 1).filter(|second| collide(rule, first, second)) {
            let message = format!("`{}` and `{}` would both set `{}` at {}", first.name, second.name, first.header, rule.host);
            reader.note_in(inject, message, "name one of them in the rule's `inject`, or keep their methods or paths apart");
        }
    }
}

fn collide(rule: &EgressRule, first: &SecretGrant, second: &SecretGrant) -> bool {
    let together = |host: &String| matches(&rule.host, host) && second.hosts.contains(host);
    let methods = |method: &String| takes(first, method) && takes(second, method);
    first.header == second.header
        && first.hosts.iter().any(together)
        && rule.methods.iter().any(methods)
        && paths_meet(&first.path_prefix, &second.path_prefix)
}

/// True when a request under `rule` may carry `secret`.
fn binds(rule: &EgressRule, secret: &SecretGrant) -> bool {
    carries(rule, secret) && secret.hosts.iter().any(|host| matches(&rule.host, host))
}

/// [`binds`] but for the host.
fn carries(rule: &EgressRule, secret: &SecretGrant) -> bool {
    rule.schemes.contains(&Scheme::Https)
        && rule.methods.iter().any(|method| takes(secret, method))
        && paths_meet(&rule.path_prefix, &secret.path_prefix)
}

fn takes(secret: &SecretGrant, method: &String) -> bool {
    secret.methods.is_empty() || secret.methods.contains(method)
}

/// True when some path begins with both. Looks at bytes: where one prefix does not begin with the other, no path can.
fn paths_meet(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
