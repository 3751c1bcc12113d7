//! Bodies on their way out, in pieces cut anywhere.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;

/// Feeds `body` in the pieces that `cuts` make. Returns what could be sent.
fn send(run: &RunSecrets, body: &[u8], cuts: &[usize]) -> Result<usize, (usize, Misuse)> {
    let mut guard = run.body_guard().expect("a guard");
    let mut free = 0;
    let mut start = 0;
    for end in cuts.iter().copied().filter(|&cut| cut < body.len()).chain([body.len()]) {
        let now = guard.feed(&body[start..end]).map_err(|misuse| (free, misuse))?;
        assert!(now >= free && now <= end, "{free} {now} {end}");
        (free, start) = (now, end);
    }
    guard.finish().map_err(|misuse| (free, misuse))?;
    Ok(body.len())
}

fn spellings(token: &str) -> Vec<String> {
    let escaped: String =
        token.bytes().enumerate().map(|(at, b)| if at % 2 == 0 { format!("%{b:02X}") } else { char::from(b).to_string() }).collect();
    let mut all = vec![token.to_owned(), token.to_uppercase(), hex::encode(token), hex::encode_upper(token), escaped];
    for before in ["", "a", "ab"] {
        all.extend([STANDARD.encode(format!("{before}{token}?")), URL_SAFE.encode(format!("{before}{token}?"))]);
    }
    all
}

#[test]
fn a_stand_in_is_found_wherever_a_body_is_cut_and_its_last_byte_never_leaves() {
    let (run, token) = placeholder();
    let decoy = run.decoys(&[])[1].1.clone();
    for (needle, expected) in [(token, "inBody"), (decoy, "canary")] {
        for spelling in spellings(&needle) {
            let body = format!("{{\"k\":\"%4{spelling}\"}}");
            let end = body.len() - 2;
            for cut in 0..body.len() {
                let (sent, misuse) = send(&run, body.as_bytes(), &[cut]).expect_err("a misuse");
                assert_eq!((misuse.kind, misuse.violation), (expected, true), "{spelling} cut at {cut}");
                assert!(sent <= end - spelling.len() + 4, "{spelling} cut at {cut}: {sent} were sent");
            }
            let every: Vec<usize> = (0..body.len()).collect();
            assert!(send(&run, body.as_bytes(), &every).is_err(), "{spelling} byte by byte");
        }
    }
}

#[test]
fn what_was_found_stays_found() {
    let (run, token) = placeholder();
    let mut guard = run.body_guard().expect("a guard");
    assert_eq!(kind(guard.feed(token.as_bytes())), ("inBody", true));
    assert_eq!(kind(guard.feed(b"harmless")), ("inBody", true));
    assert_eq!(kind(guard.finish()), ("inBody", true));
}

#[test]
fn a_body_without_stand_ins_flows() {
    let (run, token) = placeholder();
    let mut guard = run.body_guard().expect("a guard");
    assert_eq!(guard.feed(b"hello!").ok(), Some(6), "nothing waits that cannot begin a stand-in");
    assert_eq!(guard.feed(&token.as_bytes()[..20]).ok(), Some(6), "what can begin one waits");
    assert_eq!(guard.feed(b"!").ok(), Some(27));
    assert_eq!(guard.feed(b"%!").ok(), Some(29), "no escape, nothing begun");
    assert_eq!(guard.feed(b"!%2").ok(), Some(30), "an escape that has begun waits");
    assert_eq!(guard.finish(), Ok(()));
}

proptest! {
    #[test]
    fn a_body_without_stand_ins_passes_however_it_is_cut(body in proptest::collection::vec(any::<u8>(), 0..400), mut cuts in proptest::collection::vec(0usize..400, 0..8)) {
        let (run, _) = placeholder();
        cuts.sort_unstable();
        prop_assert!(send(&run, &body, &cuts).is_ok());
    }

    #[test]
    fn a_stand_in_with_any_characters_escaped_is_found(mask in any::<u64>(), lower in any::<u64>(), mut cuts in proptest::collection::vec(0usize..150, 0..8)) {
        let (run, token) = placeholder();
        cuts.sort_unstable();
        let escape = |(at, byte): (usize, u8)| match (mask >> at & 1, lower >> at & 1) {
            (0, _) => char::from(byte).to_string(),
            (_, 0) => format!("%{byte:02x}"),
            _ => format!("%{byte:02X}"),
        };
        let spelled: String = token.bytes().enumerate().map(escape).collect();
        prop_assert!(send(&run, spelled.as_bytes(), &cuts).is_err());
        prop_assert_eq!(kind(inspect(&run, &format!("https://good.example/v1?{spelled}"), &[])), ("inUrl", true));
    }
}
