//! What the server tells about its profiles is what code then finds.

use crate::house::world::World;
use crate::house::{Ask, House, Plan, shared};
use serde_json::{Value, json};

const ORDERS: &str = "name = \"orders\"\ntier = 1\ndescription = \"Orders. */ export default 'from the description' /*\"\n\
    [limits]\ncpu_ms = 1000\nwall_ms = 10000\nmemory_mb = 64\nsub_requests = 5\n[vars]\nREGION = \"eu-17\"\n\
    [egress]\nmode = \"synthetic\"\n[[egress.fixture]]\nurl = \"https://api.example/*/orders\"\nbody = \"from the fixture\"\nheaders = { x-hidden = \"hidden\" }\n\
    [[secret]]\nname = \"API_KEY\"\nhosts = [\"api.example\"]\nreason = \"orders\"\n";

fn orders() -> House {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let policies = vec![file("untrusted.toml", include_str!("../../policies/untrusted.toml")), file("orders.toml", ORDERS)];
    House::start(Plan { policies: Some(policies), ..Plan::default() })
}

/// The text that the server answers.
#[track_caller]
fn text(house: &House, path: &str) -> String {
    let reply = house.ask(&Ask::get(path));
    let headers = ["content-type", "x-content-type-options"].map(|name| reply.header(name).map(str::to_owned));
    assert_eq!((reply.status, headers), (200, [Some("text/plain; charset=utf-8".to_owned()), Some("nosniff".to_owned())]), "{path}");
    reply.text()
}

#[test]
fn a_snippet_that_is_written_against_the_declarations_finds_what_they_say() {
    let house = orders();
    let types = text(&house, "/v1/capabilities/orders?format=d.ts");
    let code = format!(
        "{types}\nconst ask: Fetch = fetch;\n\
         export default (async (input: {{ n: number }}, env: Env, ctx: Ctx) => {{\n\
           ctx.waitUntil(Promise.resolve());\n\
           const answer = await ask('https://api.example/v1/orders', {{ headers: {{ authorization: env.API_KEY }} }});\n\
           const refused: EgressDenied = await ask('https://other.example/').catch((error) => error);\n\
           return [input.n, env.REGION, Object.keys(env), Object.keys(ctx), ctx.run, await answer.text(), refused.name, Object.keys(refused), refused.code];\n\
         }}) satisfies Handler"
    );
    let report = house.run(&json!({ "code": code, "input": { "n": 3 }, "profile": "orders" }));
    let (result, run) = (&report["result"], &report["run"]);
    let facts = ["code", "capability", "target", "rule", "remediation"];
    let expected =
        json!([3, "eu-17", ["REGION", "API_KEY"], ["waitUntil", "run"], run, "from the fixture", "EgressDenied", facts, "egressDenied"]);
    assert_eq!(result, &expected, "{report}");
}

#[test]
fn the_declarations_of_every_shipped_profile_stand_before_a_handler_that_answers() {
    let house = shared();
    for profile in ["untrusted", "validated", "production"] {
        let types = text(&house, &format!("/v1/capabilities/{profile}?format=d.ts"));
        let code =
            format!("{types}\nexport default {{ fetch(request, env, ctx) {{ return new Response(request.method) }} }} satisfies Handler");
        let report = house.run(&json!({ "code": code, "profile": profile, "input": { "method": "PUT" } }));
        assert_eq!(report["result"]["body"], "PUT", "{report}");
    }
}

#[test]
fn each_global_that_is_told_is_there() {
    let house = shared();
    let platform = house.get("/v1/capabilities")["platform"].clone();
    let code = "export default (names) => names.filter((name) => !(name in globalThis))";
    assert_eq!(house.run(&json!({ "code": code, "input": platform["globals"] }))["result"], json!([]));
    for entry in platform["entrypoints"].as_array().expect("a list") {
        assert_eq!(house.run(&json!({ "code": entry["example"] }))["outcome"], "ok", "{entry}");
    }
}

#[test]
fn the_list_and_one_profile_agree_and_show_no_answer_and_no_value() {
    let house = orders();
    let list = house.get("/v1/capabilities");
    let orders = house.get("/v1/capabilities/orders");
    assert_eq!(
        orders["egress"],
        json!({ "mode": "synthetic", "rules": [], "ruleCount": 0, "fixtures": [{ "method": "GET", "url": "https://api.example/*/orders" }] })
    );
    let same = |name: &str| list["profiles"][0][name] == orders[name];
    assert!(["name", "tier", "limits", "vars", "secrets", "egress"].into_iter().all(same), "{list}");
    for told in [list.to_string(), orders.to_string(), text(&house, "/v1/capabilities/orders?format=text")] {
        assert!(!["hidden", "from the fixture", "eu-17"].iter().any(|never| told.contains(never)), "{told}");
    }
    let unknown = house.ask(&Ask::get("/v1/capabilities/nobody"));
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("notFound")));
    assert!(unknown.json()["remediation"].as_str().is_some_and(|mend| mend.contains("orders, untrusted")));
}

#[test]
fn a_secret_is_used_as_the_brief_says() {
    let world = World::start();
    let house = House::start(world.plan(""));
    let brief = text(&house, "/v1/capabilities/production?format=text");
    assert!(brief.contains("send `env.API_KEY` alone as the header `authorization`"), "{brief}");
    let code = "export default async (input, env) => (await (await fetch('https://good.example/auth', { headers: { authorization: env.API_KEY } })).json()).authorized";
    let report: Value = house.run(&json!({ "code": code, "profile": "production" }));
    assert_eq!(report["result"], true, "{report}");
    drop(house);
}
