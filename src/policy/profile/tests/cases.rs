//! `[[case]]`.

use super::egress::{extra, told};
use super::*;
use crate::model::{ContractCase, Expectation, ExpectedDenial, Outcome};
use serde_json::json;

/// A profile with one case called `c`, with these lines besides.
fn case(lines: &str) -> Result<ContractCase, ConfigErrors> {
    extra(&format!("[[case]]\nname = \"c\"\n{lines}\n")).map(|profile| profile.cases.first().expect("a case").clone())
}

fn expect(lines: &str) -> Result<Expectation, ConfigErrors> {
    case(&format!("[case.expect]\n{lines}")).map(|case| case.expect)
}

#[test]
fn a_case_that_says_nothing_runs_the_default_export_on_null_and_expects_ok() {
    let expected = ContractCase {
        name: "c".into(),
        input: json!(null),
        entrypoint: "default".into(),
        fixtures: vec![],
        expect: Expectation { outcomes: vec![Outcome::Ok], result: None, denials: None },
    };
    assert_eq!(case("").expect("right"), expected);
    assert_eq!(extra("").expect("right").cases, []);
}

#[test]
fn every_key_of_a_case_is_read_in_the_order_of_the_file() {
    let text = "[[case]]\nname = \" first \"\ninput = { rows = [1, -2, 1.5, \"ü\", true], o = {} }\nentrypoint = \"handle_$1\"\n\
                [[case.fixture]]\nmethod = \"*\"\nurl = \"https://good.example/*\"\nbody = \"{}\"\n\
                [[case.fixture]]\nurl = \"https://other.example/\"\nstatus = 404\n\
                [case.expect]\noutcome = [\"ok\", \"exception\"]\nresult_json = \"[null]\"\n\
                denials = [{ capability = \"egress\", target = \"https://evil.example/\", rule = \"egress.default-deny\" }, {}]\n\
                [[case]]\nname = \"second\"\ninput_json = ' {\"a\": null} '\n\
                [case.expect]\noutcome = \"exceededCpu\"\nresult = 5\ndenials = []\n";
    let profile = extra(text).expect("right");
    let [first, second] = &profile.cases[..] else { panic!("two: {:?}", profile.cases) };
    assert_eq!((first.name.as_str(), first.entrypoint.as_str()), ("first", "handle_$1"));
    assert_eq!(first.input, json!({"rows": [1, -2, 1.5, "ü", true], "o": {}}));
    assert_eq!(first.fixtures.iter().map(|f| (f.method.as_str(), f.status)).collect::<Vec<_>>(), [("*", 200), ("GET", 404)]);
    let some = |text: &str| Some(text.to_owned());
    let denial = ExpectedDenial { capability: some("egress"), target: some("https://evil.example/"), rule: some("egress.default-deny") };
    let any = ExpectedDenial { capability: None, target: None, rule: None };
    let expected =
        Expectation { outcomes: vec![Outcome::Ok, Outcome::Exception], result: Some(json!([null])), denials: Some(vec![denial, any]) };
    assert_eq!(first.expect, expected);
    assert_eq!((&second.name[..], &second.input), ("second", &json!({"a": null})));
    let expected = Expectation { outcomes: vec![Outcome::ExceededCpu], result: Some(json!(5)), denials: Some(vec![]) };
    assert_eq!(second.expect, expected);
}

