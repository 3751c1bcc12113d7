//! What is told, what is never told, and that nothing told gets out of its place.

mod brief;
mod declare;
mod view;

use super::samples::{TRICKS, canned, hostile, orders, shipped};
use super::*;

/// What no rendering may show.
const NEVER: [&str; 5] = ["value-of-a-variable", "format-of-a-secret", "value-of-a-header", "x-header-of-a-fixture", "body-of-a-fixture"];

fn renderings(profile: &Profile) -> [String; 3] {
    let view = serde_json::to_string(&Capabilities::of(profile, Access::Run)).expect("JSON");
    [view, declarations(profile, &["fetch"]), super::brief(profile)]
}

#[test]
fn no_rendering_has_a_value_of_a_variable_or_a_secret_or_an_answer_of_a_fixture() {
    for profile in [orders(), canned(2)] {
        for told in renderings(&profile) {
            assert!(NEVER.iter().all(|never| !told.contains(never)), "{told}");
            assert!(!told.contains(&crate::model::Digest::of(b"body-of-a-fixture").to_string()), "{told}");
        }
    }
}

#[test]
fn a_text_of_a_profile_is_one_line_of_characters_that_are_seen() {
    for told in &renderings(&hostile())[1..] {
        assert!(told.chars().all(|c| c == '\n' || !words::is_unseen(c)));
        for line in told.lines().map(|line| line.trim_start_matches([' ', '*'])) {
            assert!(!["- GET evil", "escaped", "export default 1", "/ "].iter().any(|start| line.starts_with(start)), "{line}");
        }
    }
}

#[test]
fn the_names_of_the_forms_are_all_different() {
    assert_eq!(Form::ALL.map(Form::as_str), ["json", "d.ts", "text"]);
}

#[test]
fn a_quoted_text_is_whole_at_its_cap_and_says_so_one_past_it() {
    assert_eq!(words::quoted(&"ä".repeat(300)), format!("\"{}\"", "ä".repeat(300)));
    assert_eq!(words::quoted(&"ä".repeat(301)), format!("\"{}\" [cut: 301 characters]", "ä".repeat(300)));
    for trick in TRICKS {
        assert_eq!(serde_json::from_str::<String>(&words::quoted(trick)).ok().as_deref(), Some(trick), "it is a JSON string");
    }
}

#[test]
fn bytes_are_told_in_the_largest_unit_that_is_exact() {
    for (count, told) in [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1025, "1025 bytes"),
        (1 << 20, "1 MiB"),
        ((1 << 20) + 1024, "1025 KiB"),
        (1 << 30, "1024 MiB"),
    ] {
        assert_eq!(words::bytes(count), told);
    }
}

#[test]
fn a_list_ends_with_the_number_of_what_it_leaves_out() {
    assert_eq!(words::listed(["a", "b"].iter(), 2), "a, b");
    assert_eq!(words::listed(["a", "b", "c\n"].iter(), 2), "a, b and 1 more");
    assert_eq!(words::listed(["c\n"].iter(), 1), "c\\u000a");
}
