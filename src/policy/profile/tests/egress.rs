//! `[egress]` with its rules and fixtures.

use super::*;
use crate::model::{EgressFixture, EgressRule, Enforcement, HostPattern, Scheme};

/// The start of a profile that may have rules.
const TIER_1: &str =
    "name = \"extra\"\ntier = 1\ndescription = \"d\"\n[limits]\ncpu_ms = 1\nwall_ms = 1\nmemory_mb = 16\nsub_requests = 7\n";

/// Reads a profile of tier 1 that goes on with `rest`.
pub(super) fn extra(rest: &str) -> Result<Arc<Profile>, ConfigErrors> {
    let profiles = folder(&[("untrusted.toml", LEAST), ("extra.toml", &format!("{TIER_1}{rest}"))])?;
    Ok(profiles.by_name("extra").expect("it is there").clone())
}

/// A profile with one rule: for good.example, with these lines besides.
fn rule(lines: &str) -> Result<EgressRule, ConfigErrors> {
    let text = format!("[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n{lines}\n");
    extra(&text).map(|profile| profile.egress.rules.first().expect("a rule").clone())
}

/// A profile with one fixture: for a URL, with these lines besides.
fn fixture(lines: &str) -> Result<EgressFixture, ConfigErrors> {
    let text = format!("[egress]\nmode = \"synthetic\"\n[[egress.fixture]]\nurl = \"https://good.example/\"\n{lines}\n");
    extra(&text).map(|profile| profile.egress.fixtures.first().expect("a fixture").clone())
}

/// The line and message of each mistake.
pub(super) fn told<T: std::fmt::Debug>(read: Result<T, ConfigErrors>) -> Vec<(u32, String)> {
    let errors = read.expect_err("mistakes");
    assert!(errors.mistakes().iter().all(|mistake| !mistake.mend.is_empty()));
    errors.mistakes().iter().map(|m| (m.position.map_or(0, |p| p.line), m.message.clone())).collect()
}

#[test]
fn a_rule_allows_by_itself_only_reading_over_tls() {
    let expected = EgressRule {
        host: HostPattern::Name("good.example".into()),
        ports: vec![443],
        schemes: vec![Scheme::Https],
        methods: vec!["GET".into(), "HEAD".into()],
        path_prefix: "/".into(),
        max_response_bytes: 10 << 20,
        max_requests: 7,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "r".into(),
    };
    assert_eq!(rule("").expect("right"), expected);
    assert_eq!(rule("schemes = [\"http\"]").expect("right").ports, [80]);
    assert_eq!(rule("schemes = [\"https\", \"http\"]").expect("right").ports, [443, 80]);
}

#[test]
fn every_key_of_a_rule_is_read() {
    let text = "[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nhost = \"*.wild.example\"\nports = [8443, 1]\nschemes = [\"http\", \"https\"]\nmethods = [\"PUT\"]\n\
                path_prefix = \"/v1\"\nmax_response_bytes = 2\nmax_requests = 3\ninject = [\"KEY\"]\nreason = \" tickets \"\n\
                [[secret]]\nname = \"KEY\"\nhosts = [\"a.wild.example\"]\nmode = \"inject\"\nreason = \"r\"\n";
    let expected = EgressRule {
        host: HostPattern::OneBelow("wild.example".into()),
        ports: vec![8443, 1],
        schemes: vec![Scheme::Http, Scheme::Https],
        methods: vec!["PUT".into()],
        path_prefix: "/v1".into(),
        max_response_bytes: 2,
        max_requests: 3,
        inject: Some(vec!["KEY".into()]),
        enforcement: Enforcement::Enforce,
        reason: "tickets".into(),
    };
    let profile = extra(text).expect("right");
    assert_eq!((profile.egress.mode, &profile.egress.rules), (EgressMode::Allowlist, &vec![expected]));
}

#[test]
fn each_number_of_a_rule_is_accepted_at_its_ends_and_refused_past_them() {
    for (key, least, most) in [("max_response_bytes", 1, 1 << 30), ("max_requests", 1, 10_000)] {
        for (number, right) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(rule(&format!("{key} = {number}")).is_ok(), right, "{key} = {number}");
        }
    }
    for (ports, right) in [
        ("[1, 65535]", true),
        ("[0]", false),
        ("[65536]", false),
        ("[]", false),
        ("[443, 443]", false),
        ("443", false),
        ("[\"443\"]", false),
    ] {
        assert_eq!(rule(&format!("ports = {ports}")).is_ok(), right, "{ports}");
    }
}

