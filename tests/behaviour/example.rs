//! The worked example of a profile: its cases ask for what a real module does, under its own budgets.

use crate::house::{House, Plan};
use serde_json::{Value, json};

const PROFILE: &str = include_str!("../../policies/data-transform.toml");
const MODULE: &str = include_str!("example/transform.ts");

/// The budgets and the way out of the example, at the tier that code runs at which nobody has looked at.
fn budgets() -> String {
    let (budgets, _) = PROFILE.split_once("[promotion]").expect("what follows are promotion and cases");
    budgets.replace("\"data-transform\"", "\"untrusted\"").replace("tier = 1", "tier = 0")
}

/// `key`, or what the text of JSON under `key_json` says.
fn value(table: &Value, key: &str) -> Value {
    let text = table[format!("{key}_json")].as_str();
    text.map_or_else(|| table[key].clone(), |text| serde_json::from_str(text).expect("JSON"))
}

fn is_denied(report: &Value, expected: &Value) -> bool {
    let denials = report["denials"].as_array().expect("a list");
    let target = expected["target"].as_str().expect("a target");
    let is = |denial: &Value| {
        denial["capability"] == expected["capability"] && denial["target"].as_str().is_some_and(|text| text.starts_with(target))
    };
    denials.iter().any(is)
}

#[test]
fn a_real_module_passes_the_cases_of_the_worked_example_and_another_does_not() {
    let profile: Value = toml::from_str(PROFILE).expect("TOML");
    let house = House::start(Plan { policies: Some(vec![("untrusted.toml".to_owned(), budgets())]), ..Plan::default() });
    let cases = profile["case"].as_array().expect("cases");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (input, expected) = (value(case, "input"), &case["expect"]);
        let report = house.run(&json!({"modules": {"main.ts": MODULE}, "mainModule": "main.ts", "input": input}));
        assert_eq!((&report["outcome"], &report["result"]), (&json!("ok"), &value(expected, "result")), "{case}: {report}");
        let wanted = expected["denials"].as_array().expect("a list");
        assert!(wanted.iter().all(|wanted| is_denied(&report, wanted)), "{report}");
        assert_eq!(wanted.is_empty(), report["denials"].as_array().is_none_or(Vec::is_empty), "{report}");
        let other = house.run(&json!({"code": "export default ({ rows }) => rows.length", "input": input}));
        assert_ne!(other["result"], value(expected, "result"), "{case}");
    }
    house.stop();
}
