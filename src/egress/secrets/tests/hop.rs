//! What one hop gets: the real value in the one place, or a refusal.

use super::*;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

const HERE: &str = "https://good.example/v1/orders";

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    let header =
        |(name, value): &(&str, &str)| (HeaderName::try_from(*name).expect("a name"), HeaderValue::try_from(*value).expect("a value"));
    pairs.iter().map(header).collect()
}

/// What `load` makes of a GET.
fn load(run: &RunSecrets, url: &str, rule: &EgressRule, pairs: &[(&str, &str)]) -> (Result<Vec<String>, Misuse>, HeaderMap) {
    let mut headers = map(pairs);
    (run.load(&target("GET", url), rule, &mut headers), headers)
}

#[test]
fn a_placeholder_becomes_the_value_in_the_granted_form() {
    let (run, token) = placeholder();
    for sent in [token.clone(), format!("Bearer {token}")] {
        let (names, headers) = load(&run, HERE, &rule(None), &[("authorization", &sent), ("x-a", "b")]);
        assert_eq!(names, Ok(vec!["API_KEY".to_owned()]));
        assert_eq!(headers[AUTHORIZATION].as_bytes(), format!("Bearer {KEY}").as_bytes());
        assert!(headers[AUTHORIZATION].is_sensitive() && headers["x-a"] == "b" && headers.len() == 2);
    }
    assert_eq!(load(&run, HERE, &rule(None), &[("x-a", "b")]).0, Ok(Vec::new()));
}

#[test]
fn a_hop_elsewhere_gets_no_value_and_the_code_is_not_to_blame() {
    let (run, token) = placeholder();
    for (url, expected) in [
        ("https://evil.example/v1", "wrongHost"),
        ("https://sub.good.example/v1", "wrongHost"),
        ("http://good.example/v1", "plainText"),
        ("https://good.example/v2", "wrongPath"),
    ] {
        let (result, headers) = load(&run, url, &rule(None), &[("authorization", &token)]);
        assert_eq!(kind(result), (expected, false), "{url}");
        assert_eq!(headers[AUTHORIZATION].as_bytes(), token.as_bytes());
    }
}

#[test]
fn an_injected_secret_goes_to_its_hosts_over_tls_and_replaces_what_the_code_sent() {
    let run = run(&[grant("API_KEY", SecretMode::Inject)], Values::Real);
    assert!(run.env().is_empty(), "code has no stand-in for it");
    let (names, headers) = load(&run, HERE, &rule(None), &[("authorization", "mine"), ("authorization", "mine too")]);
    assert_eq!(names, Ok(vec!["API_KEY".to_owned()]));
    assert_eq!(headers.get_all(AUTHORIZATION).iter().collect::<Vec<_>>(), [format!("Bearer {KEY}").as_str()]);
    assert!(headers[AUTHORIZATION].is_sensitive());
    for url in [
        "https://evil.example/v1",
        "https://a.good.example/v1",
        "http://good.example/v1",
        "https://good.example/v1%2fx",
        "https://127.0.0.1/v1",
    ] {
        let (names, headers) = load(&run, url, &rule(None), &[("authorization", "mine")]);
        assert_eq!((names, headers[AUTHORIZATION].as_bytes()), (Ok(Vec::new()), &b"mine"[..]), "{url}");
    }
    let mut headers = HeaderMap::new();
    assert_eq!(run.load(&target("PUT", HERE), &rule(None), &mut headers), Ok(Vec::new()));
}

#[test]
fn a_rule_may_say_which_secrets_are_injected() {
    let run = run(&[grant("API_KEY", SecretMode::Inject)], Values::Real);
    assert_eq!(load(&run, HERE, &rule(Some(&["API_KEY"])), &[]).0, Ok(vec!["API_KEY".to_owned()]));
    assert_eq!(load(&run, HERE, &rule(Some(&["OTHER"])), &[]), (Ok(Vec::new()), HeaderMap::new()));
    assert_eq!(load(&run, HERE, &rule(Some(&[])), &[]), (Ok(Vec::new()), HeaderMap::new()));
}

#[test]
fn of_two_injected_secrets_for_one_header_the_first_is_sent() {
    let other = SecretGrant { header: "x-other".to_owned(), format: "{}".to_owned(), ..grant("OTHER", SecretMode::Inject) };
    let both = run(&[grant("API_KEY", SecretMode::Inject), grant("OTHER", SecretMode::Inject), other], Values::Real);
    let (names, headers) = load(&both, HERE, &rule(None), &[]);
    assert_eq!(names, Ok(vec!["API_KEY".to_owned(), "OTHER".to_owned()]));
    assert_eq!(headers[AUTHORIZATION].as_bytes(), format!("Bearer {KEY}").as_bytes());
    assert_eq!(headers["x-other"], "another-value-0123");
}

#[test]
fn a_range_is_refused_next_to_a_secret_in_both_modes() {
    let injected = run(&[grant("API_KEY", SecretMode::Inject)], Values::Real);
    let (replaced, token) = placeholder();
    for name in ["range", "if-range"] {
        assert_eq!(kind(load(&injected, HERE, &rule(None), &[(name, "bytes=0-1")]).0), ("rangeWithSecret", false));
        assert_eq!(
            kind(load(&replaced, HERE, &rule(None), &[(name, "bytes=0-1"), ("authorization", &token)]).0),
            ("rangeWithSecret", false)
        );
        assert_eq!(load(&injected, "https://other.example/v1", &rule(None), &[(name, "bytes=0-1")]).0, Ok(Vec::new()));
    }
}

#[test]
fn a_secret_without_a_value_stops_the_request_and_is_no_violation() {
    for mode in [SecretMode::Inject, SecretMode::Placeholder] {
        for run in [
            run(&[grant("ABSENT", mode)], Values::Real),
            run(&[grant("API_KEY", mode)], Values::Withheld),
            run(&[grant("UNKNOWN", mode)], Values::Real),
        ] {
            let token = run.env().first().map_or_else(|| "x".to_owned(), |(_, token)| token.clone());
            assert_eq!(inspect(&run, HERE, &[("authorization", &token)]), Ok(()), "it is a request like any other until it is sent");
            assert_eq!(kind(load(&run, HERE, &rule(None), &[("authorization", &token)]).0), ("unavailable", false));
        }
    }
}

#[test]
fn withheld_values_leave_no_trace_in_a_run() {
    let run = run(&[grant("API_KEY", SecretMode::Placeholder)], Values::Withheld);
    assert_eq!(run.env().len(), 1);
    assert!(run.scrubber().is_none() && run.scrub_text(KEY).is_none());
    assert_eq!(format!("{run:?}"), "[\"API_KEY\"]");
}
