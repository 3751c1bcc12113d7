//! Policies are replaced while everything runs.

use super::{Team, VALIDATED};
use crate::house::process::signal;
use crate::house::{Ask, Reply, eventually};
use serde_json::{Value, json};

impl Team {
    /// Writes a file of the folder of policies.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.house.folder().path().join("policies").join(name), text).expect("written");
    }

    fn reload(&self) -> Reply {
        self.at_operator("olga", Ask::post("/v1/policies/reload", &json!({})))
    }

    /// The built-in profile of tier 1 with another budget of CPU time.
    fn write_cpu(&self, cpu_ms: u64) {
        let changed = VALIDATED.replace("cpu_ms = 2000", &format!("cpu_ms = {cpu_ms}"));
        self.write("validated.toml", &changed);
    }
}

/// Waits until the artifact stands on other evidence than `before`, which counts; the new one's id.
fn revalidated(team: &Team, id: &str, before: &Value) -> Value {
    eventually("evidence is gathered again", || {
        let standing = team.shown(id)["standing"].clone();
        (standing["evidence"]["id"] != *before && standing["stale"].is_null()).then(|| standing["evidence"]["id"].clone())
    })
}

#[test]
fn a_good_change_is_in_force_at_once_and_evidence_is_gathered_again() {
    let team = Team::start();
    let id = team.shelve("agent", "export default (x) => x ?? 0", &json!({}));
    let before = team.takes("ann", &id, "validate", &json!({}))["evidence"].clone();
    team.well(&id, &json!(1));
    team.write_cpu(1900);
    let reply = team.reload();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_ne!(reply.json()["revision"], reply.json()["previous"]);
    let after = revalidated(&team, &id, &before);
    let steps: Vec<Value> = team.shown(&id)["steps"].as_array().expect("steps").iter().map(|row| row["step"].clone()).collect();
    assert_eq!(steps, ["revalidated", "wentStale", "validated"]);
    assert_eq!(team.well(&id, &json!(1))["tier"], 1);
    assert_eq!(team.shown(&id)["standing"]["cleanRuns"], 1, "runs under other evidence count no more");
    team.write_cpu(1800);
    signal(team.house.pid(), "HUP");
    revalidated(&team, &id, &after);
    assert_eq!(team.well(&id, &json!(1))["tier"], 1);
    assert_eq!(team.house.verdict()["fault"], Value::Null);
}

#[test]
fn a_change_under_which_the_artifact_fails_leaves_it_refused_with_the_reason() {
    let team = Team::start();
    let id = team.shelve("agent", "export default (x) => x ?? 0", &json!({}));
    team.takes("ann", &id, "validate", &json!({}));
    let case = "\n[[case]]\nname = \"one\"\ninput = 1\n[case.expect]\nresult = 2\n";
    team.write("validated.toml", &format!("{VALIDATED}{case}"));
    assert_eq!(team.reload().status, 200);
    eventually("evidence is gathered in vain", || (team.shown(&id)["steps"][0]["step"] == "failed").then_some(()));
    let shown = team.shown(&id);
    assert_eq!((&shown["tier"], &shown["standing"]["state"]), (&json!(1), &json!("refused")), "{shown}");
    assert_eq!(shown["standing"]["stale"], "was gathered under another policy");
    let refused = team.run("agent", &json!({"artifact": id, "input": 1}));
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("policyDenied")), "{}", refused.text());
    assert_eq!(team.run("agent", &json!({"artifact": id, "input": 1, "profile": "untrusted"})).json()["tier"], 0);
    let again = team.at_operator("olga", Ask::post("/v1/revalidate", &json!({"artifact": id}))).json();
    assert_eq!(again["failed"][0][0], json!(id), "{again}");
}

#[test]
fn a_folder_with_mistakes_changes_nothing_and_all_of_them_are_told() {
    let team = Team::start();
    let id = team.shelve("agent", "export default (x) => x ?? 0", &json!({}));
    team.takes("ann", &id, "validate", &json!({}));
    let broken = VALIDATED.replace("cpu_ms = 2000", "cpu_ms = \"fast\"").replace("stale = \"refuse\"", "stale = \"maybe\"");
    team.write("validated.toml", &broken);
    team.write("cordon.cedar", "permit (principal, action, resource");
    let reply = team.reload();
    let detail = reply.json()["detail"].as_str().expect("text").to_owned();
    assert_eq!(reply.status, 409, "{detail}");
    for told in ["cpu_ms", "stale", "cordon.cedar"] {
        assert!(detail.contains(told), "{told}: {detail}");
    }
    assert_eq!(team.well(&id, &json!(1))["tier"], 1, "the old set is in force");
    signal(team.house.pid(), "HUP");
    eventually("the server says so", || team.house.stderr().contains("policies were not replaced").then_some(()));
    assert_eq!(team.well(&id, &json!(1))["tier"], 1);
    assert_eq!(team.house.verdict()["fault"], Value::Null);
}

#[test]
fn more_memory_than_processes_were_started_for_needs_a_restart() {
    let team = Team::start();
    let with = |memory_mb: u64| {
        team.write("validated.toml", &VALIDATED.replace("memory_mb = 128", &format!("memory_mb = {memory_mb}")));
        team.reload()
    };
    assert_eq!(with(128).status, 200);
    let refused = with(129);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("restart the server")), "{}", refused.text());
    assert_eq!(with(64).status, 200);
    assert_eq!(with(128).status, 200, "what was started is still there");
    assert_eq!(team.at_operator("ann", Ask::post("/v1/policies/reload", &json!({}))).status, 403);
}
