//! Code that is kept of artifacts: made by a cell that runs nothing, when an artifact has run twice, and used by the runs after that.

use crate::house::{House, Plan, eventually};
use serde_json::{Value, json};

/// A source long enough for code to be kept: `tail` behind functions that it may call, `work0` and on.
fn long(tail: &str) -> String {
    let function = |n: usize| format!("function work{n}(a: number): number {{ const text = 'x'.repeat(a); return text.length + {n}; }}\n");
    let functions: String = (0..400).map(function).collect();
    // What nothing uses is kept, and a type moves what stands behind it.
    format!("{functions}export const all = [work0, work399];\ntype Row = {{\n  a: number,\n}};\n{tail}")
}

fn counted(house: &House, result: &str) -> f64 {
    house.metric(&format!("cordon_code_cache_total{{result=\"{result}\"}}"))
}

/// What the run of `body` without code, the second, which has some made, and the third came to.
fn thrice(house: &House, body: &Value, made: &str) -> [Value; 3] {
    let before = counted(house, made);
    let (first, second) = (house.run(body), house.run(body));
    eventually(&format!("code is {made}"), || (counted(house, made) > before).then_some(()));
    [first, second, house.run(body)]
}

/// What a caller sees of how a run ended, but for its times.
fn end(report: &Value) -> [Value; 6] {
    let mut report = report.clone();
    report["logs"].as_array_mut().into_iter().flatten().for_each(|line| line["atMs"] = Value::Null);
    ["outcome", "result", "error", "logs", "identity", "artifact"].map(|field| report[field].take())
}

