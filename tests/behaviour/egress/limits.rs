//! Limits of a run's requests, at the limit and one past it.

use super::{Scene, ask, rows};
use serde_json::json;

/// Asks for `/text` so many times, one after the other, and tells what came of each.
fn asks(count: u32) -> String {
    format!(
        "const told = [];
        for (let i = 0; i < {count}; i++) told.push(await fetch('https://good.example/text').then((answer) => answer.text(), (error) => error.rule));
        return told;"
    )
}

#[test]
fn a_run_makes_as_many_requests_as_its_limit_and_not_one_more() {
    let scene = Scene::start("");
    let limited = |count| {
        let mut body = ask("wide", &asks(count));
        body["limits"] = json!({"subRequests": 3});
        scene.house.run(&body)
    };
    assert_eq!(limited(3)["result"], json!(["hello", "hello", "hello"]));
    scene.world.forget();
    let over = limited(4);
    assert_eq!(over["result"][2], "hello", "{over}");
    assert_eq!((&over["result"][3], over["denials"].as_array().map(Vec::len)), (&over["denials"][0]["rule"], Some(1)), "{over}");
    assert_eq!((scene.world.look(|state| state.good()), &over["usage"]["subRequests"]), (3, &json!(3)));
    assert_eq!(rows(&over)[3].2.as_deref(), Some("tooManyRequests"));
    // Of a rule, each hop of a redirect counted.
    assert_eq!(scene.result("narrow", &asks(5))[4], "hello");
    let over = scene.run("narrow", &asks(6));
    assert_eq!((&over["result"][4], &over["result"][5]), (&json!("hello"), &json!("egress.good.example")), "{over}");
    assert_eq!(rows(&over)[5].2.as_deref(), Some("ruleExhausted"));
    let hops = scene.run("narrow", "return await fetch('https://good.example/hops?n=5').catch((error) => error.rule);");
    assert_eq!(hops["result"], "egress.good.example", "{hops}");
}

#[test]
fn as_many_requests_of_a_run_are_under_way_as_the_configuration_says() {
    let scene = Scene::start("concurrent_per_run = 3");
    let told = scene.result(
        "wide",
        "const asked = Array.from({ length: 12 }, (_, i) => fetch('https://good.example/late?ms=100&i=' + i).then((answer) => answer.text()));
        return await Promise.all(asked);",
    );
    assert_eq!(told, json!(vec!["late"; 12]));
    assert_eq!(scene.world.look(|state| (state.good(), state.most)), (12, 3));
}

#[test]
fn an_answer_is_as_long_as_its_rule_allows_and_not_one_byte_longer_packed_or_not() {
    let scene = Scene::start("");
    let report = scene.run(
        "narrow",
        "const told = [];
        for (const path of ['/bytes?n=1000', '/bytes?n=1001', '/gzip?n=1000', '/gzip?n=1001', '/gzip?n=900000']) {
            told.push(await fetch('https://good.example' + path).then((answer) => answer.text()).then((text) => text.length, (error) => error instanceof TypeError));
        }
        return told;",
    );
    assert_eq!(report["result"], json!([1000, true, 1000, true, true]), "{report}");
    let errors: Vec<Option<String>> = rows(&report).into_iter().map(|(.., error)| error).collect();
    let long = Some("responseTooLarge".to_owned());
    assert_eq!(errors, [None, long.clone(), None, long.clone(), long]);
}

#[test]
fn a_body_is_as_long_as_the_configuration_allows_and_not_one_byte_longer_whole_or_streamed() {
    let scene = Scene::start("request_bytes_max = 100000");
    let told = scene.run(
        "wide",
        "const stream = (bytes) => new ReadableStream({ start(c) { c.enqueue(new Uint8Array(bytes)); c.close(); } });
        const told = [];
        for (const body of [new Uint8Array(100000), new Uint8Array(100001), stream(100000), stream(100001)]) {
            told.push(await fetch('https://good.example/mirror', { method: 'POST', body, duplex: 'half' }).then(async (answer) => (await answer.bytes()).length, (error) => error.code));
        }
        return told;",
    );
    assert_eq!(told["result"], json!([100_000, "requestTooLarge", 100_000, "requestTooLarge"]), "{told}");
}

#[test]
fn waiting_for_an_origin_costs_no_cpu() {
    let scene = Scene::start("");
    let report = scene.run("wide", "return await (await fetch('https://good.example/late?ms=1000')).text();");
    let usage = |name: &str| report["usage"][name].as_f64().expect("a number");
    assert_eq!(report["result"], "late", "{report}");
    assert!(usage("wallMs") >= 1000.0 && usage("cpuMs") < usage("wallMs") / 4.0, "{report}");
}

#[test]
fn an_origin_that_is_late_is_given_up() {
    let scene = Scene::start("first_byte_ms = 300\ntotal_ms = 900");
    let report = scene.run(
        "wide",
        "const told = [];
        for (const path of ['/late?ms=60000', '/slow?ms=60000']) {
            told.push(await fetch('https://good.example' + path).then((answer) => answer.text()).catch((error) => error instanceof TypeError));
        }
        return told;",
    );
    assert_eq!(report["result"], json!([true, true]), "{report}");
    let timeout = Some("timeout".to_owned());
    assert_eq!(rows(&report), [("/late?ms=60000".to_owned(), 0, timeout.clone()), ("/slow?ms=60000".to_owned(), 200, timeout)]);
    assert_eq!(scene.world.end_of("/late?ms=60000"), scene.world.end_of("/slow?ms=60000"));
}
