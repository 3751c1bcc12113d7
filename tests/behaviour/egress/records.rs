//! What is told of requests: rows of the ledger, metrics; and fixtures, which answer in the place of origins.

use super::{Scene, ask};
use crate::house::{House, Plan};
use serde_json::{Value, json};

/// How many requests of tier `tier` ended as `result`.
fn counted(house: &House, tier: u8, result: &str) -> f64 {
    house.metric(&format!("cordon_egress_requests_total{{tier=\"{tier}\",result=\"{result}\"}}"))
}

#[test]
fn a_row_tells_all_of_its_request_and_every_kind_is_counted() {
    let scene = Scene::start("");
    let report = scene.run(
        "wide",
        "await (await fetch('https://good.example/redirect?status=307&to=https://a.wild.example/echo', { method: 'POST', body: 'body' })).text();
        await (await fetch('http://other.example/text')).text();
        await fetch('https://evil.example/x').catch(() => 0);
        await fetch('https://loop.wild.example/x').catch(() => 0);
        await (await fetch('https://good.example/text', { method: 'HEAD' })).text();
        return 1;",
    );
    let mut rows: Vec<Value> = report["egress"].as_array().expect("rows").clone();
    for row in &mut rows {
        let ms = row.as_object_mut().and_then(|row| row.remove("ms")).and_then(|ms| ms.as_f64());
        assert!(ms.is_some_and(|ms| ms >= 0.0 && ms < report["usage"]["wallMs"].as_f64().unwrap_or_default()), "{report}");
    }
    let echoed = rows[0]["responseBytes"].clone();
    assert!(echoed.as_u64() > Some(50), "{report}");
    let wanted = json!([
        {"method": "POST", "url": "https://good.example/redirect?status=307&to=https://a.wild.example/echo", "status": 200, "requestBytes": 8,
         "responseBytes": echoed, "synthetic": false, "rule": "egress.*.wild.example", "address": "127.0.9.1:443",
         "redirects": ["https://a.wild.example/echo"]},
        {"method": "GET", "url": "http://other.example/text", "status": 200, "requestBytes": 0, "responseBytes": 5, "synthetic": false,
         "rule": "egress.other.example", "address": "127.0.9.1:80"},
        {"method": "GET", "url": "https://evil.example/x", "status": 0, "requestBytes": 0, "responseBytes": 0, "synthetic": false,
         "error": "egressDenied"},
        {"method": "GET", "url": "https://loop.wild.example/x", "status": 0, "requestBytes": 0, "responseBytes": 0, "synthetic": false,
         "rule": "egress.*.wild.example", "error": "addressDenied"},
        {"method": "HEAD", "url": "https://good.example/text", "status": 200, "requestBytes": 0, "responseBytes": 0, "synthetic": false,
         "rule": "egress.good.example", "address": "127.0.9.1:443"},
    ]);
    assert_eq!(json!(rows), wanted);
    assert_eq!((counted(&scene.house, 2, "answered"), counted(&scene.house, 2, "denied")), (3.0, 2.0));
    assert_eq!(counted(&scene.house, 2, "failed"), 0.0);
    scene.run("wide", "return await fetch('https://good.example/redirect?to=/text', { redirect: 'error' }).catch(() => 0);");
    assert_eq!(counted(&scene.house, 2, "failed"), 1.0);
    assert_eq!(scene.world.complaints(), Vec::<String>::new());
}

#[test]
fn a_fixture_answers_with_what_the_profile_says_and_nothing_leaves() {
    let scene = Scene::start("");
    let report = scene.run(
        "fixed",
        "const answer = await fetch('https://good.example/v1/a?b=c');
        const told = [answer.status, answer.headers.get('x-from'), answer.headers.get('content-type'), answer.url, await answer.text()];
        const other = await fetch('https://good.example/v2').catch((error) => error.rule);
        const post = await fetch('https://good.example/v1/a', { method: 'POST', body: 'x' }).catch((error) => error.rule);
        return [told, other, post];",
    );
    let told = json!([203, "fixture", "text/x-canned", "https://good.example/v1/a?b=c", "canned"]);
    assert_eq!(report["result"], json!([told, "egress.fixtures", "egress.fixtures"]), "{report}");
    let row = &report["egress"][0];
    assert_eq!(
        (&row["status"], &row["synthetic"], &row["responseBytes"], &row["address"]),
        (&json!(203), &json!(true), &json!(6), &Value::Null)
    );
    assert!(row["ms"].as_f64().is_some_and(|ms| ms >= 50.0), "as late as it says: {report}");
    let counts = ["synthetic", "denied", "answered"].map(|result| counted(&scene.house, 0, result));
    assert_eq!(counts, [1.0, 2.0, 0.0]);
    assert!(scene.world.look(|state| state.seen.is_empty() && state.asked.is_empty()));
}

#[test]
fn a_full_ledger_says_how_many_requests_have_no_row() {
    let scene = Scene::start("");
    let many = |count: u32| {
        let code = format!(
            "const asked = []; for (let i = 0; i < {count}; i++) asked.push(fetch('https://good.example/v0/' + i).then((a) => a.text()));
            return new Set(await Promise.all(asked)).size;"
        );
        scene.house.run(&ask("fixed", &code))
    };
    for (count, beyond) in [(1000, 0), (1001, 1)] {
        let report = many(count);
        assert_eq!(report["result"], 1, "{}", report["error"]);
        let rows = report["egress"].as_array().map(Vec::len);
        assert_eq!((rows, report["egressTruncated"].as_u64().unwrap_or_default()), (Some(1000), beyond));
        assert_eq!(report["usage"]["subRequests"], count);
    }
}

#[test]
fn a_flood_of_other_denials_does_not_hide_that_of_a_request() {
    let scene = Scene::start("");
    let report = scene.run(
        "wide",
        "for (let i = 0; i < 150; i++) { try { eval('1'); } catch {} }
        await fetch('https://evil.example/x').catch(() => 0);
        return 1;",
    );
    let denials = report["denials"].as_array().expect("denials");
    assert_eq!((denials.len(), report["denialsTruncated"].as_u64()), (100, Some(51)), "{report}");
    assert_eq!(denials.iter().filter(|denial| denial["target"] == "https://evil.example/x").count(), 1, "{report}");
}

#[test]
fn the_doctor_of_a_running_server_tells_which_secrets_have_no_value() {
    let config = Some("[secrets.GONE]\nfile = \"no-such-file\"\n".to_owned());
    let house = House::start(Plan { config, ..Plan::default() });
    let told = house.operator_get("/v1/doctor").json();
    let problems = told["outbound"]["problems"].as_array().expect("a list");
    assert!(problems.iter().any(|problem| problem.as_str().is_some_and(|text| text.contains("`GONE`"))), "{told}");
}
