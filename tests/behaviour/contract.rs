//! The contract of the API, from outside.

use crate::house::command::cordon;
use crate::house::{Ask, House, Plan, shared};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn an_answer_has_the_members_of_the_contract_and_can_be_read_again() {
    let house = shared();
    let report = house.code("export default () => ({ a: [1] })");
    let expected = [
        "artifact",
        "denials",
        "egress",
        "identity",
        "logs",
        "logsTruncated",
        "outcome",
        "profile",
        "provenance",
        "result",
        "run",
        "tier",
        "usage",
    ];
    let mut found = keys(&report);
    found.sort_unstable();
    assert_eq!(found, expected);
    let again = house.get(&format!("/v1/runs/{}", report["run"].as_str().expect("an id")));
    assert_eq!(again, report);
    let by_id = house.run(&json!({"artifact": report["artifact"]}));
    assert_eq!((&by_id["result"], &by_id["artifact"]), (&json!({"a": [1]}), &report["artifact"]));
}

#[test]
fn refusals_are_problems_with_a_code_and_a_mend() {
    let house = shared();
    let cases = [
        (json!({"code": "export default {"}), 422, "rejected"),
        (json!({"code": "1", "surprise": 1}), 400, "invalidRequest"),
        (json!({"code": "1", "profile": "none"}), 400, "invalidRequest"),
        (json!({"code": "1", "limits": {"memoryMb": 1}}), 400, "invalidRequest"),
        (json!({"code": "import 'node:fs'; export default 1"}), 422, "rejected"),
        (json!({"code": "x".repeat(600 << 10)}), 413, "tooLarge"),
    ];
    for (body, status, code) in cases {
        let reply = house.post(&body);
        let problem = reply.json();
        assert_eq!((reply.status, problem["code"].as_str()), (status, Some(code)), "{}", reply.text());
        assert!(problem["remediation"].as_str().is_some_and(|mend| !mend.is_empty()), "{problem}");
    }
}

#[test]
fn a_foreign_host_or_origin_reaches_neither_listener() {
    let house = shared();
    for address in [house.public(), house.operator()] {
        // A second Host header is malformed; a foreign Origin is refused as such.
        let foreign = [("Host", "evil.example", 400, "invalidRequest"), ("Origin", "https://evil.example", 403, "foreignOrigin")];
        for (name, value, status, code) in foreign {
            let reply = Ask::get("/healthz").with(name, value).send(address).expect("an answer");
            assert_eq!((reply.status, reply.json()["code"].as_str()), (status, Some(code)), "{name} on {address}");
        }
    }
    assert_eq!(house.operator_get("/readyz").status, 200);
}

#[test]
fn the_same_key_and_body_run_once_and_another_body_is_a_conflict() {
    let house = shared();
    let ask = |code: &str| Ask::post("/v1/runs", &json!({ "code": code })).with("Idempotency-Key", "contract-1");
    let first = house.ask(&ask("export default () => Math.random()"));
    let second = house.ask(&ask("export default () => Math.random()"));
    assert_eq!((first.status, &first.body), (200, &second.body));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(house.ask(&ask("export default 2")).status, 409);
}

#[test]
fn with_keys_every_request_needs_one_and_an_agent_reads_its_own_runs_only() {
    let house = House::start(Plan::default());
    let data = house.data();
    let data = data.to_str().expect("a path");
    let key = |name: &str, role: &str| {
        let done = cordon(&["key", "new", "--name", name, "--role", role, "--data", data, "--json"]);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        done.json()["token"].as_str().expect("a token").to_owned()
    };
    let (one, two, auditor) = (key("one", "agent"), key("two", "agent"), key("eyes", "auditor"));
    let run = Ask::post("/v1/runs", &json!({"code": "export default 1"}));
    assert_eq!(house.ask(&run).status, 401);
    let run = |token: &str| house.ask(&Ask::post("/v1/runs", &json!({"code": "export default 1"})).bearing(token));
    assert_eq!(run(&auditor).status, 403);
    let report = run(&one).json();
    let path = format!("/v1/runs/{}", report["run"].as_str().expect("an id"));
    let read = |token: &str| house.ask(&Ask::get(&path).bearing(token)).status;
    assert_eq!((read(&one), read(&two), read(&auditor)), (200, 404, 200));
    assert_eq!(house.ask(&Ask::get("/v1/keys").by("PUT").bearing(&one)).status, 404, "keys are the operator listener's");
}

#[test]
fn without_keys_nothing_but_loopback_is_bound() {
    let house = House::start(Plan::default());
    let folder = house.folder();
    assert_eq!(house.stop(), Some(0));
    let data = folder.path().to_str().expect("a path");
    let done = cordon(&["serve", "--listen", "0.0.0.0:0", "--operator-listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("key"), "{}", done.stderr);
}

#[test]
fn typescript_runs_and_errors_point_at_its_lines() {
    let house = shared();
    let code = "enum Color { Red = 1 }\nclass P { constructor(readonly x: number) {} }\nexport default () => new P(Color.Red).x";
    assert_eq!(house.code(code)["result"], 1);
    for refused in ["@d class A {}\nexport default 1", "export default <div/>"] {
        assert_eq!(house.post(&json!({ "code": refused })).status, 422, "{refused}");
    }
    let report = house.code("interface A {\n  b: number;\n}\nexport default (): A => {\n  throw new TypeError('here');\n};");
    assert!(report["error"]["stack"].as_str().is_some_and(|stack| stack.contains("main.ts:5:9")), "{report}");
    for (snippet, result) in [("1 + 1", json!(2)), ("() => 3", json!(3)), ("```ts\nconst x: number = 2;\nx * 2\n```", json!(4))] {
        assert_eq!(house.code(snippet)["result"], result, "{snippet}");
    }
}
