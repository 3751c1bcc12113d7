//! `cordon check`: evidence about sources, gathered without running them.

use crate::house::command::{Done, cordon_with};
use crate::house::heavy;
use serde_json::{Value, json};

fn check(source: &str, more: &[&str]) -> Done {
    let _alone = heavy();
    cordon_with(&[&["check", "-"], more].concat(), source, &[])
}

#[test]
fn what_is_found_has_its_place_its_mend_and_a_severity_by_tier() {
    let source = "export default (input: { code: string }) => {\n  return eval(input.code);\n};";
    for (tier, severity, code) in [("0", "warn", 0), ("1", "reject", 1), ("2", "reject", 1)] {
        let done = check(source, &["--tier", tier, "--format", "json"]);
        let report = done.json();
        let found = &report["findings"][0];
        assert_eq!((done.code, &found["id"], &found["severity"]), (Some(code), &json!("code.eval"), &json!(severity)), "{report}");
        assert_eq!(found["location"], json!({"file": "main.ts", "line": 2, "column": 10}));
        assert!(found["remediation"].as_str().is_some_and(|mend| !mend.is_empty()));
    }
    let text = check(source, &[]);
    assert!(text.stdout.contains("main.ts:2:10: reject: ") && text.stdout.contains("no boundary"), "{}", text.stdout);
    let sarif: Value = check(source, &["--format", "sarif"]).json();
    assert_eq!((&sarif["version"], &sarif["runs"][0]["results"][0]["ruleId"]), (&json!("2.1.0"), &json!("code.eval")));
}

#[test]
fn what_is_clean_passes_and_what_cannot_be_read_does_not() {
    assert_eq!(check("export default (n: number) => n + 1", &["--tier", "2"]).code, Some(0));
    let broken = check("export default {", &["--format", "json"]);
    assert_eq!((broken.code, &broken.json()["findings"][0]["id"]), (Some(1), &json!("source.rejected")));
    let deep = check(&format!("export default {}1{}", "[".repeat(100_000), "]".repeat(100_000)), &["--format", "json"]);
    assert_eq!(deep.code, Some(1), "{}", deep.stderr);
    for wrong in [["--tier", "3"], ["--profile", "nobody"], ["--format", "xml"]] {
        assert_eq!(check("export default 1", &wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_source_cannot_steer_the_terminal_that_its_findings_are_read_at() {
    let done = check("export default 'a\u{202e}b'; // \u{9b}2J", &[]);
    assert!(done.stdout.contains("[text.bidi]"), "{}", done.stdout);
    assert!(!done.stdout.contains(['\u{202e}', '\u{9b}', '\u{1b}']), "{:?}", done.stdout);
}