#[test]
fn a_word_of_a_rule_that_would_widen_it_unseen_is_refused() {
    for bad in [
        "schemes = []",
        "schemes = [\"ftp\"]",
        "schemes = [\"HTTPS\"]",
        "schemes = [\"https\", \"https\"]",
        "methods = []",
        "methods = [\"get\"]",
        "methods = [\"CONNECT\"]",
        "methods = [\"TRACE\"]",
        "methods = [\"*\"]",
        "methods = [\"GET\", \"GET\"]",
        "path_prefix = \"\"",
        "path_prefix = \"v1\"",
        "path_prefix = \"/a%2Fb\"",
        "path_prefix = \"/a/..\"",
        "inject = [\"NONE\"]",
        "inject = \"KEY\"",
        "path = \"/\"",
        "port = 443",
        "allow = \"all\"",
    ] {
        assert_eq!(told(rule(bad)).len(), 1, "{bad}");
    }
    assert!(rule("inject = []").is_ok());
}

#[test]
fn a_rule_without_host_or_reason_is_none() {
    let text = "[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nreason = \"r\"\n[[egress.rule]]\nhost = \"good.example\"\n[[egress.rule]]\nhost = \"good.example\"\nreason = \" \"\n[[egress.rule]]\nhost = \"127.1\"\nreason = \"r\"\n";
    let expected = [
        (11, "`egress.rule.host` is missing".to_owned()),
        (13, "`egress.rule.reason` is missing".to_owned()),
        (17, "`egress.rule.reason`: it is empty".to_owned()),
        (19, "`egress.rule.host`: `127.1` is the address 127.0.0.1, and hosts are allowed by name".to_owned()),
    ];
    assert_eq!(told(extra(text)), expected);
}

#[test]
fn tables_that_the_mode_never_looks_at_are_a_mistake() {
    let rule = "[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n";
    let fixture = "[[egress.fixture]]\nurl = \"https://good.example/\"\n";
    let cases = [
        ("deny", "", 0),
        ("deny", rule, 1),
        ("deny", fixture, 1),
        ("synthetic", "", 0),
        ("synthetic", fixture, 0),
        ("synthetic", rule, 1),
        ("allowlist", rule, 0),
        ("allowlist", "", 1),
        ("allowlist", fixture, 2),
        ("everything", rule, 1),
        ("Deny", "", 1),
    ];
    for (mode, tables, mistakes) in cases {
        let read = extra(&format!("[egress]\nmode = \"{mode}\"\n{tables}"));
        assert_eq!(read.as_ref().map_or_else(|errors| errors.mistakes().len(), |_| 0), mistakes, "{mode} {tables}: {read:?}");
    }
    assert_eq!(told(extra(rule)), [(9, "rules are looked at in mode `allowlist` only".to_owned())]);
    assert!(extra("[egress]\n").is_ok());
}

#[test]
fn tier_0_reaches_nothing_real_and_an_allowlist_needs_requests() {
    let rules = "[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n";
    let tier_0 = told(one(&format!("{LEAST}sub_requests = 1\n{rules}")));
    assert_eq!(tier_0, [(10, "the profile is at tier 0: code that nobody has looked at reaches nothing real".to_owned())]);
    let text = format!("{}{rules}", TIER_1.replace("sub_requests = 7", "sub_requests = 0"));
    let none = told(folder(&[("untrusted.toml", LEAST), ("extra.toml", &text)]));
    assert_eq!(none, [(10, "`limits.sub_requests` is 0: no rule could ever be used".to_owned())]);
}

#[test]
fn a_fixture_answers_get_with_an_empty_200_unless_it_says_otherwise() {
    let plain = fixture("").expect("right");
    let expected = EgressFixture {
        method: "GET".into(),
        url: "https://good.example/".into(),
        status: 200,
        headers: vec![],
        body_digest: Digest::of(b""),
        body: bytes::Bytes::new(),
        latency_ms: 0,
    };
    assert_eq!(plain, expected);
    let full =
        fixture("method = \"*\"\nstatus = 404\nheaders = { Content-Type = \"text/plain\", x-a = \"1\" }\nbody = \"gone\"\nlatency_ms = 5")
            .expect("right");
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned()), ("x-a".to_owned(), "1".to_owned())];
    assert_eq!((full.method.as_str(), full.status, full.headers, full.latency_ms), ("*", 404, headers, 5));
    assert_eq!((full.body_digest, &full.body[..]), (Digest::of(b"gone"), &b"gone"[..]));
}

