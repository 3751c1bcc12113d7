use super::*;
use crate::model::{EgressMode, Outcome};

const HEAD: &str = "[[test]]\nname = \"n\"\nreason = \"the orders API, ticket 4711\"\nprofile = \"untrusted\"\n";

/// A folder with the built-in profiles, `text` as its one file of tests, and `snippet.ts` beside that.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("tests")).expect("made");
    for (name, text) in [
        ("untrusted.toml", include_str!("../../../policies/untrusted.toml")),
        ("tests/a.toml", text),
        ("tests/snippet.ts", "export default 1"),
        ("tests/body.json", "{}"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn load(text: &str) -> Result<Suite, Vec<String>> {
    let folder = folder(text);
    let profiles = Profiles::load(Some(folder.path())).expect("profiles");
    let told = |errors: ConfigErrors| {
        let line = |mistake: &crate::config::Mistake| mistake.position.map_or(0, |position| position.line);
        errors.mistakes().iter().map(|mistake| format!("{} {}", line(mistake), mistake.message)).collect()
    };
    Suite::load(Some(folder.path()), Some(&profiles)).map_err(told)
}

fn one(rest: &str) -> PolicyTest {
    load(&format!("{HEAD}{rest}")).expect("no mistake").tests().first().expect("a test").clone()
}

#[track_caller]
fn mistaken(text: &str, part: &str) {
    let mistakes = load(text).expect_err("mistakes");
    assert!(mistakes.iter().any(|mistake| mistake.contains(part)), "{text}: {mistakes:?}");
}

#[test]
fn a_run_is_a_snippet_or_modules_or_a_file_with_what_it_must_come_to() {
    let run = |rest: &str| match one(rest).asked {
        Asked::Run(run) => *run,
        Asked::Request(request) => panic!("{request:?}"),
    };
    let snippet = run(
        "code = \"1\"\ninput = { a = 1 }\nentrypoint = \"go\"\n[[test.fixture]]\nurl = \"https://api.example/*\"\nfile = \"body.json\"\n[test.expect]\noutcome = [\"ok\", \"exception\"]\nresult = 3\n",
    );
    assert_eq!((snippet.artifact.main_module().as_str(), snippet.entrypoint.as_str()), ("main.ts", "go"));
    assert_eq!((snippet.input, snippet.fixtures[0].body.as_ref()), (serde_json::json!({"a": 1}), b"{}".as_slice()));
    let RunExpectation::Ends(expect) = snippet.expect else { panic!("it ends") };
    assert_eq!((expect.outcomes, expect.result), (vec![Outcome::Ok, Outcome::Exception], Some(3.into())));
    let modules = run("modules = { \"main.ts\" = \"1\", \"lib/a.js\" = \"2\" }\nmain = \"main.ts\"\n[test.expect]\n");
    assert_eq!(modules.artifact.modules().len(), 2);
    assert_eq!(run("file = \"snippet.ts\"\n[test.expect]\n").artifact.main_module().as_str(), "snippet.ts");
    let refused = run("code = \"\"\n[test.expect]\ndecision = \"deny\"\nrule = \"sourceBytes\"\n").expect;
    assert_eq!(refused, RunExpectation::Refused(ExpectedDecision { allows: false, rule: Some("sourceBytes".to_owned()), code: None }));
}

#[test]
fn a_request_is_a_method_and_a_url_of_any_form() {
    let test = one("request = { url = \"nonsense\" }\n[test.expect]\ndecision = \"deny\"\ncode = \"badTarget\"\n");
    let Asked::Request(request) = test.asked else { panic!("a request") };
    assert_eq!((request.method.as_str(), request.url.as_str(), request.expect.allows), ("GET", "nonsense", false));
    assert_eq!((test.position.line, test.reason.as_str()), (2, "the orders API, ticket 4711"));
}

#[test]
fn every_mistake_of_a_file_of_tests_is_told_at_once_with_its_line() {
    let text = format!(
        "{HEAD}code = \"1\"\nfile = \"snippet.ts\"\n[test.expect]\noutcome = \"fine\"\n\n[[test]]\nname = \"n\"\nprofile = \"nobody\"\nrequest = {{ url = \"https://a.example/\" }}\ncode = \"1\"\n[test.expect]\noutcome = \"ok\"\n"
    );
    let mistakes = load(&text).expect_err("mistakes");
    for part in [
        "2 the test has more than one of",
        "8 `test.expect.outcome`: `fine`",
        "`test.reason` is missing",
        "12 `test.profile`: there is no profile `nobody`",
        "14 `code` is of a run",
        "`test.expect.decision` is missing",
        "16 `test.expect.outcome` is not a key here",
    ] {
        assert!(mistakes.iter().any(|mistake| mistake.contains(part)), "{part}: {mistakes:#?}");
    }
}

#[test]
fn what_could_only_be_a_slip_is_a_mistake() {
    let with = |rest: &str| format!("{HEAD}{rest}");
    for (rest, part) in [
        ("[test.expect]\n", "no code and no request"),
        ("code = \"1\"\n", "`test.expect` is missing"),
        ("code = \"1\"\n[test.expect]\ndecision = \"allow\"\n", "a run that starts comes to an end"),
        ("code = \"1\"\n[test.expect]\ndecision = \"deny\"\nrule = \"egress.x\"\n", "`egress.x` is none of"),
        ("code = \"1\"\n[test.expect]\ndecision = \"deny\"\ncode = \"rejcted\"\n", "is not the code of a refusal"),
        ("code = \"1\"\n[test.expect]\ndecision = \"deny\"\noutcome = \"ok\"\n", "is not a key here"),
        ("request = { url = \"https://a.example/\" }\n[test.expect]\ndecision = \"allow\"\ncode = \"x\"\n", "has no code of a refusal"),
        ("modules = { \"main.ts\" = \"\" }\nmain = \"other.ts\"\n[test.expect]\n", "is not among the modules"),
        ("modules = { \"../main.ts\" = \"\" }\nmain = \"main.ts\"\n[test.expect]\n", "not a plain relative path"),
        ("code = \"1\"\nmain = \"main.ts\"\n[test.expect]\n", "without `modules`"),
        ("file = \"none.ts\"\n[test.expect]\n", "cannot be read"),
        ("file = \"body.json\"\n[test.expect]\n", "no known kind"),
        ("file = \".\"\n[test.expect]\n", "is not a file"),
    ] {
        mistaken(&with(rest), part);
    }
    let twice = with("code = \"1\"\n[test.expect]\n").repeat(2);
    mistaken(&twice, "a test `n` is there already");
}

#[test]
fn a_folder_without_tests_has_none_and_a_thousand_are_read_but_not_one_more() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(Suite::load(Some(folder.path()), None).expect("none").tests().len(), 0);
    let many = |count: usize| -> String {
        let test = |n: usize| format!("[[test]]\nname = \"{n}\"\nreason = \"r\"\nprofile = \"untrusted\"\ncode = \"\"\nexpect = {{}}\n");
        (0..count).map(test).collect()
    };
    assert_eq!(load(&many(1000)).expect("a thousand").tests().len(), 1000);
    mistaken(&many(1001), "1001");
}

#[test]
fn a_folder_may_have_256_files_of_tests() {
    for (count, right) in [(256, true), (257, false)] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("tests")).expect("made");
        (0..count).for_each(|n| std::fs::write(folder.path().join(format!("tests/{n}.toml")), "").expect("written"));
        assert_eq!(Suite::load(Some(folder.path()), None).is_ok(), right, "{count}");
    }
}

