//! Which canned answer a request gets in mode `synthetic`.

use super::refusal::{DEFAULT_DENY, FIXTURES, Refusal};
use super::target::Target;
use super::wish;
use crate::model::glob::matches;
use crate::model::{EgressFixture, EgressGrant, EgressMode};

/// The first fixture of `grant` that answers `target`, and its place in the grant. The guest causes refusals.
pub(crate) fn find<'g>(grant: &'g EgressGrant, target: &Target) -> Result<(usize, &'g EgressFixture), Refusal> {
    let url = target.url.as_str();
    if grant.mode != EgressMode::Synthetic {
        return Err(Refusal::new(
            "egressDenied",
            DEFAULT_DENY,
            url,
            "the profile answers nothing from fixtures",
            "send what the code needs as `input`",
        ));
    }
    let answers = |fixture: &EgressFixture| method_matches(&fixture.method, &target.method) && matches(&fixture.url, url);
    grant.fixtures.iter().enumerate().find(|(_, fixture)| answers(fixture)).ok_or_else(|| missing(grant, target))
}

fn method_matches(pattern: &str, method: &str) -> bool {
    pattern == "*" || pattern == method
}

/// The refusal names the fixture to add: of this very URL, whose query a pattern may then widen.
fn missing(grant: &EgressGrant, target: &Target) -> Refusal {
    let url = target.url.as_str();
    let same_url = grant.fixtures.iter().find(|fixture| matches(&fixture.url, url));
    let reason = match same_url {
        Some(fixture) => format!("the profile answers from fixtures, and the one for this URL answers `{}` only", fixture.method),
        None if grant.fixtures.is_empty() => "the profile answers from fixtures, and has none".to_owned(),
        None => format!("the profile answers from fixtures, and none of its {} is for this URL", grant.fixtures.len()),
    };
    let shown = super::refusal::shown(url);
    let (method, shown) = (wish::text(&target.method), wish::text(&shown));
    let remediation = format!(
        "ask the operator to add to the profile: [[egress.fixture]] with method = {method}, url = {shown}, body = \"…\"; \
         `cordon run --learn` prints the rules that real requests would need"
    );
    Refusal::new("noFixture", FIXTURES, url, reason, remediation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn fixture(method: &str, url: &str, status: u16) -> EgressFixture {
        EgressFixture {
            method: method.to_owned(),
            url: url.to_owned(),
            status,
            headers: Vec::new(),
            body_digest: Digest::of(b""),
            body: bytes::Bytes::new(),
            latency_ms: 0,
        }
    }

    fn grant(fixtures: Vec<EgressFixture>) -> EgressGrant {
        EgressGrant { mode: EgressMode::Synthetic, fixtures, ..EgressGrant::default() }
    }

    fn target(method: &str, url: &str) -> Target {
        Target::parse(method, url).expect("a target")
    }

    #[test]
    fn the_first_fixture_of_the_method_and_the_url_answers() {
        let grant = grant(vec![
            fixture("POST", "https://good.example/*", 201),
            fixture("GET", "https://good.example/a", 200),
            fixture("*", "https://good.example/*", 204),
        ]);
        let status = |method, url| find(&grant, &target(method, url)).map(|(_, fixture)| fixture.status).map_err(|refusal| refusal.code);
        assert_eq!(status("GET", "https://good.example/a"), Ok(200));
        assert_eq!(status("GET", "https://GOOD.example:443/x/../a#fragment"), Ok(200));
        assert_eq!(status("POST", "https://good.example/a"), Ok(201));
        assert_eq!(status("patch", "https://good.example/"), Ok(204));
        assert_eq!(status("GET", "http://good.example/a"), Err("noFixture"));
        assert_eq!(status("GET", "https://good.example:8443/a"), Err("noFixture"));
    }

    #[test]
    fn fixtures_answer_in_no_other_mode() {
        for mode in [EgressMode::Deny, EgressMode::Allowlist] {
            let grant = EgressGrant { mode, ..grant(vec![fixture("*", "*", 200)]) };
            assert_eq!(find(&grant, &target("GET", "https://good.example/")).expect_err("refused").code, "egressDenied");
        }
    }

    #[test]
    fn a_missing_fixture_is_named_as_it_is_to_be_written() {
        let grant = grant(vec![fixture("GET", "https://good.example/*", 200)]);
        let refusal = find(&grant, &target("POST", "https://good.example/a'b?c=\"d\"")).expect_err("refused");
        assert_eq!(refusal.rule, "egress.fixtures");
        assert!(refusal.reason.contains("answers `GET` only"), "{}", refusal.reason);
        assert!(refusal.remediation.contains("method = \"POST\", url = \"https://good.example/a'b?c=%22d%22\""), "{}", refusal.remediation);
        assert!(refusal.remediation.contains("cordon run --learn"));
    }
}