#[test]
fn each_value_of_a_fixture_is_accepted_at_its_ends_and_refused_past_them() {
    for (key, least, most) in [("status", 200, 599), ("latency_ms", 0, 60_000)] {
        for (number, right) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(fixture(&format!("{key} = {number}")).is_ok(), right, "{key} = {number}");
        }
    }
    for bad in [
        "method = \"get\"",
        "method = \"TRACE\"",
        "headers = { content-length = \"1\" }",
        "headers = { Connection = \"close\" }",
        "headers = { a = \"\\r\\nb: c\" }",
        "headers = { \"a b\" = \"c\" }",
        "headers = { a = \"1\", A = \"2\" }",
        "headers = { a = 1 }",
        "headers = []",
        "status = 204\nbody = \"x\"",
        "body = 1",
        "json = {}",
        "body = \"x\"\nfile = \"y\"",
        "file = \"\"",
        "file = \"gone.json\"",
        "file = \".\"",
    ] {
        assert_eq!(told(fixture(bad)).len(), 1, "{bad}");
    }
    assert!(fixture("status = 204\nbody = \"\"").is_ok() && fixture("headers = { set-cookie = \"a=b\" }").is_ok());
    assert_eq!(told(extra("[egress]\nmode = \"synthetic\"\n[[egress.fixture]]\n")), [(11, "`egress.fixture.url` is missing".to_owned())]);
}

#[test]
fn bodies_come_from_files_beside_the_profile_up_to_a_mib_each_and_eight_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |last: usize, count: usize| {
        let fixtures = "[[egress.fixture]]\nurl = \"https://good.example/\"\nfile = \"sub/body\"\n".repeat(count);
        std::fs::create_dir_all(folder.path().join("sub")).expect("a folder");
        std::fs::write(folder.path().join("sub/body"), vec![0xff; last]).expect("written");
        std::fs::write(folder.path().join("untrusted.toml"), format!("{LEAST}[egress]\nmode = \"synthetic\"\n{fixtures}"))
            .expect("written");
        Profiles::load(Some(folder.path()))
    };
    let profiles = load(1 << 20, 8).expect("at the limit");
    let grant = &profiles.default_for(Tier::Untrusted).expect("there").egress;
    assert_eq!((grant.fixtures.len(), grant.fixtures[7].body.len()), (8, 1 << 20));
    assert_eq!(grant.fixtures[7].body_digest, Digest::of(&vec![0xff; 1 << 20]));
    assert_eq!(told(load((1 << 20) + 1, 1)).len(), 1);
    assert_eq!(told(load(1 << 20, 9)).len(), 1);
    assert_eq!(told(load(1 << 20, 20)).len(), 1, "told once");
}

#[test]
fn a_rule_on_trial_is_read_and_never_at_tier_0() {
    assert_eq!(rule("enforcement = \"audit\"").expect("right").enforcement, Enforcement::Audit);
    assert_eq!(rule("enforcement = \"enforce\"").expect("right"), rule("").expect("right"));
    for bad in ["enforcement = \"off\"", "enforcement = \"Audit\"", "enforcement = true", "audit = true"] {
        assert_eq!(told(rule(bad)).len(), 1, "{bad}");
    }
    let text = "[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\nenforcement = \"audit\"\n";
    let at_tier_0 = folder(&[("untrusted.toml", &format!("{LEAST}{text}"))]);
    let line = LEAST.lines().count() as u32 + 6;
    let told = told(at_tier_0);
    assert!(told.contains(&(line, "the profile is at tier 0, where nothing is let through on trial".to_owned())), "{told:?}");
}

#[test]
fn a_profile_has_at_most_10_000_rules() {
    let rules = |count: usize| "[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n".repeat(count);
    for (count, right) in [(10_000, true), (10_001, false)] {
        assert_eq!(extra(&format!("[egress]\nmode = \"allowlist\"\n{}", rules(count))).is_ok(), right, "{count}");
    }
}

#[test]
fn a_profile_has_at_most_256_fixtures() {
    for (count, right) in [(256, true), (257, false)] {
        let fixtures = "[[egress.fixture]]\nurl = \"https://good.example/\"\n".repeat(count);
        assert_eq!(extra(&format!("[egress]\nmode = \"synthetic\"\n{fixtures}")).is_ok(), right, "{count}");
    }
}
