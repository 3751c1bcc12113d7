use super::*;
use crate::model::{EgressGrant, EgressMode, Limits};
use std::sync::Arc;

/// Most characters of a shipped profile's brief: it goes before every task of a model.
const SHIPPED_CHARS_MAX: usize = 2500;

/// Most characters of any profile's brief, by the caps of what it lists.
const CHARS_MAX: usize = 40_000;

fn rules(count: usize) -> Profile {
    let profile = orders();
    let rule = profile.egress.rules[0].clone();
    let egress = EgressGrant { rules: vec![rule; count], ..(**profile.egress).clone() };
    Profile { egress: Arc::new(egress.into()), ..profile }
}

#[test]
fn the_briefs_of_the_shipped_profiles_are_short_and_say_that_nothing_is_reached() {
    for profile in shipped().iter() {
        let text = super::super::brief(profile);
        assert!(text.chars().count() < SHIPPED_CHARS_MAX, "{} characters", text.chars().count());
        for word in ["export default", "`input`", "`ctx.waitUntil", "`env` is empty", "EgressDenied", "remediation", "Not there: files"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let nothing = if profile.name == "untrusted" { "no request has a canned answer" } else { "No request can be made" };
        assert!(text.contains(nothing), "{text}");
    }
}

#[test]
fn the_brief_of_a_profile_that_reaches_out_says_whom_how_and_with_which_secret() {
    let text = super::super::brief(&orders());
    for part in [
        "`env` has the texts REGION, API_KEY.",
        "at most 50 requests of one run",
        "- GET, POST api.example: https, port 443, the path /v1",
        "- send `env.API_KEY` alone as the header `x-key`; the server puts the secret in its place, over https to api.example by POST",
        "- CDN_KEY: the server sets the header `authorization`, the code sends nothing, over https to a.cdn.example; reason: \"key of the images\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(super::super::brief(&canned(1)).contains("no value is behind it under this profile"));
}

#[test]
fn ten_rules_or_fixtures_are_listed_and_the_eleventh_is_counted() {
    for (ten, eleven) in [(rules(10), rules(11)), (canned(10), canned(11))] {
        let (ten, eleven) = (super::super::brief(&ten), super::super::brief(&eleven));
        assert!(!ten.contains("- and "), "{ten}");
        assert!(eleven.contains("- and 1 more\n"), "{eleven}");
        assert_eq!(eleven.lines().count(), ten.lines().count() + 1);
    }
}

#[test]
fn requests_that_no_run_can_make_are_not_offered() {
    for profile in [rules(1), canned(1)] {
        let profile = Profile { limits: Limits { sub_requests: 0, ..profile.limits }, ..profile };
        let text = super::super::brief(&profile);
        assert!(text.contains("No request can be made") && !text.contains("- GET"), "{text}");
    }
    let denied = EgressGrant { mode: EgressMode::Deny, ..(**orders().egress).clone() };
    assert!(super::super::brief(&Profile { egress: Arc::new(denied.into()), ..orders() }).contains("No request can be made"));
}

#[test]
fn no_profile_makes_a_brief_long() {
    let text = super::super::brief(&hostile());
    assert!(text.chars().count() < CHARS_MAX, "{} characters", text.chars().count());
}
