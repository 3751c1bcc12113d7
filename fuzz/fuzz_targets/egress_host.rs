//! Any method, rule and URL: what is permitted is what the rule says, in the URL's own words and in those of whoever decodes it further.
//!
//! The input is text: method, host of the rule, prefix of its paths, each up to the end of its line, and the URL, which may have more lines.
#![no_main]

#[allow(dead_code, unused_imports)]
mod egress;
#[path = "../../src/model/mod.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use egress::decide::decide;
use egress::refusal::{CODES, Refusal};
use egress::target::Target;
use libfuzzer_sys::fuzz_target;
use model::{EgressGrant, EgressMode, EgressRule, EgressTerms, Enforcement, HostPattern, Scheme, host, path};
use std::net::IpAddr;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.splitn(4, '\n');
    let (Some(method), Some(host), Some(prefix), Some(url)) = (words.next(), words.next(), words.next(), words.next()) else { return };
    let target = match Target::parse(method, url) {
        Ok(target) => target,
        Err(refusal) => return speaks(&refusal),
    };
    is_settled(&target);
    let Some(grant) = grant(&target, host, prefix) else { return };
    match decide(&grant, &target) {
        Ok(permit) => {
            names(&permit.rule.host, &target);
            begins(&permit.rule.path_prefix, target.path());
        }
        Err(refusal) => speaks(&refusal),
    }
});

/// A grant whose rule differs from what is asked for in host and path at most; none where the profile's reader takes no such rule.
fn grant(target: &Target, host: &str, prefix: &str) -> Option<EgressTerms> {
    let pattern = match host.strip_prefix("*.") {
        Some(parent) => HostPattern::OneBelow(parent.to_owned()),
        None => HostPattern::Name(host.to_owned()),
    };
    let (HostPattern::Name(name) | HostPattern::OneBelow(name)) = &pattern;
    let readable = host::is_name(name) && url::Url::parse(&format!("https://host.example{prefix}")).is_ok_and(|url| url.path() == prefix);
    let rule = EgressRule {
        host: pattern,
        ports: vec![target.port],
        schemes: vec![target.scheme],
        methods: vec![target.method.clone()],
        path_prefix: prefix.to_owned(),
        max_response_bytes: 1,
        max_requests: 1,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "a test".to_owned(),
    };
    readable.then(|| EgressGrant { mode: EgressMode::Allowlist, rules: vec![rule], ..EgressGrant::default() }.into())
}

/// A refusal has a known code and stays in its lines and lengths.
fn speaks(refusal: &Refusal) {
    assert!(CODES.iter().any(|(code, _)| *code == refusal.code), "{}", refusal.code);
    assert!(refusal.target.chars().count() <= 2048);
    for text in [&refusal.target, &refusal.reason, &refusal.remediation] {
        assert!(!text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}')), "{text:?}");
    }
}

/// What was parsed is what any parser makes of it again, and has nothing that is never sent.
fn is_settled(target: &Target) {
    assert_eq!(Target::parse(&target.method, target.url.as_str()).as_ref(), Ok(target));
    assert_eq!(target.url.host_str(), Some(target.host.as_str()));
    assert!(target.url.username().is_empty() && target.url.password().is_none() && target.url.fragment().is_none());
    assert!(target.port != 0 && !target.host.ends_with('.') && matches!(target.scheme, Scheme::Https | Scheme::Http));
}

/// The host is the rule's, or one label below it, and never an address.
fn names(pattern: &HostPattern, target: &Target) {
    let host = target.host.as_str();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    assert!(!literal && target.address().is_none(), "{host}");
    match pattern {
        HostPattern::Name(name) => assert_eq!(name, host),
        HostPattern::OneBelow(parent) => {
            let (label, rest) = host.split_once('.').expect("two labels");
            assert!(!label.is_empty() && label != "*" && rest == parent, "{host} of *.{parent}");
            assert_ne!(host, parent);
        }
    }
}

/// The path begins with the prefix by segments: as it stands, and decoded and climbed as often as anyone likes.
fn begins(prefix: &str, path: &str) {
    assert!(path.starts_with(prefix), "{path} of {prefix}");
    if prefix == "/" {
        return;
    }
    assert!(path::is_plain(path), "{path}");
    let (mut asked, mut text) = (segments(prefix.as_bytes()), path.as_bytes().to_vec());
    if prefix.ends_with('/') {
        asked.pop();
    }
    // The prefix is decoded along with the path, as a server would decode both.
    for _ in 0..16 {
        let resolved = segments(&text);
        assert!(resolved.starts_with(&asked), "{path} of {prefix}");
        text = decoded(&text);
        asked = asked.iter().map(|segment| decoded(segment)).collect();
    }
}

/// Segments without parameters, after dot segments have done their work; slashes of both kinds part them.
fn segments(path: &[u8]) -> Vec<Vec<u8>> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for segment in path.split(|byte| matches!(byte, b'/' | b'\\')).skip(1) {
        match segment.split(|byte| *byte == b';').next().unwrap_or_default() {
            b"." => {}
            b".." => {
                kept.pop();
            }
            name => kept.push(name.to_vec()),
        }
    }
    kept
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| text[at] == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let byte = escape.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    out
}
