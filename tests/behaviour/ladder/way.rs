//! The whole way up, and down.

use super::Team;
use crate::house::{Ask, Reply, eventually};
use serde_json::{Value, json};
use std::time::Instant;

/// Doubles its input; `"spin"` burns CPU, `"wait"` sits, both until somebody ends it.
const CODE: &str = "export default async (x: unknown) => {
  if (x === 'spin') for (;;);
  if (x === 'wait') await new Promise((done) => setTimeout(done, 25000));
  return Number(x) * 2;
}";

fn code(reply: &Reply) -> (u16, Value) {
    (reply.status, reply.json()["code"].clone())
}

#[test]
fn an_artifact_goes_all_the_way_up_by_what_each_step_asks_for() {
    let team = Team::start();
    let id = team.shelve("agent", CODE, &json!({"name": "doubler"}));
    let bare = team.run("agent", &json!({"code": CODE, "profile": "validated"}));
    assert_eq!(code(&bare), (403, json!("policyDenied")), "{}", bare.text());
    assert!(bare.json()["decisionId"].is_string() && bare.json()["detail"].as_str().is_some_and(|detail| detail.contains("tier 0")));
    assert_eq!(team.run("agent", &json!({"artifact": id, "profile": "validated"})).status, 403);
    assert_eq!(team.step("agent", &id, "validate", &json!({})).status, 403, "agents do not validate");
    let step = team.takes("ann", &id, "validate", &json!({}));
    assert_eq!((&step["tier"], &step["profile"]), (&json!(1), &json!("validated")), "{step}");
    let requirements = |missing: Vec<(String, String)>| missing.into_iter().map(|(requirement, _)| requirement).collect::<Vec<_>>();
    assert_eq!(requirements(team.misses("olga", &id, "promote", &json!({}))), ["cleanRuns", "reviews"]);
    for _ in 0..2 {
        let report = team.well(&id, &json!(21));
        assert_eq!((&report["tier"], &report["profile"], &report["result"]), (&json!(1), &json!("validated"), &json!(42)));
    }
    assert_eq!(requirements(team.misses("olga", &id, "promote", &json!({}))), ["reviews"]);
    assert_eq!(team.step("agent", &id, "reviews", &json!({"verdict": "approve", "comment": "mine"})).status, 403);
    team.shelve("ann", CODE, &json!({}));
    let own = team.step("ann", &id, "reviews", &json!({"verdict": "approve", "comment": "mine"}));
    assert_eq!(code(&own), (403, json!("policyDenied")), "{}", own.text());
    let review = team.takes("ben", &id, "reviews", &json!({"verdict": "approve", "comment": "read it"}));
    assert_eq!(team.step("ben", &id, "promote", &json!({})).status, 403, "developers do not promote");
    let step = team.takes("olga", &id, "promote", &json!({}));
    assert_eq!((&step["tier"], &step["profile"]), (&json!(2), &json!("production")), "{step}");
    assert_eq!(team.well(&id, &json!(2))["tier"], 2);
    shown_as_it_climbed(&team, &id, &step, &review);
    assert_eq!(team.run("agent", &json!({"code": CODE})).json()["tier"], 0, "the same sources, sent along");
    assert_eq!(team.house.verdict()["fault"], Value::Null);
}

fn shown_as_it_climbed(team: &Team, id: &str, step: &Value, review: &Value) {
    let shown = team.shown(id);
    let standing = &shown["standing"];
    assert_eq!((&shown["tier"], &standing["state"], &standing["stale"]), (&json!(2), &json!("runs"), &Value::Null), "{shown}");
    assert_eq!((&standing["sequence"], &standing["evidence"]["id"]), (&step["sequence"], &step["evidence"]));
    let rows = |member: &str| shown[member].as_array().unwrap_or_else(|| panic!("{member}: {shown}")).clone();
    let steps: Vec<String> = rows("steps").iter().map(|row| row["step"].as_str().expect("a step").to_owned()).collect();
    assert_eq!(steps, ["promoted", "failed", "failed", "validated"]);
    let promoted = &rows("steps")[0];
    assert_eq!((&promoted["reviews"], &promoted["cleanRuns"]), (&json!([review["sequence"]]), &json!(2)));
    assert!(promoted["decisionId"].is_string() && promoted["by"]["name"] == "olga", "{promoted}");
    assert_eq!((rows("reviews").len(), rows("authors").len(), rows("submissions").len(), rows("evidence").len()), (1, 2, 2, 4));
    assert!(rows("submissions").iter().any(|row| row["manifest"]["name"] == "doubler"), "{shown}");
    assert!(rows("evidence").iter().all(|row| row["set"]["artifact"] == id));
}

