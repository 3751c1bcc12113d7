//! Whatever ends a request or its run closes the origin's connection, and the ledger says so.

use super::{Scene, ask, rows};
use crate::house::command::verify;
use crate::house::process::{DESCRIPTORS_SLACK, descriptors};
use crate::house::world::End;
use crate::house::{Ask, House, Plan, eventually};
use serde_json::{Value, json};

/// A request that is not answered, and the certainty that it has arrived.
const UNDER_WAY: &str = "const path = '/late?ms=60000&run=' + ctx.run;
    const pending = fetch('https://good.example' + path, { signal: globalThis.signal }).then(() => 'answered', (reason) => reason);
    await fetch('https://good.example/after?path=' + encodeURIComponent(path));";

/// The request of `run` is over on both sides.
#[track_caller]
fn assert_over(scene: &Scene, report: &Value) {
    let path = format!("/late?ms=60000&run={}", report["run"].as_str().unwrap_or_else(|| panic!("{report}")));
    assert_eq!(scene.world.end_of(&path), End::Left, "{report}");
    let row = rows(report).into_iter().find(|(own, ..)| *own == path);
    assert_eq!(row, Some((path, 0, Some("aborted".to_owned()))), "{report}");
}

#[test]
fn an_abort_closes_the_connection_before_the_answer_and_within_its_body() {
    let scene = Scene::start("");
    let before = scene.run(
        "wide",
        &format!("const c = new AbortController(); globalThis.signal = c.signal; {UNDER_WAY} c.abort('enough'); return await pending;"),
    );
    assert_eq!(before["result"], "enough", "{before}");
    assert_over(&scene, &before);
    let within = scene.run(
        "wide",
        "const c = new AbortController();
        const { body, status } = await fetch('https://good.example/slow?ms=60000', { signal: c.signal });
        const reader = body.getReader();
        const first = (await reader.read()).value[0];
        c.abort('enough');
        return [status, first, await reader.read().catch((reason) => reason)];",
    );
    assert_eq!(within["result"], json!([200, 97, "enough"]), "{within}");
    assert_eq!(scene.world.end_of("/slow?ms=60000"), End::Left);
    assert_eq!(rows(&within), [("/slow?ms=60000".to_owned(), 200, Some("aborted".to_owned()))]);
    let canceled = scene.run("wide", "const { body } = await fetch('https://good.example/slow?ms=50000'); await body.cancel(); return 1;");
    assert_eq!(scene.world.end_of("/slow?ms=50000"), End::Left);
    assert_eq!(rows(&canceled), [("/slow?ms=50000".to_owned(), 200, Some("aborted".to_owned()))]);
}

#[test]
fn the_end_of_a_run_closes_what_it_left_open() {
    let scene = Scene::start("");
    let cases = [
        ("return 7;", json!({}), "ok"),
        ("throw new Error('done');", json!({}), "exception"),
        ("for (;;);", json!({"cpuMs": 500}), "exceededCpu"),
        ("await new Promise((done) => setTimeout(done, 60000));", json!({"wallMs": 3000}), "exceededWallTime"),
        ("const hoard = []; for (;;) hoard.push(new Array(100000).fill(hoard.length));", json!({}), "exceededMemory"),
    ];
    for (end, limits, outcome) in cases {
        let mut body = ask("wide", &format!("{UNDER_WAY} {end}"));
        body["limits"] = limits;
        let report = scene.house.run(&body);
        assert_eq!(report["outcome"], outcome, "{report}");
        assert_over(&scene, &report);
        let stored = scene.sealed(report["run"].as_str().expect("a run"));
        assert_eq!(stored["egress"], report["egress"]);
    }
}

#[test]
fn a_client_that_leaves_ends_the_requests_of_its_run() {
    let scene = Scene::start("");
    let left = Ask::post("/v1/runs", &ask("wide", &format!("{UNDER_WAY} await pending;"))).begin(scene.house.public()).expect("connected");
    let run = arrived(&scene);
    drop(left);
    let report = scene.sealed(&run);
    assert_eq!(report["outcome"], "canceled", "{report}");
    assert_over(&scene, &report);
}

#[test]
fn a_server_that_is_killed_after_the_intent_finds_and_seals_it() {
    let scene = Scene::start("");
    let _client =
        Ask::post("/v1/runs", &ask("wide", &format!("{UNDER_WAY} await pending;"))).begin(scene.house.public()).expect("connected");
    let run = arrived(&scene);
    let Scene { house, world } = scene;
    let data = house.kill();
    let path = format!("/late?ms=60000&run={run}");
    assert_eq!(world.end_of(&path), End::Left);
    let house = House::start(Plan { data: Some(data), ..world.plan("") });
    let scene = Scene { house, world };
    let report = scene.sealed(&run);
    assert_eq!((&report["outcome"], &report["error"]["name"]), (&json!("internalError"), &json!("Recovered")), "{report}");
    scene.house.assert_well("wide");
    let folder = scene.house.folder();
    assert_eq!(scene.house.stop(), Some(0));
    let (code, verdict) = verify(&folder.path().join("data"));
    assert_eq!((code, &verdict["open"]), (Some(0), &json!(0)), "{verdict}");
}

#[test]
fn a_server_told_to_stop_lets_a_request_under_way_end() {
    let scene = Scene::start("");
    let public = scene.house.public().to_owned();
    let code = ask("wide", "return await (await fetch('https://good.example/late?ms=1000')).text();");
    let run = std::thread::spawn(move || Ask::post("/v1/runs", &code).send(&public).expect("answered while draining").json());
    scene.world.until("the request", |state| (state.good() == 1).then_some(()));
    assert_eq!(scene.house.stop(), Some(0));
    let report = run.join().expect("the run");
    assert_eq!((&report["outcome"], &report["result"]), (&json!("ok"), &json!("late")), "{report}");
}

#[test]
fn requests_that_runs_leave_open_leave_no_descriptor() {
    let scene = Scene::start("");
    let pid = scene.house.pid();
    let leave = || {
        let report = scene.run("wide", &format!("{UNDER_WAY} return 1;"));
        assert_over(&scene, &report);
    };
    leave();
    let before = descriptors(pid);
    (0..20).for_each(|_| leave());
    eventually("descriptors are closed", || (descriptors(pid) <= before + DESCRIPTORS_SLACK).then_some(()));
}

/// The run whose request has arrived and is not answered.
fn arrived(scene: &Scene) -> String {
    scene.world.until("the request", |state| {
        let run = |path: &str| path.strip_prefix("/late?ms=60000&run=").map(str::to_owned);
        state.seen.iter().find_map(|seen| run(&seen.path))
    })
}
