//! What guest code and its caller see: outcomes named after what happened, nothing dropped in silence, no word of the host.

use crate::house::{House, shared};
use serde_json::{Value, json};

fn run(house: &House, code: &str) -> Value {
    house.run(&json!({"modules": {"main.js": code}, "mainModule": "main.js"}))
}

/// Runs each of `codes`, which must end as `outcome`; returns their reports. The house must be well after them.
fn each_ends_as(outcome: &str, codes: &[&str]) -> Vec<Value> {
    let house = shared();
    let ended = |code: &&str| {
        let report = run(&house, code);
        assert_eq!(report["outcome"], outcome, "{code}: {report}");
        report
    };
    let reports = codes.iter().map(ended).collect();
    house.assert_well("untrusted");
    reports
}

#[test]
fn one_allocation_that_is_too_large_is_a_limit_and_no_crash() {
    let codes = [
        "export default () => JSON.stringify(Array(100).fill('a'.repeat(1e6))).length",
        "export default () => btoa('a'.repeat(5e8)).length",
        "export default () => atob('YWJj'.repeat(100e6)).length",
        "export default () => new TextEncoder().encode('a'.repeat(3e8)).length",
        "export default () => { console.log(Symbol('a'.repeat(40e6))); return 1 }",
        "export default () => { throw { s: 'a'.repeat(4e7) } }",
    ];
    each_ends_as("exceededMemory", &codes);
}

#[test]
fn a_long_error_in_any_script_and_a_deep_result_are_the_guests_own_and_no_lies() {
    let house = shared();
    let long = run(&house, "throw new Error('検証に失敗しました。'.repeat(5000))");
    assert_eq!((&long["outcome"], &long["error"]["name"]), (&json!("exception"), &json!("Error")), "{long}");
    let nested = |depth: u32| run(&house, &format!("let d = 1; for (let i = 0; i < {depth}; i++) d = [d]; export default d"));
    let at_the_limit = house.post(&json!({"code": "let d = 1; for (let i = 0; i < 512; i++) d = [d]; export default d"})).text();
    assert!(at_the_limit.contains("\"outcome\":\"ok\""), "{at_the_limit}");
    let deep = nested(513);
    assert_eq!((&deep["outcome"], &deep["error"]["name"]), (&json!("exception"), &json!("RangeError")), "{deep}");
}

#[test]
fn what_is_left_to_wait_for_is_waited_for_and_its_failure_is_told_and_no_more() {
    let house = shared();
    let code = "export default (input, env, ctx) => {
        ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log('done'); done(); }, 20)));
        ctx.waitUntil(Promise.reject(new Error('background')));
        return 1;
    }";
    let report = run(&house, code);
    assert_eq!((&report["outcome"], &report["result"]), (&json!("ok"), &json!(1)), "{report}");
    let logs: Vec<_> = report["logs"].as_array().expect("logs").iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(logs, ["ctx.waitUntil: Error: background", "done"]);
}

#[test]
fn an_uncaught_denial_is_named_as_one_whichever_door_it_came_from() {
    let house = shared();
    for code in ["export default () => import('node:fs')", "export default () => eval('1')", "export default () => new Function('1')"] {
        let report = run(&house, code);
        assert_eq!((&report["outcome"], &report["error"]["code"]), (&json!("exception"), &json!("policyDenied")), "{code}: {report}");
    }
    // Words alone make no denial.
    let words = run(&house, "export default () => import('node:fs').catch((error) => { globalThis.text = error.message; return 1; })");
    assert_eq!(words["outcome"], "ok");
    let forged = run(&house, "throw new TypeError('import() and import reach only the modules of the artifact itself')");
    assert_eq!(forged["error"]["code"], "exception", "{forged}");
}

#[test]
fn a_listeners_error_is_the_one_that_was_thrown() {
    let house = shared();
    let code = "export default () => {
        const target = new EventTarget();
        target.addEventListener('x', () => { throw new Error('REAL'); });
        target.dispatchEvent(new Event('x'));
        return 1;
    }";
    let report = run(&house, code);
    assert_eq!((&report["outcome"], &report["error"]["message"]), (&json!("exception"), &json!("REAL")), "{report}");
}

#[test]
fn structured_clone_transfers_what_it_is_told_to() {
    let code = "export default () => {
        const buffer = new ArrayBuffer(8);
        const clone = structuredClone(buffer, { transfer: [buffer] });
        return [buffer.byteLength, buffer.detached, clone.byteLength];
    }";
    assert_eq!(run(&shared(), code)["result"], json!([0, true, 8]));
}

