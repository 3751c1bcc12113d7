//! The server is killed at every transition: what was acknowledged is there, and nothing stands higher than its steps say.

use super::Team;
use crate::house::command::verify;
use crate::house::process::signal;
use crate::house::{Ask, heavy};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// How often the server is killed; `CORDON_KILLS` raises it.
const KILLS: u64 = 4;

/// What the server acknowledged: tier, profile and record of each artifact's last step, and the records of its reviews.
#[derive(Default)]
struct Acknowledged {
    step: Option<(u64, u64)>,
    reviews: Vec<u64>,
}

/// Asks the server for one thing; none when it is gone.
fn post(team: &Team, who: &str, id: &str, step: &str, body: &Value) -> Option<(u16, Value)> {
    let ask = Ask::post(&format!("/v1/artifacts/{id}/{step}"), body).bearing(&team.tokens[who]);
    ask.send(team.house.public()).ok().map(|reply| (reply.status, reply.json()))
}

/// Goes up and down with the artifact `id` until the server is gone.
fn climber(team: &Team, id: &str, told: &Mutex<Acknowledged>) {
    let steps = [
        ("ann", "validate", json!({})),
        ("ben", "reviews", json!({"verdict": "approve", "comment": "read"})),
        ("agent", "run", Value::Null),
        ("agent", "run", Value::Null),
        ("olga", "promote", json!({})),
        ("olga", "demote", json!({"reason": "again"})),
    ];
    for (who, step, body) in steps.iter().cycle() {
        if *step == "run" {
            let run = Ask::post("/v1/runs", &json!({"artifact": id, "input": 1})).bearing(&team.tokens[who]);
            if run.send(team.house.public()).is_err() {
                return;
            }
            continue;
        }
        let Some((status, answer)) = post(team, who, id, step, body) else { return };
        let mut told = told.lock().expect("the list");
        match (status, *step) {
            (200, "reviews") => told.reviews.push(answer["sequence"].as_u64().expect("a number")),
            (200, _) => told.step = Some((answer["tier"].as_u64().expect("a tier"), answer["sequence"].as_u64().expect("a number"))),
            // A step that was taken by the killed server and not acknowledged is in the way of the same step.
            (409, _) => {}
            other => panic!("{other:?}: {answer}"),
        }
    }
}

/// The artifact stands where its last step put it, which is the acknowledged one or a later one that was under way.
fn check(team: &Team, id: &str, told: &Acknowledged, round: u64) {
    let shown = team.shown(id);
    let steps = shown["steps"].as_array().expect("steps");
    let moved = |row: &&Value| !["failed", "wentStale", "freshAgain"].contains(&row["step"].as_str().expect("a step"));
    let last = steps.iter().find(moved);
    let sequence = shown["standing"]["sequence"].as_u64();
    assert_eq!(last.and_then(|row| row["sequence"].as_u64()), sequence, "round {round}: {shown}");
    assert_eq!(last.map_or(&json!(0), |row| &row["to"]), &shown["tier"], "round {round}: {shown}");
    if let Some((tier, acknowledged)) = told.step {
        assert!(sequence >= Some(acknowledged), "round {round}: an acknowledged step is lost: {shown}");
        let row = steps.iter().find(|row| row["sequence"] == acknowledged).unwrap_or_else(|| panic!("round {round}: {shown}"));
        assert_eq!(row["to"], tier);
        let later = steps.iter().filter(|row| row["sequence"].as_u64() > Some(acknowledged)).filter(moved).count();
        assert!(later <= 1, "round {round}: one step at most was under way: {shown}");
    }
    let reviews: Vec<u64> = shown["reviews"].as_array().expect("reviews").iter().filter_map(|row| row["sequence"].as_u64()).collect();
    assert!(told.reviews.iter().all(|review| reviews.contains(review)), "round {round}: an acknowledged review is lost: {shown}");
}

#[test]
fn a_server_killed_at_any_transition_keeps_what_it_acknowledged_and_raises_nothing() {
    let _alone = heavy();
    let kills = std::env::var("CORDON_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut team = Team::start();
    let code = |n: usize| format!("export default (x) => (x ?? 0) + {n}");
    let told: BTreeMap<String, Mutex<Acknowledged>> =
        (0..3).map(|n| (team.shelve("agent", &code(n), &json!({})), Mutex::default())).collect();
    for round in 0..kills {
        std::thread::scope(|scope| {
            let team = &team;
            told.iter().for_each(|(id, told)| drop(scope.spawn(move || climber(team, id, told))));
            // Another moment each round, from the first step on into the third way up.
            std::thread::sleep(Duration::from_millis(150 + round * 7919 % 1700));
            signal(team.house.pid(), "KILL");
        });
        let Team { house, tokens } = team;
        team = Team::again(house.kill(), tokens);
        told.iter().for_each(|(id, told)| check(&team, id, &told.lock().expect("the list"), round));
    }
    let acknowledged = told.values().map(|told| told.lock().expect("the list").reviews.len()).sum::<usize>();
    assert!(acknowledged > 0, "nothing was acknowledged before a kill");
    println!("{kills} kills, {acknowledged} acknowledged reviews");
    let folder = team.house.folder();
    assert_eq!(team.house.stop(), Some(0));
    let (code, verdict) = verify(&folder.path().join("data"));
    assert_eq!((code, &verdict["fault"], &verdict["open"]), (Some(0), &Value::Null, &json!(0)), "{verdict}");
}