#[test]
fn the_built_in_tests_are_about_every_built_in_profile_in_each_kind() {
    let profiles = Profiles::load(None).expect("profiles");
    let suite = Suite::load(None, Some(&profiles)).expect("tests");
    for profile in profiles.iter() {
        let of = |request: bool| {
            suite.tests().iter().filter(|test| test.profile == profile.name && matches!(test.asked, Asked::Request(_)) == request).count()
        };
        assert!(of(true) >= 1 && of(false) >= 4, "{}", profile.name);
        assert_ne!(profile.egress.mode, EgressMode::Allowlist);
    }
}

#[test]
fn a_decision_is_as_expected_in_the_fields_that_are_given() {
    let expect = |allows, rule: Option<&str>, code: Option<&str>| ExpectedDecision {
        allows,
        rule: rule.map(str::to_owned),
        code: code.map(str::to_owned),
    };
    assert_eq!(expect(true, None, None).lack(true, Some("r"), None), None);
    assert_eq!(expect(false, Some("r"), Some("c")).lack(false, Some("r"), Some("c")), None);
    assert_eq!(expect(false, None, None).lack(true, Some("r"), None).as_deref(), Some("it is allowed, not denied"));
    assert_eq!(expect(true, None, None).lack(false, Some("r"), Some("c")).as_deref(), Some("it is denied, not allowed"));
    assert_eq!(
        expect(false, Some("q"), None).lack(false, Some("r"), Some("c")).as_deref(),
        Some("it is denied by `r`, not by the rule `q`")
    );
    assert!(expect(false, Some("q"), None).lack(false, None, Some("c")).is_some());
    assert!(expect(false, None, Some("d")).lack(false, Some("r"), Some("c")).is_some());
}
