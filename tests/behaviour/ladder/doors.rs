//! Code above its tier: who may rehearse it, and where.

use super::Team;
use crate::house::{Ask, House, Plan, eventually};
use serde_json::{Value, json};
use std::path::Path;

/// True when a file below `folder` contains `text`.
fn holds(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let with = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    entries.map(|entry| entry.path()).any(|path| if path.is_dir() { holds(&path, text) } else { std::fs::read(&path).is_ok_and(with) })
}

const TRIAL: &str = r#""right":{"kind":"trial"}"#;

#[test]
fn an_operator_rehearses_on_the_operator_listener_only_and_the_record_says_so() {
    let team = Team::start();
    let body = json!({"code": "export default 42", "profile": "production"});
    let refused = team.run("olga", &body);
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("policyDenied")), "{}", refused.text());
    for who in ["agent", "ann"] {
        assert_eq!(team.at_operator(who, Ask::post("/v1/runs", &body)).status, 403, "{who}");
    }
    assert!(!holds(&team.house.data(), TRIAL), "nothing was tried yet");
    let report = team.at_operator("olga", Ask::post("/v1/runs", &body)).json();
    assert_eq!((&report["tier"], &report["profile"], &report["result"]), (&json!(2), &json!("production"), &json!(42)), "{report}");
    eventually("the intent in the store's files", || holds(&team.house.data(), TRIAL).then_some(()));
    // It earns nothing: a trial is no clean run, and the artifact stands where it stood.
    let id = report["artifact"].as_str().expect("an id");
    team.takes("ann", id, "validate", &json!({}));
    for _ in 0..3 {
        let tried = json!({"artifact": id, "profile": "production"});
        assert_eq!(team.at_operator("olga", Ask::post("/v1/runs", &tried)).json()["tier"], 2);
    }
    assert_eq!(team.shown(id)["standing"]["cleanRuns"], 0);
    let missing = team.misses("otto", id, "promote", &json!({}));
    assert_eq!(missing[0].0, "cleanRuns", "{missing:?}");
}

#[test]
fn a_server_without_keys_lets_its_developer_try_every_profile() {
    let house = House::start(Plan::default());
    for (profile, tier) in [("validated", 1), ("production", 2)] {
        let report = house.run(&json!({"code": "export default 42", "profile": profile}));
        assert_eq!((&report["tier"], &report["result"]), (&json!(tier), &json!(42)), "{report}");
    }
    eventually("the intents in the store's files", || holds(&house.data(), TRIAL).then_some(()));
    // Trying is not earning: the same developer asks for every step like everybody else.
    let id = house.run(&json!({"code": "export default 1"}))["artifact"].clone();
    let step = house.ask(&Ask::post(&format!("/v1/artifacts/{}/promote", id.as_str().expect("an id")), &json!({})));
    assert_eq!(step.status, 403, "{}", step.text());
    assert_eq!(house.run(&json!({ "artifact": id }))["tier"], 0);
    assert_eq!(house.verdict()["fault"], Value::Null);
}
