//! Tests of drafts of rules.

use crate::egress::decide::decide;
use crate::egress::{Target, learn};
use crate::model::{EgressEntry, EgressGrant, EgressMode, EgressRule, EgressTerms, Enforcement, HostPattern, Scheme};
use proptest::prelude::*;

fn row(method: &str, url: &str, error: &str) -> EgressEntry {
    EgressEntry { method: method.to_owned(), url: url.to_owned(), error: Some(error.to_owned()), ..EgressEntry::default() }
}

/// The rules in `text`, with the keys and words that the profile's reader takes.
fn rules(text: &str) -> Vec<EgressRule> {
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
    let Some(egress) = table.get("egress") else { return Vec::new() };
    assert_eq!((table.len(), egress.as_table().expect("a table").len()), (1, 1), "{text}");
    egress["rule"].as_array().expect("rules").iter().map(|rule| read(rule.as_table().expect("a rule"))).collect()
}

fn read(rule: &toml::Table) -> EgressRule {
    let texts = |key: &str| rule[key].as_array().expect(key).iter().map(|text| text.as_str().expect(key).to_owned()).collect::<Vec<_>>();
    assert_eq!(rule.keys().collect::<Vec<_>>(), ["host", "methods", "path_prefix", "ports", "reason", "schemes"]);
    assert_eq!(rule["reason"].as_str(), Some(""));
    let schemes = texts("schemes");
    EgressRule {
        host: HostPattern::Name(rule["host"].as_str().expect("a host").to_owned()),
        ports: rule["ports"].as_array().expect("ports").iter().map(|port| port.as_integer().expect("a port") as u16).collect(),
        schemes: schemes.iter().map(|scheme| if scheme == "https" { Scheme::Https } else { Scheme::Http }).collect(),
        methods: texts("methods"),
        path_prefix: rule["path_prefix"].as_str().expect("a prefix").to_owned(),
        max_response_bytes: 1,
        max_requests: 1,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: String::new(),
    }
}

#[test]
fn attempts_become_one_rule_per_host_with_all_that_they_need() {
    let text = learn(&[
        row("GET", "https://api.example/v1/orders/1", "noFixture"),
        row("POST", "https://api.example/v1/orders", "noFixture"),
        row("GET", "http://api.example:8080/v1/items?a=b", "egressDenied"),
        EgressEntry { synthetic: true, error: None, ..row("GET", "https://files.example/", "") },
        row("GET", "https://timeout.example/", "timeout"),
        EgressEntry { error: None, ..row("GET", "https://fine.example/", "") },
        EgressEntry { redirects: vec!["https://next.example/b".to_owned()], ..row("GET", "https://first.example/", "egressDenied") },
    ]);
    let found = rules(&text);
    let hosts: Vec<String> = found.iter().map(|rule| rule.host.to_string()).collect();
    assert_eq!(hosts, ["api.example", "files.example", "next.example"]);
    let api = &found[0];
    assert_eq!((api.path_prefix.as_str(), api.ports.as_slice()), ("/v1", [443, 8080].as_slice()));
    assert_eq!(
        (api.schemes.as_slice(), api.methods.as_slice()),
        ([Scheme::Https, Scheme::Http].as_slice(), ["GET", "POST"].map(str::to_owned).as_slice())
    );
    assert_eq!((found[1].path_prefix.as_str(), found[2].path_prefix.as_str()), ("/", "/b"));
    assert!(text.contains("asked for 3 times"), "{text}");
}

#[test]
fn prefixes_end_at_segments_and_tricky_or_cut_paths_make_them_shorter() {
    let prefix = |urls: &[&str]| {
        let rows: Vec<_> = urls.iter().map(|url| row("GET", &format!("https://api.example{url}"), "noFixture")).collect();
        rules(&learn(&rows))[0].path_prefix.clone()
    };
    assert_eq!(prefix(&["/v1/a", "/v1/ab"]), "/v1");
    assert_eq!(prefix(&["/v1", "/v10"]), "/");
    assert_eq!(prefix(&["/v1/", "/v1/"]), "/v1/");
    assert_eq!(prefix(&["/v1/", "/v1/a"]), "/v1");
    assert_eq!(prefix(&["/v1", "/v1/a"]), "/v1");
    assert_eq!(prefix(&["/v1/a%2fb"]), "/");
    assert_eq!(prefix(&["/v1/abc…"]), "/v1");
    assert_eq!(prefix(&["/v1/abc?d…"]), "/v1/abc");
}

#[test]
fn what_no_rule_can_allow_is_listed_with_the_reason_and_allowed_nowhere() {
    let text = learn(&[
        row("GET", "http://127.1/", "egressDenied"),
        row("GET", "https://[::1]/", "noFixture"),
        row("GET", "https://a:b@api.example/", "badTarget"),
        row("CONNECT", "https://api.example/", "methodDenied"),
        row("patch", "https://api.example/", "methodDenied"),
        row("GET", "https://a!b.example/", "noFixture"),
        row("GET", "not a url\nhost = \"evil.example\"", "badTarget"),
    ]);
    assert!(rules(&text).is_empty(), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("# ") && line.contains(": ")).count(), 7, "{text}");
    assert!(text.contains("by name, never by address"), "{text}");
}

#[test]
fn a_run_that_asked_for_nothing_needs_nothing() {
    assert!(learn(&[]).starts_with("# ") && rules(&learn(&[])).is_empty());
}

#[test]
fn a_draft_has_no_more_rules_than_somebody_may_give_a_reason_for() {
    let rows: Vec<_> = (0..300).map(|host| row("GET", &format!("https://h{host}.example/"), "noFixture")).collect();
    let text = learn(&rows);
    assert_eq!(rules(&text).len(), 256);
    assert!(text.contains("44 more hosts"), "{text}");
}

proptest! {
    #[test]
    fn whatever_was_asked_for_the_draft_is_toml_and_allows_what_it_lists(
        method in "[A-Z]{1,4}|get|.{0,6}",
        paths in proptest::collection::vec("(/[a-z.%2fe\"'\\\\;…]{0,4}){0,4}|.{0,12}", 1..4),
        host in "[a-z]{1,3}\\.example|127\\.1|.{0,8}",
    ) {
        let rows: Vec<_> = paths.iter().map(|path| row(&method, &format!("https://{host}/{path}"), "noFixture")).collect();
        let grant =
            EgressTerms::new(EgressGrant { mode: EgressMode::Allowlist, rules: rules(&learn(&rows)), ..EgressGrant::default() });
        for row in rows.iter().filter(|row| !row.url.ends_with('…')) {
            let Ok(target) = Target::parse(&row.method, &row.url) else { continue };
            let listed = grant.rules.iter().any(|rule| rule.host.to_string() == target.host && rule.methods.contains(&target.method));
            prop_assert_eq!(decide(&grant, &target).is_ok(), listed, "{}", row.url);
        }
    }
}
