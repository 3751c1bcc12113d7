use super::*;
use crate::policy::suite::Asked;
use std::collections::BTreeSet;

const LIMITS: &str = "[limits]\ncpu_ms = 100\nwall_ms = 1000\nmemory_mb = 32\nsub_requests = 5\n";
const REASON: &str = "reason = \"orders API, ticket 4711\"\n";
const TESTS: &str = "[[test]]\nname = \"t\"\nreason = \"orders API, ticket 4711\"\nprofile = \"p\"\ncode = \"1\"\nexpect = {}\n";

/// What is found in a folder with a profile `p` of this `head` and `tail`, and with `tests`; `untrusted` is tested too.
fn found(head: &str, tail: &str, tests: &str) -> Vec<Advice> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("tests")).expect("made");
    write("untrusted.toml", include_str!("../../../policies/untrusted.toml"));
    write("p.toml", &format!("name = \"p\"\ndescription = \"d\"\n{head}{LIMITS}{tail}"));
    write("tests/u.toml", &TESTS.replace("\"p\"", "\"untrusted\""));
    write("tests/p.toml", tests);
    let profiles = Profiles::load(Some(folder.path())).expect("profiles");
    let suite = Suite::load(Some(folder.path()), Some(&profiles)).expect("tests");
    // As the egress broker has it, for the one fixture URL of these tests.
    let answers = |profile: &Profile, request: &RequestTest| profile.egress.fixtures.iter().position(|fixture| fixture.url == request.url);
    let secrets = ["KNOWN".to_owned()];
    lint(&Linted { folder: Some(folder.path()), profiles: &profiles, suite: &suite, secrets: Some(&secrets), answers }).expect("read")
}

/// Ids found, at an allow-list of these rules and secrets.
fn rules(tail: &str) -> BTreeSet<&'static str> {
    ids(found("tier = 1\n", &format!("[egress]\nmode = \"allowlist\"\n{tail}"), TESTS))
}

fn ids(found: Vec<Advice>) -> BTreeSet<&'static str> {
    found.into_iter().map(|advice| advice.id.as_str()).collect()
}

fn rule(keys: &str) -> String {
    format!("[[egress.rule]]\n{}{keys}\n{REASON}", if keys.contains("host") { "" } else { "host = \"api.example\"\n" })
}

fn secret(keys: &str) -> String {
    format!("[[secret]]\nname = \"KNOWN\"\nhosts = [\"api.example\"]\n{REASON}{keys}\n")
}

#[track_caller]
fn only(tail: &str, id: &'static str) {
    assert_eq!(rules(tail), BTreeSet::from([id]), "{tail}");
}

#[track_caller]
fn none(tail: &str) {
    assert_eq!(rules(tail), BTreeSet::new(), "{tail}");
}

#[test]
fn a_wildcard_over_a_shared_suffix_is_an_error_and_one_over_an_owned_domain_is_not() {
    only(&rule("host = \"*.github.io\""), "rule.shared-suffix");
    only(&rule("host = \"*.co.uk\""), "rule.shared-suffix");
    none(&rule("host = \"*.orders.example\""));
    none(&rule("host = \"me.github.io\""));
    assert_eq!(Lint::SharedSuffix.level(), Level::Error);
}

#[test]
fn plain_text_is_a_warning_and_beside_a_secret_an_error() {
    let both = "schemes = [\"https\", \"http\"]\npath_prefix = \"/v1/\"";
    only(&rule(both), "rule.http");
    only(&(rule(both) + &secret("")), "rule.http-beside-secret");
    none(&(rule("path_prefix = \"/v1/\"") + &secret("")));
}

#[test]
fn a_secret_for_a_whole_host_is_told_unless_the_rule_or_the_secret_names_a_path() {
    only(&(rule("") + &secret("")), "rule.whole-host-with-secret");
    none(&(rule("path_prefix = \"/v1/\"") + &secret("")));
    none(&(rule("") + &secret("path_prefix = \"/v1/\"")));
}

#[test]
fn every_method_and_an_unusual_port_are_told() {
    only(&rule("methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]"), "rule.every-method");
    none(&rule("methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\"]"));
    only(&rule("ports = [443, 8443]"), "rule.unusual-port");
    only(&rule("ports = [80]"), "rule.unusual-port");
    none(&rule("ports = [443]"));
}

#[test]
fn a_rule_behind_a_wider_one_is_shadowed_and_one_in_front_of_it_is_not() {
    let (wide, narrow) = (rule("methods = [\"GET\", \"POST\"]"), rule("path_prefix = \"/v1\"\nmethods = [\"GET\"]"));
    only(&format!("{wide}{narrow}"), "rule.shadowed");
    none(&format!("{narrow}{wide}"));
    only(&(rule("host = \"*.orders.example\"") + &rule("host = \"a.orders.example\"")), "rule.shadowed");
    only(&(rule("") + &rule("")), "rule.shadowed");
}

#[test]
fn a_rule_on_trial_makes_no_other_void() {
    let trial = rule("methods = [\"GET\", \"POST\"]\nenforcement = \"audit\"");
    none(&(trial.clone() + &rule("path_prefix = \"/v1\"")));
    only(&(trial.clone() + &trial), "rule.shadowed");
}

