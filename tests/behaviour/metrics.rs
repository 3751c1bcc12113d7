//! What operators scrape: what happened is counted, under the label that says what it was.

use crate::house::{Ask, House, Plan, eventually, heavy, process};
use serde_json::json;

/// The sum of a family's samples whose labels hold all of `labels`.
fn sum(house: &House, family: &str, labels: &[&str]) -> f64 {
    let text = house.operator_get("/metrics").text();
    let samples = text.lines().filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' '])));
    let wanted = samples.filter(|line| labels.iter().all(|label| line.contains(label)));
    wanted.map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).expect("a number")).sum()
}

/// Asserts that `act` raises the sum of `family` with `labels` by at least one.
#[track_caller]
fn counts(house: &House, family: &str, labels: &[&str], act: impl FnOnce()) {
    let before = sum(house, family, labels);
    act();
    eventually(&format!("{family} {labels:?} grows"), || (sum(house, family, labels) > before).then_some(()));
}

#[test]
fn the_end_of_every_cell_is_counted_by_what_ended_it() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let exits =
        |cause: &str, act: &dyn Fn()| counts(&house, "cordon_cell_exits_total", &["tier=\"0\"", &format!("cause=\"{cause}\"")], act);
    let run = |body: serde_json::Value| drop(house.run(&body));
    exits("done", &|| run(json!({"code": "export default 1"})));
    exits("cpu", &|| {
        let native = "export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)";
        run(json!({"code": native, "limits": {"cpuMs": 10}}));
    });
    let waits =
        |wall: u64| json!({"code": "export default () => new Promise((done) => setTimeout(done, 9000))", "limits": {"wallMs": wall}});
    // Prepared by now, so that it is a cell of tier 0 that the client leaves, not one of intake.
    assert_eq!(house.run(&waits(1))["outcome"], "exceededWallTime");
    let ask = Ask::post("/v1/runs", &waits(10_000));
    exits("canceled", &|| {
        let connection = ask.begin(house.public()).expect("a connection");
        eventually("the run is under way", || (house.metric("cordon_admission_running") > 0.0).then_some(()));
        drop(connection);
    });
    counts(&house, "cordon_cell_exits_total", &["tier=\"intake\"", "cause=\"done\""], || {
        drop(house.code("export default 'new to intake'"))
    });
    counts(&house, "cordon_zygote_replacements_total", &["tier=\"1\"", "reason=\"died\""], || {
        counts(&house, "cordon_cell_exits_total", &["tier=\"1\"", "cause=\"internal\""], || {
            eventually("every zygote is there", || (process::zygotes(house.pid()).len() == 4).then_some(()));
            process::zygotes(house.pid()).iter().for_each(|zygote| process::signal(*zygote, "KILL"));
        });
    });
    assert_eq!(house.metric("cordon_trace_complete_ratio"), 1.0);
}

#[test]
#[cfg(debug_assertions)]
fn what_a_hostile_cell_does_is_counted() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let native = |entrypoint: &str| drop(house.run(&json!({"code": "1", "entrypoint": entrypoint, "limits": {"wallMs": 1000}})));
    counts(&house, "cordon_seccomp_refusals_total", &["syscall=\"socket\""], || native("__probe_network"));
    counts(&house, "cordon_seccomp_refusals_total", &["syscall=\"execve\""], || native("__probe_programs"));
    counts(&house, "cordon_cell_exits_total", &["cause=\"protocol\""], || native("__lie_garbage"));
    counts(&house, "cordon_cell_exits_total", &["cause=\"memory\""], || native("__lie_memory"));
    counts(&house, "cordon_cell_exits_total", &["cause=\"wall\""], || native("__lie_sleep"));
    counts(&house, "cordon_cell_exits_total", &["cause=\"crashed\""], || native("__lie_abort"));
    counts(&house, "cordon_zygote_replacements_total", &["reason=\"fault\""], || {
        native("__lie_fault");
        // The successor is asked for when the next cell is.
        house.assert_well("untrusted");
    });
    counts(&house, "cordon_cell_exits_total", &["cause=\"unused\""], || ());
}

#[test]
fn requests_connections_and_refusals_are_counted() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    counts(&house, "cordon_denials_total", &["capability=\"codegen\"", "reason=\"disabled\""], || {
        drop(house.code("export default () => { try { eval('1') } catch {} }"))
    });
    counts(&house, "cordon_denials_total", &["capability=\"module\"", "reason=\"notInArtifact\""], || {
        assert_eq!(house.post(&json!({"code": "import 'node:fs'"})).status, 422);
    });
    counts(&house, "cordon_refusals_total", &["code=\"invalidRequest\""], || drop(house.post(&json!({}))));
    counts(&house, "cordon_admission_wait_seconds_count", &[], || drop(house.code("1")));
    counts(&house, "cordon_isolate_start_seconds_count", &["state=\"warm\""], || drop(house.code("1")));
    let before = house.metric("cordon_provenance_records_total");
    drop(house.code("export default 1"));
    assert_eq!(house.metric("cordon_provenance_records_total"), before + 2.0, "an intent and a seal");
    let idle = std::net::TcpStream::connect(house.public()).expect("a connection");
    eventually("the connection is counted", || (house.metric("cordon_http_connections{listener=\"public\"}") == 1.0).then_some(()));
    drop(idle);
    eventually("its end as well", || (house.metric("cordon_http_connections{listener=\"public\"}") == 0.0).then_some(()));
}
