//! Real values in what comes back.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use proptest::prelude::*;
use url::form_urlencoded::byte_serialize;

fn both() -> Arc<RunSecrets> {
    run(&[grant("API_KEY", SecretMode::Inject), grant("OTHER", SecretMode::Placeholder)], Values::Real)
}

/// What comes out of `body`, cut at `cuts`.
fn scrub(run: &RunSecrets, body: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut scrubber = run.scrubber().expect("a scrubber");
    let mut out = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().filter(|&cut| cut < body.len()).chain([body.len()]) {
        out.extend_from_slice(&scrubber.feed(Bytes::copy_from_slice(&body[start..end])));
        start = end;
    }
    out.extend_from_slice(&scrubber.finish());
    out
}

fn text(run: &RunSecrets, body: &str, cuts: &[usize]) -> String {
    String::from_utf8(scrub(run, body.as_bytes(), cuts)).expect("text")
}

#[test]
fn a_value_is_replaced_wherever_the_body_is_cut() {
    let run = both();
    let body = format!("{{\"a\": {KEY}, \"b\": another-value-0123}} {KEY}{KEY}");
    let expected = "{\"a\": [secret API_KEY], \"b\": [secret OTHER]} [secret API_KEY][secret API_KEY]";
    for cut in 0..=body.len() {
        assert_eq!(text(&run, &body, &[cut]), expected, "cut at {cut}");
    }
    assert_eq!(text(&run, &body, &(0..body.len()).collect::<Vec<_>>()), expected, "byte by byte");
    assert_eq!(run.scrub_text(&body).as_deref(), Some(expected));
    assert_eq!(run.scrub_text("nothing here"), None);
}

#[test]
fn every_spelling_of_a_value_is_replaced() {
    let run = both();
    let mut spellings: Vec<String> = vec![
        KEY.to_owned(),
        hex::encode(KEY),
        hex::encode_upper(KEY),
        byte_serialize(KEY.as_bytes()).collect(),
        byte_serialize(KEY.as_bytes()).collect::<String>().to_lowercase(),
        KEY.bytes().map(|b| format!("%{b:02X}")).collect(),
        KEY.bytes().map(|b| format!("%{b:02x}")).collect(),
        "k3y%2F%2Bvalue%26with%3D%22odd%22%3F~characters%3E%3E".to_owned(),
        "k3y/+value&with=%22odd%22?~characters%3E%3E".to_owned(),
        KEY.replace('"', "\\\"").replace('/', "\\/"),
        KEY.replace('"', "\\\"").replace('&', "\\u0026").replace('>', "\\u003e"),
        KEY.replace('&', "&amp;").replace('"', "&quot;").replace('>', "&gt;"),
    ];
    let json = serde_json::to_string(KEY).expect("JSON");
    spellings.push(json[1..json.len() - 1].to_owned());
    for spelling in &spellings {
        assert_eq!(text(&run, &format!("<{spelling}>"), &[]), "<[secret API_KEY]>", "{spelling}");
    }
    for before in ["", "a", "ab", "user:"] {
        for after in ["", "z", "zz"] {
            let plain = format!("{before}{KEY}{after}");
            for encoded in
                [STANDARD.encode(&plain), STANDARD_NO_PAD.encode(&plain), URL_SAFE.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)]
            {
                let out = text(&run, &encoded, &[7]);
                let left = out.replace("[secret API_KEY]", "");
                // What mixes with the neighbours stays: at most three characters before and after, and the padding.
                assert!(out.contains("[secret API_KEY]") && left.len() <= encoded.len() - (KEY.len() * 4 / 3 - 2), "{encoded}: {out}");
            }
        }
    }
}

#[test]
fn nothing_waits_but_what_may_be_the_start_of_a_value() {
    let run = both();
    let mut scrubber = run.scrubber().expect("a scrubber");
    assert_eq!(scrubber.feed(Bytes::from_static(b"data: token\n\n")), "data: token\n\n");
    assert_eq!(scrubber.feed(Bytes::from_static(b"data: anoth")), "data: ");
    assert_eq!(scrubber.feed(Bytes::from_static(b"er")), "");
    assert_eq!(scrubber.feed(Bytes::from_static(b" day")), "another day");
    assert_eq!(scrubber.feed(Bytes::from_static(b"another-value-0123")), "[secret OTHER]", "a whole value does not wait for more");
    assert_eq!(scrubber.feed(Bytes::from_static(b"another-value-012")), "");
    assert_eq!(scrubber.finish(), "another-value-012", "the start of a value alone is none");
}

#[test]
fn a_value_that_overlaps_itself_without_end_is_one_mark_and_takes_no_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "aaaaaaaaaa").expect("written");
    let secrets = Secrets::with(specs(&[("API_KEY", file(&path))]), None, environment);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(secrets.read_all()), []);
    let run = RunSecrets::new(&[grant("API_KEY", SecretMode::Inject)], &secrets, Values::Real).expect("random");
    for length in [10, 11, 19, 20, 1000] {
        let body = format!("b{}b", "a".repeat(length));
        for cuts in [vec![], vec![5], (0..body.len()).collect()] {
            assert_eq!(text(&run, &body, &cuts), "b[secret API_KEY]b", "{length}");
        }
    }
    assert_eq!(text(&run, "aaaaaaaaa", &[3]), "aaaaaaaaa");
}

proptest! {
    #[test]
    fn no_value_comes_through_however_the_body_is_cut(
        parts in proptest::collection::vec(prop_oneof![
            Just(KEY.to_owned()), Just("another-value-0123".to_owned()), Just(hex::encode(KEY)), Just(STANDARD.encode(KEY)),
            Just(KEY[..9].to_owned()), Just(KEY[9..].to_owned()), Just("another-".to_owned()), "[ -~]{0,6}",
        ], 0..12),
        mut cuts in proptest::collection::vec(0usize..400, 0..12),
    ) {
        let run = both();
        cuts.sort_unstable();
        let body = parts.concat();
        let out = text(&run, &body, &cuts);
        prop_assert!(!out.contains(KEY) && !out.contains("another-value-0123") && !out.contains(&hex::encode(KEY)), "{}", out);
        prop_assert_eq!(&out, &text(&run, &body, &[]), "the cuts change nothing");
        prop_assert_eq!(run.scrub_text(&body).unwrap_or(body), out);
    }

    #[test]
    fn a_body_without_values_is_unchanged(body in proptest::collection::vec(any::<u8>(), 0..600), mut cuts in proptest::collection::vec(0usize..600, 0..12)) {
        let run = both();
        cuts.sort_unstable();
        prop_assert_eq!(scrub(&run, &body, &cuts), body);
    }

    #[test]
    fn any_value_is_taken_out(value in "[!-~]{8,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}", cut in 0usize..80) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, &value).expect("written");
        let secrets = Secrets::with(specs(&[("S", file(&path))]), None, environment);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        prop_assert_eq!(runtime.block_on(secrets.read_all()), []);
        let run = RunSecrets::new(&[grant("S", SecretMode::Inject)], &secrets, Values::Real).expect("random");
        let out = text(&run, &format!("{before}{value}{after}"), &[cut]);
        prop_assert!(!out.contains(&value), "{}", out);
        for encoded in [STANDARD.encode(&value), hex::encode(&value), byte_serialize(value.as_bytes()).collect()] {
            prop_assert!(text(&run, &encoded, &[cut]).contains("[secret S]"), "{}", encoded);
        }
    }
}