#[test]
fn rules_that_share_some_requests_overlap_and_rules_kept_apart_do_not() {
    let posts = rule("path_prefix = \"/v1\"\nmethods = [\"GET\", \"POST\"]");
    only(&(rule("") + &posts), "rule.overlap");
    none(&(rule("") + &rule("path_prefix = \"/v1\"\nmethods = [\"POST\"]")));
    none(&(rule("path_prefix = \"/v1\"") + &rule("path_prefix = \"/v11\"")));
    none(&(rule("host = \"*.orders.example\"") + &rule("host = \"orders.example\"\nmethods = [\"GET\", \"POST\"]")));
}

#[test]
fn a_fixture_that_never_answers_or_that_nobody_asks_for_is_told() {
    let fixtures = |urls: &[&str]| {
        let tables: String = urls.iter().map(|url| format!("[[egress.fixture]]\nurl = \"{url}\"\n")).collect();
        format!("[egress]\nmode = \"synthetic\"\n{tables}")
    };
    let ask = |url: &str| {
        format!("[[test]]\nname = \"r\"\n{REASON}profile = \"p\"\nrequest = {{ url = \"{url}\" }}\nexpect = {{ decision = \"allow\" }}\n")
    };
    let (a, all) = ("https://api.example/a", "https://api.example/*");
    let told = |urls: &[&str], tests: &str| ids(found("tier = 0\n", &fixtures(urls), tests));
    assert_eq!(told(&[a], &ask(a)), BTreeSet::new());
    assert_eq!(told(&[a], TESTS), BTreeSet::from(["fixture.untested"]));
    assert_eq!(told(&[all, a], &ask(all)), BTreeSet::from(["fixture.shadowed"]));
    assert_eq!(told(&[a, all], &(ask(a) + &ask(all).replace("\"r\"", "\"s\""))), BTreeSet::new());
    let own = |urls: &[&str]| {
        let tables: String = urls.iter().map(|url| format!("[[test.fixture]]\nurl = \"{url}\"\n")).collect();
        ids(found("tier = 1\n", "", &format!("{}{tables}[test.expect]\n", TESTS.replace("expect = {}\n", ""))))
    };
    assert_eq!(own(&[all, a]), BTreeSet::from(["fixture.shadowed"]));
    assert_eq!(own(&[a, all]), BTreeSet::new());
}

#[test]
fn reasons_that_give_none_are_told_of_rules_secrets_and_tests() {
    let vague = |text: String| text.replace("orders API, ticket 4711", "todo");
    only(&vague(rule("")), "reason.placeholder");
    only(&(rule("path_prefix = \"/v1\"") + &vague(secret(""))), "reason.placeholder");
    let of_test = found("tier = 1\n", "", &vague(TESTS.to_owned()));
    assert_eq!(of_test.iter().map(|advice| (advice.id, advice.position.line)).collect::<Vec<_>>(), [(Lint::ReasonPlaceholder, 2)]);
    assert!(of_test[0].file.ends_with("tests/p.toml"), "{of_test:?}");
}

#[test]
fn a_profile_that_no_test_is_about_is_told() {
    let told = found("tier = 1\n", "", "");
    assert_eq!(told.iter().map(|advice| (advice.id, advice.position.line)).collect::<Vec<_>>(), [(Lint::ProfileUntested, 1)]);
}

#[test]
fn batched_records_are_told_at_tier_2_and_nowhere_else() {
    let told = |head: &str| ids(found(head, "", TESTS));
    assert_eq!(told("tier = 2\ndurability = \"batched\"\n"), BTreeSet::from(["profile.batched-at-tier-2"]));
    assert_eq!(told("tier = 2\n"), BTreeSet::new());
    assert_eq!(told("tier = 1\ndurability = \"batched\"\n"), BTreeSet::new());
}

#[test]
fn a_secret_without_a_way_or_a_source_is_told() {
    let told = |mode: &str| ids(found("tier = 1\n", &format!("[egress]\nmode = \"{mode}\"\n{}", secret("")), TESTS));
    assert_eq!((told("deny"), told("synthetic")), (BTreeSet::from(["secret.unreachable"]), BTreeSet::from(["secret.unreachable"])));
    let allowed = rule("path_prefix = \"/v1\"");
    only(&(allowed.clone() + &secret("").replace("KNOWN", "OTHER")), "secret.undefined");
    none(&(allowed + &secret("")));
}

#[test]
fn advice_has_the_place_of_what_it_is_about() {
    let tail = format!("[egress]\nmode = \"allowlist\"\n{}{}", rule(""), rule("host = \"*.github.io\"\nports = [1]"));
    let told = found("tier = 1\n", &tail, TESTS);
    let places: Vec<(&str, u32, u32)> =
        told.iter().map(|advice| (advice.id.as_str(), advice.position.line, advice.position.column)).collect();
    assert_eq!(places, [("rule.shared-suffix", 16, 8), ("rule.unusual-port", 17, 1)]);
}

#[test]
fn the_built_in_policies_have_no_slip() {
    let profiles = Profiles::load(None).expect("profiles");
    let suite = Suite::load(None, Some(&profiles)).expect("tests");
    assert!(suite.tests().iter().any(|test| matches!(test.asked, Asked::Run(_))));
    let linted = Linted { folder: None, profiles: &profiles, suite: &suite, secrets: None, answers: |_, _| None };
    assert_eq!(lint(&linted).expect("read"), []);
}

#[test]
fn the_spelling_of_every_lint_is_the_one_serde_writes() {
    for lint in Lint::ALL {
        assert_eq!(serde_json::to_value(lint).ok(), Some(lint.as_str().into()));
        assert!(!lint.title().is_empty() && lint.meaning().ends_with('.'));
    }
}
