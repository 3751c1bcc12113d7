//! Many runs at once, every other one hostile.

use crate::house::{House, Plan, eventually, heavy, process};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs in sum; `CORDON_RUNS` raises it.
const RUNS: usize = 1000;

/// Clients at once.
const CLIENTS: usize = 32;

/// What hostile runs do, and the ends that are right. Budgets are small so that the whole takes seconds; only one that waits comes to the end of its wall
/// time, also where others keep the CPUs busy.
fn hostile(turn: usize) -> (Value, &'static [&'static str]) {
    let code = |code: &str| json!({"code": code, "limits": {"cpuMs": 20, "memoryMb": 16}});
    let waits = |code: &str| json!({"code": code, "limits": {"wallMs": 500}});
    match turn % 10 {
        0 => (code("for (;;) {}"), &["exceededCpu"]),
        1 => (code("export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"), &["exceededCpu"]),
        // A fatal end of V8's heap: nothing in it can be unwound.
        2 => (code("export default () => { const kept = []; for (;;) kept.push([...kept, 1]); }"), &["exceededMemory", "exceededCpu"]),
        3 => (
            code("export default () => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); }"),
            &["exceededMemory", "exceededCpu"],
        ),
        // With the profile's CPU budget: making the text takes more than 20 ms on a slow machine.
        4 => (json!({"code": "export default () => 'x'.repeat(2 ** 22)", "limits": {"memoryMb": 16}}), &["exceededOutput"]),
        5 => (code("export default () => { for (;;) console.log('x'.repeat(100)); }"), &["exceededCpu"]),
        6 => (waits("export default () => new Promise(() => {})"), &["exceededWallTime"]),
        7 => (code("export default async () => { const again = () => Promise.resolve().then(again); await again(); }"), &["exceededCpu"]),
        8 => (
            code("export default () => { throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } }); }"),
            &["exceededCpu"],
        ),
        _ => (code("export default () => ({ toJSON() { for (;;); } })"), &["exceededCpu"]),
    }
}

fn benign(turn: usize) -> (Value, Value) {
    match turn % 3 {
        0 => (json!({"code": "export default (n: number) => n + 1", "input": turn}), json!(turn + 1)),
        1 => (json!({"code": format!("export default () => [{turn}].map((n) => n * 2)")}), json!([turn * 2])),
        _ => (
            json!({"code": "export default async (input) => { await new Promise((done) => setTimeout(done, 1)); return input; }", "input": {"a": turn}}),
            json!({"a": turn}),
        ),
    }
}

/// What is wrong with the run of this turn.
fn attempt(house: &House, turn: usize) -> Option<String> {
    if turn.is_multiple_of(2) {
        let (body, result) = benign(turn / 2);
        let reply = house.post(&body);
        let right = reply.status == 200 && reply.json()["outcome"] == "ok" && reply.json()["result"] == result;
        return (!right).then(|| format!("benign {body}: {}", reply.text()));
    }
    let (body, ends) = hostile(turn / 2);
    let reply = house.post(&body);
    let right = reply.status == 200 && ends.iter().any(|end| reply.json()["outcome"] == *end);
    (!right).then(|| format!("hostile {body}: {}", reply.text().chars().take(500).collect::<String>()))
}

#[test]
fn alternating_hostile_and_benign_runs_end_as_they_must_and_leave_nothing_behind() {
    let _alone = heavy();
    let runs = std::env::var("CORDON_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(RUNS);
    let house = House::start(Plan::default());
    let supervisor = house.pid();
    let settled =
        |house: &House| eventually("the pools are at rest", || process::at_rest(house.pid()).then(|| process::descriptors(house.pid())));
    let before = settled(&house);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let turn = next.fetch_add(1, Ordering::Relaxed)
                    && turn < runs
                {
                    if let Some(what) = attempt(&house, turn) {
                        wrong.lock().expect("the list").push(what);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("the list");
    assert!(wrong.is_empty(), "{} of {runs}, the first:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    let after = settled(&house);
    assert!(after <= before + process::DESCRIPTORS_SLACK, "{before} descriptors before, {after} after");
    assert_eq!(house.pid(), supervisor);
    let verdict = house.verdict();
    assert_eq!((&verdict["fault"], &verdict["open"]), (&json!(null), &json!(0)), "{verdict}");
    assert_eq!(house.metric("cordon_trace_complete_ratio"), 1.0);
    assert_eq!(house.stop(), Some(0));
}
