use super::*;
use crate::model::{EgressGrant, EgressMode, EgressRule, Enforcement, HostPattern, Scheme};

/// Scheme, host and port of each URL in `source`.
fn sites(source: &str) -> Vec<String> {
    let evidence = examine(&order(&[("main.ts", source)], false));
    evidence.urls.iter().map(|url| format!("{}://{}:{}", url.scheme, url.host, url.port)).collect()
}

fn rule(host: HostPattern) -> EgressRule {
    EgressRule {
        host,
        ports: vec![443],
        schemes: vec![Scheme::Https],
        methods: vec!["GET".into()],
        path_prefix: "/".into(),
        max_response_bytes: 1,
        max_requests: 1,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "test".into(),
    }
}

fn told(source: &str, grant: Option<&EgressTerms>) -> Vec<(Severity, String)> {
    let report = check(&order(&[("main.ts", source)], false), Tier::Validated, grant);
    report
        .findings
        .into_iter()
        .filter(|finding| finding.id == Check::EgressUrl)
        .map(|finding| (finding.severity, finding.message))
        .collect()
}

#[test]
fn urls_are_found_in_every_spelling_that_the_parser_takes() {
    for spelling in [
        "'https://evil.example'",
        "'HTTPS://EVIL.example/a?b#c'",
        "'https:\\\\\\\\evil.example/'",
        "'https:evil.example'",
        "'ht\\ntps://evil.example'",
        "'  https://evil.example'",
        "'https://' + 'evil' + '.example'",
        "'\\x68ttps://evil.example'",
        "`https://evil.example/${1}`",
        "'https://evil.example/' + x",
        "'see https://evil.example for more'",
        "'https://user:pass@evil.example:443/'",
        "'https://ｅｖｉｌ.example'",
    ] {
        let found = sites(&format!("let x = 1; export const a = {spelling}; x"));
        assert_eq!(found, ["https://evil.example:443"], "{spelling}");
    }
}

#[test]
fn hosts_that_are_not_known_before_a_run_and_urls_that_are_not_sent_are_not_told() {
    for source in [
        "let x = 1; `https://${x}/`",
        "let x = 1; `https://api.${x}.example/`",
        "let x = 1; 'https://api' + x",
        "// https://evil.example",
        "type A = 'https://evil.example'",
        "export const a = 'http://www.w3.org/2000/svg'",
        "export const a = 'ftp://evil.example'",
        "export const a = '//evil.example'",
        "export const a = 'https://'",
        "export const a = 'https: not a url'",
    ] {
        assert_eq!(sites(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn each_site_is_kept_once_up_to_the_cap_and_the_rest_is_counted() {
    let sources = |count: usize| (0..count).map(|at| format!("'https://h{at}.example';'https://h{at}.example/b';\n")).collect::<String>();
    let evidence = |count| examine(&order(&[("main.ts", &sources(count))], false));
    assert_eq!((evidence(64).urls.len(), evidence(64).more), (64, vec![]));
    assert_eq!((evidence(65).urls.len(), evidence(65).more), (64, vec![(Check::EgressUrl, 2)]));
}

#[test]
fn a_grant_says_which_urls_are_told() {
    let rules = vec![rule(HostPattern::Name("good.example".into())), rule(HostPattern::OneBelow("wild.example".into()))];
    let grant = EgressGrant { mode: EgressMode::Allowlist, rules, ..Default::default() }.into();
    for good in ["https://good.example", "https://GOOD.example:443/x", "https://a.wild.example/"] {
        assert_eq!(told(&format!("'{good}'"), Some(&grant)), [], "{good}");
    }
    for bad in [
        "https://evil.example",
        "http://good.example",
        "https://good.example:444",
        "https://wild.example",
        "https://a.b.wild.example",
        "https://evilwild.example",
        "https://good.example.evil.example",
        "https://good.example@evil.example",
        "wss://good.example",
    ] {
        let told = told(&format!("'{bad}'"), Some(&grant));
        assert_eq!(told.len(), 1, "{bad}");
        assert_eq!(told[0].0, Severity::Warn);
    }
    let closed = EgressTerms::default();
    assert_eq!(told("'https://good.example'", Some(&closed)).len(), 1);
    let synthetic = EgressGrant { mode: EgressMode::Synthetic, ..Default::default() }.into();
    assert_eq!(told("'https://evil.example'", Some(&synthetic)), []);
    assert_eq!(told("'https://evil.example'", None), []);
}

#[test]
fn a_host_is_kept_up_to_the_longest_that_dns_carries() {
    let host = |length: usize| format!("'https://{}/'", "a.".repeat(length / 2));
    assert_eq!((sites(&host(254)).len(), sites(&host(256)).len()), (1, 0));
    is_kept(&host(8000));
}

/// Holds that what is seen in `source` passes as what an honest cell says.
fn is_kept(source: &str) {
    assert!(examine(&order(&[("main.ts", source)], false)).is_plausible(|file| file == "main.ts"));
}

#[test]
fn an_address_is_told_whatever_the_grant() {
    for address in ["http://169.254.169.254/latest", "http://2852039166/", "http://[::1]/", "http://0x7f.1/", "http://localhost:8080"] {
        assert_eq!(told(&format!("'{address}'"), None).len(), 1, "{address}");
    }
}