#[test]
fn the_third_run_of_a_long_source_uses_its_code_and_all_three_are_equal() {
    let house = House::start(Plan::default());
    let tail = "export default (input: number) => { console.log('runs'); return [work0(input), work399(input), import.meta.url, work7.toString()]; }";
    let body = json!({"code": long(tail), "input": 3});
    let runs = thrice(&house, &body, "made");
    assert_eq!((&runs[0]["outcome"], &runs[0]["result"][1]), (&json!("ok"), &json!(402)), "{}", runs[0]);
    runs.iter().for_each(|run| assert_eq!(end(run), end(&runs[0])));
    assert_eq!(["miss", "hit", "made", "rejected", "failed"].map(|result| counted(&house, result)), [2.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn a_short_source_is_never_compiled_ahead() {
    let house = House::start(Plan::default());
    for _ in 0..4 {
        house.code("export default 1");
    }
    assert_eq!(["miss", "hit", "made"].map(|result| counted(&house, result)), [0.0; 3]);
}

#[test]
fn an_error_from_kept_code_is_placed_where_it_was_without() {
    let house = House::start(Plan::default());
    let tail = "const deep = (row: Row) => { if (row.a) throw new TypeError('placed'); };\nexport default () => { deep({ a: 1 }); };";
    let runs = thrice(&house, &json!({"code": long(tail)}), "made");
    assert!(runs[0]["error"]["stack"].as_str().is_some_and(|stack| stack.contains("main.ts:405:")), "{}", runs[0]["error"]);
    runs.iter().for_each(|run| assert_eq!(end(run), end(&runs[0])));
    // A run that its limit ends says where it was, too.
    let endless = json!({"code": long("export default () => {\n  for (;;) work1(1);\n};"), "limits": {"cpuMs": 30}});
    for run in thrice(&house, &endless, "made") {
        assert!(run["error"]["stack"].as_str().is_some_and(|stack| stack.contains("main.ts:406:")), "{}", run["error"]);
    }
    assert_eq!((counted(&house, "hit"), counted(&house, "rejected")), (2.0, 0.0));
}

#[test]
fn nothing_of_a_module_runs_while_it_is_compiled() {
    let house = House::start(Plan::default());
    // Compiling would not end, and a line that a compiling cell logs is a lie.
    let body = json!({"code": long("console.log('top level');\nfor (;;) work1(1);"), "limits": {"cpuMs": 30}});
    for run in thrice(&house, &body, "made") {
        assert_eq!((&run["outcome"], run["logs"].as_array().map(Vec::len)), (&json!("exceededCpu"), Some(1)), "{run}");
    }
    assert_eq!((counted(&house, "hit"), counted(&house, "failed")), (1.0, 0.0));
}

#[test]
fn modules_that_import_each_other_or_nothing_that_is_there_are_compiled_each_by_itself() {
    let house = House::start(Plan::default());
    let main = "import { a } from './lib.ts'; export const b = 2; export default () => a + b;";
    let lib = long("import * as main from './main.ts'; export const a = work1(1); export default () => main.b;");
    let body = json!({"modules": {"main.ts": main, "lib.ts": lib}, "mainModule": "main.ts"});
    for run in thrice(&house, &body, "made") {
        assert_eq!(run["result"], 4, "{run}");
    }
    assert_eq!((counted(&house, "hit"), counted(&house, "rejected")), (1.0, 0.0));
}

#[test]
fn a_jitless_cell_compiles_for_jitless_runs_and_for_no_others() {
    let limits = "[limits]\ncpu_ms = 500\nwall_ms = 5000\nmemory_mb = 64\n";
    let profile =
        |name: &str, more: &str| (format!("{name}.toml"), format!("name = \"{name}\"\ntier = 0\ndescription = \"d\"\n{more}{limits}"));
    let policies = vec![profile("untrusted", ""), profile("careful", "jitless = true\n")];
    let house = House::start(Plan { policies: Some(policies), ..Plan::default() });
    let body = |profile: &str| json!({"code": long("export default () => work1(1);"), "profile": profile});
    for run in thrice(&house, &body("careful"), "made") {
        assert_eq!((&run["outcome"], &run["result"]), (&json!("ok"), &json!(2)), "{run}");
    }
    assert_eq!(counted(&house, "hit"), 1.0);
    for run in thrice(&house, &body("untrusted"), "made") {
        assert_eq!(run["result"], 2, "{run}");
    }
    assert_eq!(["miss", "hit", "made", "rejected"].map(|result| counted(&house, result)), [4.0, 2.0, 2.0, 0.0]);
}

#[test]
#[cfg(debug_assertions)]
fn code_that_v8_does_not_take_harms_no_run_and_is_not_made_again() {
    let house = House::start(Plan::default());
    let body = json!({"code": long("export default () => ['__lie_code_garbage', work1(1)];")});
    for run in thrice(&house, &body, "made").into_iter().chain([house.run(&body), house.run(&body)]) {
        assert_eq!((&run["outcome"], &run["result"][1]), (&json!("ok"), &json!(2)), "{run}");
    }
    assert_eq!(["miss", "hit", "made", "rejected"].map(|result| counted(&house, result)), [4.0, 0.0, 1.0, 1.0]);
}

#[test]
#[cfg(debug_assertions)]
fn a_compiling_cell_that_lies_hands_over_nothing() {
    let house = House::start(Plan::default());
    for lie in ["foreign", "long", "finished"] {
        let body = json!({"code": long(&format!("export default () => ['__lie_code_{lie}', work1(1)];"))});
        for run in thrice(&house, &body, "failed").into_iter().chain([house.run(&body)]) {
            assert_eq!((&run["outcome"], &run["result"][1]), (&json!("ok"), &json!(2)), "{lie}: {run}");
        }
    }
    assert_eq!(["hit", "made", "rejected", "failed"].map(|result| counted(&house, result)), [0.0, 0.0, 0.0, 3.0]);
}

#[test]
#[cfg(debug_assertions)]
fn a_cell_that_ran_guest_code_cannot_hand_over_any() {
    let house = House::start(Plan::default());
    let lie = json!({"code": long("export default 1;"), "entrypoint": "__lie_compiled"});
    let honest = json!({"code": long("export default 1;")});
    for _ in 0..2 {
        let report = house.run(&lie);
        assert_eq!((&report["outcome"], &report["result"]), (&json!("crashed"), &json!(null)), "{report}");
    }
    // What was made of the artifact meanwhile, as it ran twice, comes from a cell that compiled it: V8 takes it.
    eventually("code is made", || (counted(&house, "made") == 1.0).then_some(()));
    assert_eq!(house.run(&honest)["result"], 1);
    assert_eq!(["hit", "rejected"].map(|result| counted(&house, result)), [1.0, 0.0]);
}
