use super::*;
use crate::model::frame::{self, FromCell};

/// An enum called `name`, with `members` members.
fn enumeration(name: &str, members: usize) -> String {
    let members: Vec<String> = (0..members).map(|number| format!("member{number}")).collect();
    format!("enum {name} {{ {} }}", members.join(", "))
}

#[test]
fn what_grows_past_its_cap_is_refused_in_its_own_words() {
    let source = enumeration(&"E".repeat(1_000), 600);
    let rejection = module("main.ts", &source).expect_err("each member repeats the enum's name");
    let most = answer_bytes_max(source.len() as u64);
    assert!(rejection.message.starts_with("as prepared, with its source map, the source is "), "{}", rejection.message);
    assert!(rejection.message.ends_with(&format!(" times its length as sent; at most {most} bytes are accepted")), "{}", rejection.message);
    assert!(rejection.remediation.contains("shorter names, fewer enum members"), "{}", rejection.remediation);
}

#[test]
fn what_grows_less_passes() {
    assert!(module("main.ts", &enumeration("E", 1_000)).is_ok());
    assert!(module("main.ts", "").is_ok());
}

#[test]
fn what_passes_fits_into_the_frame_that_is_accepted() {
    let long = "n".repeat(300);
    let ready = |map: usize, code: usize| ReadyModule {
        name: long.clone(),
        code: "c".repeat(code),
        source_map: (map > 0).then(|| "m".repeat(map)),
    };
    let sent = order(&[("main.ts", "12"), ("lib.ts", "3")], false);
    let most = usize::try_from(answer_bytes_max(3)).expect("small");
    let left = most - 16 - 2 * (16 + 300);
    for (one, other, fits) in [(0, left, true), (1_000, left - 1_000, true), (0, left + 1, false), (left, 1, false)] {
        let modules = vec![ready(0, one), ready(other, 0)];
        assert_eq!(growth::check(&sent, &modules).is_ok(), fits, "{one} and {other}");
        assert!(!fits || frame::encode(&FromCell::Prepared(modules), most).is_ok(), "{one} and {other}");
    }
}
