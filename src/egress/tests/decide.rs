//! Tests of decisions.

use crate::egress::Target;
use crate::egress::decide::decide;
use crate::model::{EgressGrant, EgressMode, EgressRule, EgressTerms, Enforcement, HostPattern, Scheme};

fn rule(host: &str) -> EgressRule {
    EgressRule {
        host: match host.strip_prefix("*.") {
            Some(parent) => HostPattern::OneBelow(parent.to_owned()),
            None => HostPattern::Name(host.to_owned()),
        },
        ports: vec![443],
        schemes: vec![Scheme::Https],
        methods: vec!["GET".to_owned(), "HEAD".to_owned()],
        path_prefix: "/".to_owned(),
        max_response_bytes: 1,
        max_requests: 1,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "a test".to_owned(),
    }
}

fn grant(rules: Vec<EgressRule>) -> EgressTerms {
    EgressGrant { mode: EgressMode::Allowlist, rules, ..EgressGrant::default() }.into()
}

/// The place of the rule that allows a request, or code and rule of the refusal.
fn decided(grant: &EgressTerms, method: &str, url: &str) -> Result<usize, (&'static str, String)> {
    let target = Target::parse(method, url).expect("a target");
    decide(grant, &target).map(|permit| permit.index).map_err(|refusal| (refusal.code, refusal.rule))
}

/// Reason and remediation of a refusal.
fn said(grant: &EgressTerms, method: &str, url: &str) -> (String, String) {
    let refusal = decide(grant, &Target::parse(method, url).expect("a target")).expect_err("a refusal");
    assert!(!refusal.reason.contains('\n') && !refusal.remediation.contains('\n'));
    (refusal.reason, refusal.remediation)
}

const DEFAULT: &str = "egress.default-deny";

#[test]
fn the_first_rule_that_fits_wholly_decides() {
    let grant = grant(vec![
        EgressRule { path_prefix: "/v1".to_owned(), ..rule("good.example") },
        EgressRule { methods: vec!["POST".to_owned()], ..rule("good.example") },
        rule("good.example"),
        rule("*.wild.example"),
    ]);
    assert_eq!(decided(&grant, "GET", "https://good.example/v1/a"), Ok(0));
    assert_eq!(decided(&grant, "POST", "https://good.example/v1/a"), Ok(1));
    assert_eq!(decided(&grant, "GET", "https://good.example/v2"), Ok(2));
    assert_eq!(decided(&grant, "get", "https://GOOD.example:443/%252e"), Ok(2));
    assert_eq!(decided(&grant, "GET", "https://a.wild.example/"), Ok(3));
}

#[test]
fn what_no_rule_names_is_denied() {
    let grant = grant(vec![rule("good.example"), rule("*.wild.example")]);
    for url in [
        "https://evil.example/",
        "https://wild.example/",
        "https://a.b.wild.example/",
        "https://good.example.evil.example/",
        "https://notgood.example/",
        "https://*.wild.example/",
        "https://a!.wild.example/",
        "https://good.example%00.evil.example/",
    ] {
        let Ok(target) = Target::parse("GET", url) else { continue };
        assert_eq!(decide(&grant, &target).expect_err(url).code, "egressDenied", "{url}");
    }
    assert_eq!(decided(&self::grant(Vec::new()), "GET", "https://good.example/"), Err(("egressDenied", DEFAULT.to_owned())));
}

#[test]
fn hostile_spellings_of_addresses_meet_no_rule_and_are_told_why() {
    let grant = grant(vec![rule("good.example"), rule("127.0.0.1"), rule("[::1]"), rule("*.0.0.1"), rule("2130706433")]);
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "１２７.0.0.1",
        "%3127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127.0.0.1.",
    ] {
        let url = format!("https://{host}/");
        assert_eq!(decided(&grant, "GET", &url), Err(("egressDenied", DEFAULT.to_owned())), "{host}");
        assert!(said(&grant, "GET", &url).0.contains("is an address"), "{host}");
    }
}

