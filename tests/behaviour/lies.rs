//! A cell that lies: it forges outcomes, results and frames, floods, stops reading, dies without a word. It is cut off and gains nothing.
#![cfg(debug_assertions)]

use crate::house::{House, Plan, eventually, heavy, process};
use serde_json::json;

/// Each lie, and the outcome of its run.
const LIES: [(&str, &str); 21] = [
    ("outcome", "crashed"),
    ("no_json", "crashed"),
    ("deep_json", "crashed"),
    ("long_result", "crashed"),
    ("long_error", "crashed"),
    ("prepared", "crashed"),
    ("compiled", "crashed"),
    ("rejected_twice", "crashed"),
    ("garbage", "crashed"),
    ("huge_frame", "crashed"),
    ("half_frame", "crashed"),
    ("flood", "crashed"),
    ("denials", "crashed"),
    ("twice", "ok"),
    ("spin", "exceededCpu"),
    ("sleep", "exceededWallTime"),
    ("fault", "crashed"),
    ("abort", "crashed"),
    ("exit", "crashed"),
    ("memory", "exceededMemory"),
    ("none_such", "ok"),
];

fn at_rest(house: &House) -> usize {
    eventually("the pools are full and nothing else lives", || process::at_rest(house.pid()).then_some(()));
    process::descriptors(house.pid())
}

fn lie(house: &House, lie: &str, expected: &str) {
    // A busy machine may give a cell less than half a CPU: the CPU time must end first where it is to end first.
    let limits = if expected == "exceededCpu" { json!({"cpuMs": 50}) } else { json!({"wallMs": 1000}) };
    let report = house.run(&json!({"code": "1", "entrypoint": format!("__lie_{lie}"), "limits": limits}));
    assert_eq!(report["outcome"], expected, "{lie}: {report}");
    let stored = house.get(&format!("/v1/runs/{}", report["run"].as_str().expect("an id")));
    assert_eq!(stored, report, "{lie}: sealed as answered");
    assert_eq!((&report["tier"], &report["profile"]), (&json!(0), &json!("untrusted")), "{lie}");
    match expected {
        "ok" => assert!(report["error"].is_null(), "{lie}"),
        outcome => assert_eq!((&report["result"], &report["error"]["code"]), (&json!(null), &json!(outcome)), "{lie}"),
    }
    house.assert_well("untrusted");
}

#[test]
fn a_cell_that_lies_is_cut_off_and_gains_nothing() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let supervisor = house.pid();
    let before = at_rest(&house);
    for (name, expected) in LIES {
        lie(&house, name, expected);
    }
    let twice = house.run(&json!({"code": "1", "entrypoint": "__lie_twice"}));
    assert_eq!(twice["result"], 1, "the first word counts, the second is not read");
    let log_flood = house.run(&json!({"code": "1", "entrypoint": "__lie_flood"}));
    assert!(log_flood["logs"].as_array().is_some_and(|logs| logs.len() <= 201), "the flood stays inside the caps");
    let after = at_rest(&house);
    assert!(after <= before + process::DESCRIPTORS_SLACK, "{before} descriptors before, {after} after");
    assert_eq!(house.pid(), supervisor);
    let verdict = house.verdict();
    assert_eq!((&verdict["fault"], &verdict["open"]), (&json!(null), &json!(0)), "{verdict}");
    assert_eq!(house.stop(), Some(0));
}