#[test]
fn what_is_served_by_its_alias_runs_at_the_tier_of_its_artifact() {
    let team = Team::start();
    let id = team.shelve("agent", "export default { fetch: () => new Response('served') }", &json!({}));
    team.takes("olga", &id, "validate", &json!({}));
    assert_eq!(team.ask("olga", Ask::post("/v1/aliases/shop", &json!({"artifact": id})).by("PUT")).status, 200);
    let served = || {
        let reply = team.ask("agent", Ask::get("/w/shop/"));
        assert_eq!(reply.text(), "served");
        let run = reply.header("cordon-run").expect("a run").to_owned();
        let sealed = || Some(team.ask("olga", Ask::get(&format!("/v1/runs/{run}")))).filter(|reply| reply.status == 200);
        eventually("the report", || sealed().map(|reply| reply.json()).filter(|report| report["outcome"].is_string()))["tier"].clone()
    };
    assert_eq!((served(), served()), (json!(1), json!(1)));
    team.takes("ben", &id, "reviews", &json!({"verdict": "approve", "comment": "read"}));
    team.takes("otto", &id, "promote", &json!({}));
    assert_eq!(served(), 2);
    team.takes("otto", &id, "demote", &json!({"reason": "done"}));
    assert_eq!(served(), 0);
}

#[test]
fn an_objection_holds_until_the_same_reviewer_lifts_it_and_an_author_promotes_nothing() {
    let team = Team::start();
    let id = team.shelve("agent", CODE, &json!({}));
    team.raise(&id);
    team.takes("otto", &id, "reviews", &json!({"verdict": "object", "comment": "no tests"}));
    let missing = team.misses("olga", &id, "promote", &json!({}));
    assert!(missing.len() == 1 && missing[0].0 == "reviews" && missing[0].1.contains("no tests"), "{missing:?}");
    team.takes("otto", &id, "reviews", &json!({"verdict": "approve", "comment": "tests came"}));
    // Who sends the same sources is an author from then on, also by running them.
    assert_eq!(team.run("olga", &json!({"modules": {"main.ts": CODE}, "input": 1})).json()["artifact"], id);
    assert_eq!(team.step("olga", &id, "promote", &json!({})).status, 403);
    for reviewer in ["ben", "otto"] {
        team.shelve(reviewer, CODE, &json!({}));
    }
    assert_eq!(team.step("otto", &id, "promote", &json!({})).status, 403, "nobody is left");
}

#[test]
fn a_demotion_ends_what_runs_and_new_runs_are_at_tier_0() {
    let team = Team::start();
    let id = team.shelve("agent", CODE, &json!({}));
    team.raise(&id);
    team.takes("olga", &id, "promote", &json!({}));
    for how in ["spin", "wait"] {
        let (ended, told) = std::thread::scope(|scope| {
            let run = scope.spawn(|| (team.run("agent", &json!({"artifact": id, "input": how})).json(), Instant::now()));
            eventually("the run is under way", || (team.house.metric("cordon_admission_running") > 0.0).then_some(()));
            let told = team.takes("olga", &id, "demote", &json!({"reason": "it leaks", "stopRunning": true}));
            let answered = Instant::now();
            let (report, ended) = run.join().expect("a run");
            println!("{how}: from the order's answer to the run's: {:?}", ended.saturating_duration_since(answered));
            (report, told)
        });
        assert_eq!((&ended["outcome"], &told["stopped"], &told["tier"]), (&json!("killSwitch"), &json!(1), &json!(0)), "{ended}{told}");
        assert_eq!(team.well(&id, &json!(1))["tier"], 0);
        assert_eq!(team.run("agent", &json!({"artifact": id, "profile": "production"})).status, 403);
        assert_eq!(team.shown(&id)["steps"][0]["reason"], "it leaks");
        let again = team.step("olga", &id, "demote", &json!({"reason": "again"}));
        assert_eq!(code(&again), (409, json!("conflict")));
        team.raise(&id);
        team.takes("olga", &id, "promote", &json!({}));
    }
    assert_eq!(team.step("ann", &id, "demote", &json!({"reason": "x"})).status, 403, "developers do not demote");
    assert_eq!(team.house.verdict()["open"], 0);
}