#[test]
fn every_mistake_in_every_case_is_told_with_its_line() {
    let text = "[[case]]\ninput = { a = [1979-05-27, inf] }\nextra = 1\n[[case.fixture]]\nstatus = 99\n\
                [[case]]\nname = \"a\"\ninput = 1\ninput_json = \"2\"\nentrypoint = \"a.b\"\n\
                [case.expect]\noutcome = [\"fine\", \"ok\", \"ok\"]\nresult_json = \"{\"\ndenials = [{ target = \"\", url = 1 }, 5]\n\
                [[case]]\nname = \"a\"\n[case.expect]\noutcome = []\nresult = 1\nresult_json = \"1\"\ndenials = {}\n";
    let expected = [
        (9, "`case.name` is missing"),
        (10, "`case.input.a` has a date, and JSON has none"),
        (10, "`case.input.a` has a number that JSON does not have"),
        (11, "`case.extra` is not a key here"),
        (12, "`case.fixture.url` is missing"),
        (13, "`case.fixture.status` is 99, which is outside 200 to 599"),
        (17, "`input` and `input_json` are there together"),
        (18, "`case.entrypoint`: `a.b` is not the name of an export"),
        (20, "`case.expect.outcome`: `fine` is not an outcome"),
        (20, "`case.expect.outcome` names `ok` twice"),
        (21, "`case.expect.result_json` is not JSON: EOF while parsing an object at line 1 column 1"),
        (22, "`case.expect.denials.target`: it is empty"),
        (22, "`case.expect.denials.url` is not a key here"),
        (22, "`case.expect.denials` is a whole number, a table is needed"),
        (24, "a case `a` is there already"),
        (26, "`outcome` is empty, and no run could be right"),
        (28, "`result` and `result_json` are there together"),
        (29, "`case.expect.denials` is a table, a list is needed"),
    ];
    let told = told(extra(text));
    assert_eq!(told.iter().map(|(line, message)| (*line, message.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn a_case_at_tier_0_is_a_mistake() {
    let read = told(one(&format!("{LEAST}[[case]]\nname = \"c\"\n")));
    assert_eq!(read, [(8, "the profile is at tier 0, and nothing has to enter that".to_owned())]);
    assert!(one(&format!("case = []\n{LEAST}")).is_ok());
}

#[test]
fn names_and_entrypoints_are_taken_up_to_their_lengths() {
    let named = |name: &str| extra(&format!("[[case]]\nname = \"{name}\"\n")).is_ok();
    assert!(named(&"ü".repeat(120)) && !named(&"ü".repeat(121)));
    assert!(!named("") && !named(" ") && !named("a\\nb") && !named("a\\u001bb") && named("a b: c"));
    let export = |name: &str| case(&format!("entrypoint = \"{name}\"")).is_ok();
    assert!(export(&"é".repeat(100)) && !export(&"é".repeat(101)));
    assert!(!export("") && !export("1a") && !export("a-b") && export("$") && export("größe2"));
}

#[test]
fn a_word_of_an_expectation_that_means_nothing_is_refused() {
    for outcome in Outcome::ALL {
        assert_eq!(expect(&format!("outcome = \"{outcome}\"")).expect("right").outcomes, [outcome]);
    }
    for bad in
        ["outcome = 1", "outcome = \"\"", "outcome = [1]", "outcomes = \"ok\"", "result = 07:32:00", "result_json = 1", "denials = 1"]
    {
        assert_eq!(told(expect(bad)).len(), 1, "{bad}");
    }
    assert_eq!(told(case("expect = \"ok\"")).len(), 1);
}

#[test]
fn a_profile_has_at_most_100_cases_and_a_case_at_most_64_denials() {
    for (count, right) in [(100, true), (101, false)] {
        let cases: String = (0..count).map(|n| format!("[[case]]\nname = \"{n}\"\n")).collect();
        assert_eq!(extra(&cases).is_ok(), right, "{count}");
    }
    for (count, right) in [(64, true), (65, false)] {
        assert_eq!(expect(&format!("denials = [{}]", "{},".repeat(count))).is_ok(), right, "{count}");
    }
    for (count, right) in [(256, true), (257, false)] {
        let fixtures = "[[case.fixture]]\nurl = \"https://good.example/\"\n".repeat(count);
        assert_eq!(case(&fixtures).is_ok(), right, "{count}");
    }
}

#[test]
fn cases_have_at_most_a_mib_of_json_together() {
    // Each quote takes two bytes in JSON, so that the file itself stays within its own cap.
    let text = |extra: usize| {
        let input = |quotes: usize| format!("input = '{}{}'\n", "\"".repeat(quotes), "x".repeat(extra));
        format!("[[case]]\nname = \"a\"\n{}[[case]]\nname = \"b\"\n{}", input(200_000), input(200_000))
    };
    let wide = |text: &str| extra(&format!("input_bytes = 2097152\n{text}"));
    let bytes = |profile: &Profile| profile.cases.iter().map(|case| serde_json::to_vec(case).expect("JSON").len()).sum::<usize>();
    let used = bytes(&wide(&text(0)).expect("within"));
    let left = (1 << 20) - used;
    assert_eq!(left % 2, 0);
    assert_eq!(bytes(&wide(&text(left / 2)).expect("at the cap")), 1 << 20);
    let past = told(wide(&text(left / 2 + 1)));
    assert_eq!(past, [(10, format!("the cases have {} bytes of JSON together", (1 << 20) + 2))]);
}

#[test]
fn an_input_that_no_run_would_take_is_a_mistake() {
    let input = |length: usize| format!("input_bytes = 20\n[[case]]\nname = \"c\"\ninput = \"{}\"\n", "x".repeat(length));
    assert!(extra(&input(18)).is_ok());
    assert_eq!(told(extra(&input(19))), [(12, "the input has 21 bytes of JSON, and runs under this profile take 20".to_owned())]);
}

#[test]
fn the_digest_covers_what_is_in_the_files_that_a_profile_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = |table: &str, name: &str| format!("[[{table}]]\nurl = \"https://good.example/\"\nfile = \"{name}\"\n");
    let text = format!(
        "name = \"extra\"\ntier = 1\ndescription = \"d\"\n[limits]\ncpu_ms = 1\nwall_ms = 1\nmemory_mb = 16\n[egress]\nmode = \"synthetic\"\n{}\
         [[case]]\nname = \"c\"\n{}",
        fixture("egress.fixture", "one"),
        fixture("case.fixture", "two")
    );
    std::fs::write(folder.path().join("untrusted.toml"), LEAST).expect("written");
    std::fs::write(folder.path().join("extra.toml"), &text).expect("written");
    let digest = |one: &str, two: &str| {
        std::fs::write(folder.path().join("one"), one).expect("written");
        std::fs::write(folder.path().join("two"), two).expect("written");
        let profiles = Profiles::load(Some(folder.path())).expect("right");
        profiles.by_name("extra").expect("there").digest
    };
    let digests = [digest("a", "b"), digest("b", "a"), digest("a", "c"), digest("c", "b"), digest("ab", ""), Digest::of(text.as_bytes())];
    for (at, one) in digests.iter().enumerate() {
        assert!(digests[at + 1..].iter().all(|other| one != other), "{digests:?}");
    }
    assert_eq!(digest("a", "b"), digests[0], "the same files again");
}
