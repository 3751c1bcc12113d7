//! Rules on trial, and very many rules, through the whole server.

use super::Scene;
use crate::house::House;
use crate::house::command::verify;
use crate::house::world::World;
use serde_json::{Value, json};

const WOULD_DENY: &str = "cordon_egress_would_deny_total{tier=\"2\"}";

#[test]
fn what_only_a_rule_on_trial_allows_is_let_through_recorded_and_counted_and_nothing_else_is() {
    let scene = Scene::start("");
    let report = scene.run(
        "tried",
        "const asked = ['https://good.example/text', 'https://good.example/echo', 'https://a.wild.example/text', 'https://evil.example/'];
        const told = [];
        for (const url of asked) told.push(await fetch(url).then((answer) => answer.status, (error) => error.rule));
        return told;",
    );
    assert_eq!(report["result"], json!([200, 200, 200, "egress.default-deny"]), "{report}");
    let rows = report["egress"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| row["wouldDeny"].clone()).collect::<Vec<_>>(), [Value::Null, json!(true), json!(true), Value::Null]);
    assert_eq!((&rows[1]["rule"], &rows[2]["rule"]), (&json!("egress.good.example"), &json!("egress.*.wild.example")));
    let denied: Vec<&Value> = report["denials"].as_array().expect("denials").iter().map(|denial| &denial["target"]).collect();
    assert_eq!(denied, ["https://evil.example/"], "what was let through was not denied");
    let stored = scene.sealed(report["run"].as_str().expect("a run"));
    assert_eq!(stored["egress"], report["egress"], "in the record as in the answer");
    assert_eq!(scene.house.metric(WOULD_DENY), 2.0);
    assert_eq!(scene.house.metric("cordon_egress_requests_total{tier=\"2\",result=\"answered\"}"), 3.0);
    assert_eq!(scene.world.complaints(), Vec::<String>::new());
}

/// A profile with 10,000 rules, of which the last is for good.example.
fn many() -> String {
    let rule = |host: String| format!("[[egress.rule]]\nhost = \"{host}\"\nreason = \"r\"\n");
    let rules: String = (1..10_000).map(|at| format!("h{at}.example")).chain(["good.example".to_owned()]).map(rule).collect();
    format!(
        "name = \"many\"\ntier = 2\ndescription = \"d\"\n[limits]\ncpu_ms = 2000\nwall_ms = 25000\nmemory_mb = 64\nsub_requests = 10\n\
         [egress]\nmode = \"allowlist\"\n{rules}"
    )
}

#[test]
fn a_profile_with_as_many_rules_as_there_may_be_is_served_and_its_runs_have_short_records() {
    let world = World::start();
    let mut plan = world.plan("");
    plan.policies.get_or_insert_default().push(("many.toml".to_owned(), many()));
    let scene = Scene { house: House::start(plan), world };
    let told = scene.result(
        "many",
        "return [await (await fetch('https://good.example/text')).text(), await fetch('https://evil.example/').catch((error) => error.rule)];",
    );
    assert_eq!(told, json!(["hello", "egress.default-deny"]));
    let profiles = scene.house.get("/v1/capabilities")["profiles"].clone();
    let egress =
        |name: &str| profiles.as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).expect("there")["egress"].clone();
    assert_eq!((&egress("many")["ruleCount"], &egress("many")["rules"]), (&json!(10_000), &Value::Null));
    assert_eq!(egress("wide")["rules"].as_array().map(Vec::len), Some(3));
    let Scene { house, world: _world } = scene;
    let data = house.folder();
    assert_eq!(house.stop(), Some(0));
    // The log holds only where the rules are found that its records tell by digest.
    let (code, verdict) = verify(&data.path().join("data"));
    assert_eq!((code, &verdict["fault"]), (Some(0), &Value::Null), "{verdict}");
}
