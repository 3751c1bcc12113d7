//! Artifacts taken in without a run, and the names under which they are served.

use crate::house::command::cordon;
use crate::house::{Ask, House, Plan, Reply};
use serde_json::{Value, json};

fn put(house: &House, path: &str, body: &Value) -> Reply {
    house.ask(&Ask::post(path, body).by("PUT"))
}

fn shelved(house: &House, answer: &str) -> String {
    let code = format!("export default {{ fetch: () => new Response('{answer}') }}");
    let reply = put(house, "/v1/artifacts", &json!({"modules": {"main.ts": code}, "origin": {"agent": "a"}}));
    assert!([200, 201].contains(&reply.status), "{}", reply.text());
    reply.json()["artifact"].as_str().expect("an id").to_owned()
}

#[test]
fn an_artifact_is_taken_in_once_and_what_does_not_parse_never() {
    let house = House::start(Plan::default());
    let sources = json!({"modules": {"main.ts": "export default (n: number) => n + 1"}});
    let (first, again) = (put(&house, "/v1/artifacts", &sources), put(&house, "/v1/artifacts", &sources));
    assert_eq!((first.status, again.status), (201, 200), "{}", first.text());
    assert_eq!(first.json()["artifact"], again.json()["artifact"]);
    assert_eq!(house.run(&json!({"artifact": first.json()["artifact"], "input": 1}))["result"], 2);
    assert_eq!(first.json()["checks"], json!({"tier": 1, "findings": [], "more": []}));
    let risky = put(&house, "/v1/artifacts", &json!({"code": "export default (text) => eval(text)"})).json();
    assert_eq!((&risky["checks"]["findings"][0]["id"], &risky["created"]), (&json!("code.eval"), &json!(true)), "{risky}");
    let refused = put(&house, "/v1/artifacts", &json!({"code": "export default {"}));
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("rejected")));
    let large = put(&house, "/v1/artifacts", &json!({"code": format!("/*{}*/ 1", "x".repeat(4 << 20))}));
    assert_eq!(large.status, 413, "{}", large.text());
    assert_eq!(house.verdict()["fault"], Value::Null);
}

#[test]
fn an_alias_serves_what_it_leads_to_and_keeps_its_history_over_a_restart() {
    let house = House::start(Plan::default());
    let (one, two) = (shelved(&house, "one"), shelved(&house, "two"));
    assert_eq!(house.ask(&Ask::get("/w/shop/")).status, 404);
    assert_eq!(put(&house, "/v1/aliases/shop", &json!({"artifact": one})).status, 200);
    assert_eq!(house.ask(&Ask::get("/w/shop/")).text(), "one");
    let stale = put(&house, "/v1/aliases/shop", &json!({"artifact": two, "expected": two}));
    assert_eq!((stale.status, &stale.json()["code"]), (409, &json!("conflict")));
    assert_eq!(put(&house, "/v1/aliases/shop", &json!({"artifact": two, "expected": one})).status, 200);
    let unknown = put(&house, "/v1/aliases/shop", &json!({"artifact": format!("sha256:{}", "0".repeat(64))}));
    assert_eq!(unknown.status, 404);
    let folder = house.kill();
    let house = House::start(Plan { data: Some(folder), ..Plan::default() });
    assert_eq!(house.ask(&Ask::get("/w/shop")).text(), "two");
    let shop = house.get("/v1/aliases/shop");
    let moves: Vec<_> = shop["moves"].as_array().expect("moves").iter().map(|row| row["artifact"].as_str()).collect();
    assert_eq!((&shop["artifact"], moves), (&json!(two), vec![Some(two.as_str()), Some(one.as_str())]), "{shop}");
    assert_eq!(house.get("/v1/aliases")["aliases"].as_array().map(Vec::len), Some(1));
    assert_eq!(house.ask(&Ask::get("/v1/aliases/shop").by("DELETE")).status, 200);
    assert_eq!(house.ask(&Ask::get("/w/shop/")).status, 404);
    assert_eq!(house.ask(&Ask::get("/v1/aliases/shop").by("DELETE")).status, 404);
    assert_eq!(house.get("/v1/aliases/shop")["moves"].as_array().map(Vec::len), Some(3));
    assert_eq!(house.verdict()["fault"], Value::Null);
}

#[test]
fn many_who_move_an_alias_at_once_each_build_on_what_was() {
    let house = House::start(Plan::default());
    let artifacts: Vec<_> = (0..4).map(|n| shelved(&house, &n.to_string())).collect();
    put(&house, "/v1/aliases/race", &json!({"artifact": artifacts[0]}));
    let won = std::thread::scope(|scope| {
        let movers: Vec<_> = artifacts[1..]
            .iter()
            .map(|to| json!({"artifact": to, "expected": artifacts[0]}))
            .map(|body| {
                scope.spawn({
                    let house = &house;
                    move || put(house, "/v1/aliases/race", &body).status
                })
            })
            .collect();
        movers.into_iter().map(|mover| mover.join().expect("a mover")).collect::<Vec<_>>()
    });
    assert_eq!(
        (won.iter().filter(|status| **status == 200).count(), won.iter().filter(|status| **status == 409).count()),
        (1, 2),
        "{won:?}"
    );
}

#[test]
fn only_an_operator_decides_what_a_name_serves() {
    let house = House::start(Plan::default());
    let artifact = shelved(&house, "x");
    let key = |role: &str| {
        let made = cordon(&["key", "new", "--name", role, "--role", role, "--json", "--data", house.data().to_str().expect("text")]);
        made.json()["token"].as_str().expect("a token").to_owned()
    };
    let (operator, developer, auditor) = (key("operator"), key("developer"), key("auditor"));
    let moved = |token: &str| house.ask(&Ask::post("/v1/aliases/shop", &json!({"artifact": artifact})).by("PUT").bearing(token)).status;
    assert_eq!((moved(&developer), moved(&auditor), moved("nobody")), (403, 403, 401));
    assert_eq!(moved(&operator), 200);
    assert_eq!(house.ask(&Ask::get("/v1/aliases/shop").bearing(&developer)).status, 200);
    assert_eq!(house.ask(&Ask::get("/w/shop/").bearing(&developer)).text(), "x");
    assert_eq!(house.ask(&Ask::get("/w/shop/")).status, 401);
    for bad in ["Shop", "a.b", "sha256:00"] {
        assert_eq!(house.ask(&Ask::get(&format!("/v1/aliases/{bad}")).bearing(&developer)).status, 400, "{bad}");
    }
}
