//! What every test of secrets needs: a store with values, grants, requests.

mod hop;
mod leak;
mod misuse;
mod scrub;
mod store;
mod vault;

use super::{RunSecrets, Secrets, Values};
use crate::config::SecretSource;
use crate::egress::{Carrier, Misuse, Target};
use crate::model::{EgressRule, HostPattern, SecretGrant, SecretMode};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// The value of `API_KEY`. Its characters are spelled differently by most encodings.
const KEY: &str = "k3y/+value&with=\"odd\"?~characters>>";

fn environment(name: &str) -> Option<OsString> {
    match name {
        "KEY" => Some(KEY.into()),
        "OTHER" => Some("another-value-0123".into()),
        "SHORT" => Some("1234567".into()),
        "VAULT" => Some("hvs.right".into()),
        _ => None,
    }
}

fn specs(pairs: &[(&str, SecretSource)]) -> BTreeMap<String, SecretSource> {
    pairs.iter().map(|(name, spec)| ((*name).to_owned(), spec.clone())).collect()
}

fn env(variable: &str) -> SecretSource {
    SecretSource::Env(variable.to_owned())
}

fn file(path: &Path) -> SecretSource {
    SecretSource::File(path.to_owned())
}

/// A store that has read `API_KEY` and `OTHER`; `ABSENT` has no value.
fn secrets() -> Arc<Secrets> {
    let secrets = Secrets::with(specs(&[("API_KEY", env("KEY")), ("OTHER", env("OTHER")), ("ABSENT", env("NOT_SET"))]), None, environment);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(secrets.read_all());
    secrets
}

fn grant(name: &str, mode: SecretMode) -> SecretGrant {
    SecretGrant {
        name: name.to_owned(),
        hosts: vec!["good.example".to_owned()],
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        path_prefix: "/v1".to_owned(),
        header: "authorization".to_owned(),
        format: "Bearer {}".to_owned(),
        mode,
        reason: String::new(),
    }
}

fn run(grants: &[SecretGrant], values: Values) -> Arc<RunSecrets> {
    RunSecrets::new(grants, &secrets(), values).expect("random bytes")
}

/// A run with `API_KEY` as a placeholder, and the placeholder.
fn placeholder() -> (Arc<RunSecrets>, String) {
    let run = run(&[grant("API_KEY", SecretMode::Placeholder)], Values::Real);
    let token = run.env()[0].1.clone();
    (run, token)
}

fn target(method: &str, url: &str) -> Target {
    Target::parse(method, url).unwrap_or_else(|refusal| panic!("{url}: {}", refusal.reason))
}

fn lines(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What `inspect` says to a GET of `url`.
fn inspect(run: &RunSecrets, url: &str, headers: &[(&str, &str)]) -> Result<(), Misuse> {
    run.inspect(&target("GET", url), &lines(headers)).map(drop)
}

/// The kind of a misuse, and whether it is a violation.
fn kind<T: std::fmt::Debug>(result: Result<T, Misuse>) -> (&'static str, bool) {
    let misuse = result.expect_err("a misuse");
    assert_eq!(misuse.rule, format!("secret.{}", misuse.secret));
    assert!(!misuse.message.contains("cordon_secret_") && !misuse.remediation.contains("cordon_secret_"), "{misuse:?}");
    (misuse.kind, misuse.violation)
}

fn rule(inject: Option<&[&str]>) -> EgressRule {
    EgressRule {
        inject: inject.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        reason: String::new(),
        ..EgressRule::sample(HostPattern::Name("good.example".to_owned()))
    }
}