#[test]
fn the_nearest_rule_of_the_host_is_named_with_what_it_lacks() {
    let grant = grant(vec![
        EgressRule { schemes: vec![Scheme::Http], ports: vec![80], ..rule("good.example") },
        EgressRule { path_prefix: "/v1".to_owned(), ..rule("good.example") },
        EgressRule { methods: vec!["POST".to_owned()], ..rule("other.example") },
    ]);
    let good = |code| Err((code, "egress.good.example".to_owned()));
    assert_eq!(decided(&grant, "GET", "https://good.example/v2"), good("pathDenied"));
    assert_eq!(decided(&grant, "GET", "https://good.example/v1%2f..%2fv2"), good("pathDenied"));
    assert_eq!(decided(&grant, "POST", "https://good.example/v1"), good("methodDenied"));
    assert_eq!(decided(&grant, "GET", "https://good.example:8443/v1"), good("portDenied"));
    assert_eq!(decided(&grant, "GET", "http://other.example/"), Err(("schemeDenied", "egress.other.example".to_owned())));
    // Not the port of the one rule and the scheme of the other.
    assert_eq!(decided(&grant, "GET", "http://good.example:443/v1"), good("portDenied"));
    assert_eq!(decided(&grant, "GET", "https://good.example:80/v1"), good("portDenied"));
}

#[test]
fn refusals_say_what_to_ask_the_operator_for() {
    let grant = grant(vec![EgressRule { path_prefix: "/v1".to_owned(), ..rule("good.example") }, rule("*.wild.example")]);
    let mend = |method, url| said(&grant, method, url).1;
    assert!(mend("POST", "https://good.example/v1").ends_with("methods = [\"GET\", \"HEAD\", \"POST\"]"));
    assert!(mend("GET", "https://good.example:8443/v1").ends_with("ports = [443, 8443]"));
    assert!(mend("GET", "http://good.example/v1").ends_with("schemes = [\"https\", \"http\"]"));
    assert!(mend("GET", "https://good.example/v2").contains("[[egress.rule]] with host = \"good.example\", path_prefix = \"/v2\""));
    assert!(mend("GET", "https://evil.example/").contains("[[egress.rule]] with host = \"evil.example\""));
    assert!(mend("patch", "https://good.example/v1").contains("upper-case"));
    assert!(mend("GET", "https://good.example/v1/%2e%2e%2fadmin").contains("without encoded"));
    assert!(said(&grant, "GET", "https://wild.example/").0.contains("does not allow wild.example itself"));
    assert!(said(&grant, "GET", "https://a.b.wild.example/").0.contains("one label more only"));
    assert!(said(&grant, "GET", "https://www.good.example/").0.contains("the rule for good.example allows no names below it"));
}

#[test]
fn the_other_modes_allow_nothing_whatever_their_rules_say() {
    for mode in [EgressMode::Deny, EgressMode::Synthetic] {
        let grant = EgressGrant { mode, rules: vec![rule("good.example")], ..EgressGrant::default() }.into();
        assert_eq!(decided(&grant, "GET", "https://good.example/"), Err(("egressDenied", DEFAULT.to_owned())));
        assert!(said(&grant, "GET", "https://good.example/").1.contains("[[egress.rule]] with host = \"good.example\""));
        assert_eq!(said(&grant, "GET", "https://127.0.0.1/").1, "send what the code needs as `input`");
    }
}

#[test]
fn guests_text_in_refusals_is_cut_and_stays_in_its_line() {
    let grant = grant(vec![EgressRule { path_prefix: "/v1".to_owned(), ..rule("good.example") }]);
    let url = format!("https://good.example/{}?\n{}", "a".repeat(3000), "`b".repeat(1000));
    let refusal = decide(&grant, &Target::parse("GET", &url).expect("a target")).expect_err("a refusal");
    assert_eq!((refusal.target.chars().count(), refusal.target.chars().last()), (2048, Some('…')));
    assert!(refusal.reason.chars().count() < 600, "{}", refusal.reason);
    assert!(refusal.remediation.chars().count() < 600, "{}", refusal.remediation);
}