#[test]
fn a_run_over_its_limit_says_where_it_was() {
    let house = shared();
    let code = "function inner() { for (;;); }\nexport default function main() { return inner(); }";
    let report = house.run(&json!({"modules": {"main.js": code}, "mainModule": "main.js", "limits": {"cpuMs": 50}}));
    let stack = report["error"]["stack"].as_str().unwrap_or_default();
    assert_eq!(report["outcome"], "exceededCpu");
    assert!(stack.contains("at inner (main.js:1:") && stack.contains("at main (main.js:2:"), "{report}");
}

#[test]
fn what_is_dropped_is_counted_also_when_the_run_is_killed() {
    let house = shared();
    let native = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)";
    let killed = run(&house, &format!("export default () => {{ for (let i = 0; i < 300; i++) console.log(i); {native}; }}"));
    assert_eq!((&killed["outcome"], killed["logs"].as_array().map(Vec::len)), (&json!("exceededCpu"), Some(200)));
    // A hundred were dropped; a cell that is killed has told the last power of two.
    assert_eq!(killed["logsTruncated"], 64, "{killed}");
    let denied = run(&house, "export default async () => { for (let i = 0; i < 150; i++) try { await import('node:x' + i); } catch {} }");
    assert_eq!((denied["denials"].as_array().map(Vec::len), &denied["denialsTruncated"]), (Some(100), &json!(50)), "{denied}");
}

#[test]
fn no_clock_is_finer_than_a_millisecond_and_none_needs_a_file() {
    let house = shared();
    let before = house.metric("cordon_seccomp_refusals_total{syscall=\"openat\"}");
    let code = "export default () => {
        console.time('t'); for (let i = 0; i < 20000; i++); console.timeLog('t', 1); console.timeEnd('t'); console.timeEnd('t');
        const when = new Date(0);
        return [when.toString(), when.toLocaleString(), new Intl.DateTimeFormat('ja').format(when), Temporal.Now.timeZoneId()].every(Boolean);
    }";
    let report = run(&house, code);
    assert_eq!(report["result"], true, "{report}");
    let logs: Vec<_> = report["logs"].as_array().expect("logs").iter().filter_map(|line| line["message"].as_str()).collect();
    let whole =
        |text: &str| text.strip_prefix("t: ").and_then(|rest| rest.split_once("ms")).is_some_and(|(ms, _)| ms.parse::<u32>().is_ok());
    assert!(logs.len() == 3 && whole(logs[0]) && whole(logs[1]) && logs[2].contains("does not exist"), "{logs:?}");
    assert_eq!(house.metric("cordon_seccomp_refusals_total{syscall=\"openat\"}"), before, "a benign run looks like no attack");
}

#[test]
fn stacks_in_logs_name_the_callers_sources_and_no_script_of_the_host() {
    let report = run(&shared(), "console.trace('here');\nexport default 1");
    let message = report["logs"][0]["message"].as_str().unwrap_or_default();
    assert_eq!(message, "Trace: here\n    at main.js:1:9");
}

#[test]
fn a_run_inside_its_time_is_ok_and_one_past_it_is_named_after_the_limit() {
    let house = shared();
    let timed = |code: &str, cpu: u64, wall: u64| house.run(&json!({"code": code, "limits": {"cpuMs": cpu, "wallMs": wall}}));
    let waits = |ms: u64| format!("export default () => new Promise((done) => setTimeout(() => done({ms}), {ms}))");
    // Waiting costs no CPU time: ten times the CPU budget is waited for.
    let inside = timed(&waits(200), 20, 5000);
    assert_eq!((&inside["outcome"], &inside["result"]), (&json!("ok"), &json!(200)), "{inside}");
    let late = timed(&waits(5000), 500, 50);
    assert_eq!(late["outcome"], "exceededWallTime", "{late}");
    assert!(late["usage"]["wallMs"].as_f64().is_some_and(|wall| (50.0..5000.0).contains(&wall)), "{late}");
    let busy = timed("export default () => { for (;;); }", 30, 5000);
    assert_eq!(busy["outcome"], "exceededCpu", "{busy}");
    assert!(busy["usage"]["cpuMs"].as_f64().is_some_and(|cpu| cpu >= 30.0), "{busy}");
}

#[test]
fn recursion_without_end_is_an_error_of_the_guest_in_every_kind() {
    let codes = [
        "const f = () => f(); export default f",
        "const p = new Proxy({}, { get: (t, k, r) => r[k] }); export default () => p.x",
        "const o = { get x() { return this.x; } }; export default () => o.x",
        "const o = { toJSON() { return { o }; } }; export default () => o",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; export default () => structuredClone(a)",
        "class A { constructor() { new A(); } } export default () => new A()",
    ];
    for report in each_ends_as("exception", &codes) {
        assert_eq!(report["error"]["name"], "RangeError", "{report}");
    }
}
