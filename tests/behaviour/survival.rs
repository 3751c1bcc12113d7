//! What outlives what: the server its cells, the record the server.

use crate::house::command::{cordon, verify};
use crate::house::process::{alive, cells, family, signal, stat, zygotes};
use crate::house::{Ask, House, Plan, eventually, heavy};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// How often the server is killed under load; `CORDON_KILLS` raises it.
const KILLS: usize = 4;

/// A run that burns CPU until somebody ends it.
fn burner() -> Value {
    json!({"code": "export default () => { for (;;); }", "limits": {"cpuMs": 2000}})
}

#[test]
fn a_cell_killed_from_outside_costs_its_run_alone_and_is_sealed() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let pid = house.pid();
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| house.run(&burner()));
        let cell = eventually("a cell that burns", || cells(pid).into_iter().find(|cell| stat(cell.pid).is_some_and(|now| now.ticks > 10)));
        signal(cell.pid, "KILL");
        run.join().expect("the run's thread")
    });
    assert_eq!(report["outcome"], "internalError", "{report}");
    house.assert_well("untrusted");
    assert_eq!(house.verdict()["open"], 0);
}

#[test]
fn a_killed_zygote_is_replaced_and_runs_go_on() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    for zygote in zygotes(house.pid()) {
        signal(zygote, "KILL");
    }
    for profile in ["untrusted", "validated", "production"] {
        eventually("an answer after the zygotes died", || {
            let reply = house.post(&json!({"code": "export default 42", "profile": profile}));
            (reply.status == 200 && reply.json()["result"] == 42).then_some(())
        });
    }
}

#[test]
fn servers_of_one_user_that_start_at_once_all_come_up() {
    let _alone = heavy();
    // The kernel counts the descriptors that are on their way between processes per user, not per server.
    let config = || Plan { config: Some("[pool]\nuntrusted = 40\n".to_owned()), ..Plan::default() };
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let house = House::start(config());
                eventually("the idle cells", || (house.metric("cordon_cells{tier=\"0\",state=\"idle\"}") >= 40.0).then_some(()));
                house.assert_well("untrusted");
                assert!(!house.stderr().contains("ERROR"), "{}", house.stderr());
                assert_eq!(house.stop(), Some(0));
            });
        }
    });
}

#[test]
fn a_burst_of_memory_bombs_leaves_the_server_and_the_benign_runs_standing() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let bomb = json!({"code": "export default () => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); }"});
    std::thread::scope(|scope| {
        let bombs: Vec<_> = (0..64).map(|_| scope.spawn(|| house.post(&bomb))).collect();
        let benign: Vec<_> = (0..8).map(|_| scope.spawn(|| house.code("export default () => 40 + 2"))).collect();
        for run in benign {
            assert_eq!(run.join().expect("a benign run")["result"], 42);
        }
        for run in bombs {
            let reply = run.join().expect("a bomb");
            assert_eq!((reply.status, &reply.json()["outcome"]), (200, &json!("exceededMemory")), "{}", reply.text());
        }
    });
    house.assert_well("untrusted");
    assert_eq!(house.verdict()["open"], 0);
}

/// Kills the server while four clients ask it, once at least sixty runs were acknowledged; their ids, and the processes that were killed.
fn kill_under_load(house: &House) -> (Vec<String>, BTreeSet<u32>) {
    let acknowledged = Mutex::new(Vec::new());
    let client = || {
        let ask = Ask::post("/v1/runs", &json!({"code": "export default () => 1"}));
        // Until the server is gone.
        while let Ok(reply) = ask.send(house.public()) {
            let report = reply.json();
            assert_eq!((reply.status, &report["outcome"]), (200, &json!("ok")), "{report}\n{}", house.stderr());
            acknowledged.lock().expect("the list").push(report["run"].as_str().expect("a run id").to_owned());
        }
    };
    let processes = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        eventually("sixty runs, or a client that gave up", || {
            let enough = acknowledged.lock().expect("the list").len() >= 60;
            (enough || clients.iter().any(|client| client.is_finished())).then_some(())
        });
        let processes = family(house.pid());
        signal(house.pid(), "KILL");
        processes
    });
    (acknowledged.into_inner().expect("the list"), processes)
}

#[test]
fn a_killed_server_loses_nothing_it_acknowledged_and_leaves_no_process() {
    let _alone = heavy();
    let kills = std::env::var("CORDON_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut data = None;
    for round in 0..kills {
        let house = House::start(Plan { data: data.take(), ..Plan::default() });
        let (acknowledged, processes) = kill_under_load(&house);
        assert!(acknowledged.len() >= 60, "round {round}: {} runs\n{}", acknowledged.len(), house.stderr());
        let folder = house.kill();
        eventually("every process of the killed server is gone", || alive(&processes).is_empty().then_some(()));
        let again = House::start(Plan { data: Some(folder), ..Plan::default() });
        for run in acknowledged {
            assert_eq!(again.get(&format!("/v1/runs/{run}"))["outcome"], "ok", "round {round}: {run}");
        }
        let folder = again.folder();
        assert_eq!(again.stop(), Some(0));
        let (code, verdict) = verify(&folder.path().join("data"));
        assert!(verdict["seals"].as_u64() >= Some(60 * (round as u64 + 1)), "{verdict}");
        assert_eq!((code, &verdict["fault"], &verdict["open"]), (Some(0), &Value::Null, &json!(0)), "{verdict}");
        data = Some(folder);
    }
}

#[test]
fn a_server_told_to_stop_finishes_its_runs_and_exits_with_0() {
    let _alone = heavy();
    let mut house = House::start(Plan::default());
    let (public, pid) = (house.public().to_owned(), house.pid());
    let run = std::thread::spawn(move || {
        let code = "export default async () => { await new Promise((done) => setTimeout(done, 500)); return 7; }";
        Ask::post("/v1/runs", &json!({"code": code})).send(&public).expect("answered while draining").json()
    });
    eventually("the run is under way", || (house.metric("cordon_admission_running") > 0.0).then_some(()));
    signal(pid, "TERM");
    assert_eq!(run.join().expect("the run")["result"], 7);
    assert_eq!(house.await_exit(), Some(0));
    let data = house.data();
    let verdict = cordon(&["audit", "verify", "--json", "--data", data.to_str().expect("a path")]);
    assert_eq!((verdict.code, &verdict.json()["open"]), (Some(0), &json!(0)), "{}{}", verdict.stdout, verdict.stderr);
}
