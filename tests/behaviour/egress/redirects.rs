//! Redirects, as the Fetch standard has them.

use super::{Scene, rows};
use serde_json::json;

#[test]
fn a_redirect_is_followed_and_the_response_says_so() {
    let scene = Scene::start("");
    let report = scene.run(
        "wide",
        "const told = [];
        for (const url of ['/text', '/redirect?to=/text', '/hops?n=3', '/redirect?to=https://a.wild.example/text%23f']) {
            const answer = await fetch('https://good.example' + url);
            told.push([answer.status, answer.redirected, answer.url, answer.type, answer.ok, await answer.text()]);
        }
        return told;",
    );
    let told = json!([
        [200, false, "https://good.example/text", "basic", true, "hello"],
        [200, true, "https://good.example/text", "basic", true, "hello"],
        [200, true, "https://good.example/hops?n=0", "basic", true, "hello"],
        [200, true, "https://a.wild.example/text", "basic", true, "hello"],
    ]);
    assert_eq!(report["result"], told, "{report}");
    let hops: Vec<&str> = report["egress"][2]["redirects"].as_array().expect("hops").iter().filter_map(|hop| hop.as_str()).collect();
    assert_eq!(hops, ["https://good.example/hops?n=2", "https://good.example/hops?n=1", "https://good.example/hops?n=0"]);
    assert_eq!(report["usage"]["subRequests"], 1 + 2 + 4 + 2);
}

#[test]
fn a_redirect_that_is_to_be_seen_is_seen_and_one_that_must_not_be_fails() {
    let scene = Scene::start("");
    let told = scene.run(
        "wide",
        "const url = 'https://good.example/redirect?status=307&to=/text';
        const seen = await fetch(url, { redirect: 'manual' });
        const failed = await fetch(url, { redirect: 'error' }).catch((error) => [error instanceof TypeError, error.code]);
        return [seen.status, seen.redirected, seen.url === url, seen.headers.get('location'), failed];",
    );
    assert_eq!(told["result"], json!([307, false, true, "/text", [true, "redirectForbidden"]]), "{told}");
    assert_eq!(scene.world.look(|state| state.seen.iter().filter(|seen| seen.path == "/text").count()), 0);
}

#[test]
fn the_method_and_the_body_change_as_browsers_change_them() {
    let scene = Scene::start("");
    let told = scene.result(
        "wide",
        "const told = [];
        for (const [method, status] of [['POST', 301], ['POST', 302], ['POST', 303], ['POST', 307], ['POST', 308], ['PUT', 302], ['PUT', 303], ['DELETE', 307]]) {
            const url = `https://good.example/redirect?status=${status}&to=/echo`;
            const seen = await (await fetch(url, { method, body: 'carried', headers: { 'content-type': 'text/x' } })).json();
            told.push([status, seen.method, seen.body, seen.headers['content-type'] ?? null]);
        }
        return told;",
    );
    let wanted = json!([
        [301, "GET", "", null],
        [302, "GET", "", null],
        [303, "GET", "", null],
        [307, "POST", "carried", "text/x"],
        [308, "POST", "carried", "text/x"],
        [302, "PUT", "carried", "text/x"],
        [303, "GET", "", null],
        [307, "DELETE", "carried", "text/x"],
    ]);
    assert_eq!(told, wanted);
}

#[test]
fn credentials_stay_with_their_origin() {
    let scene = Scene::start("");
    let told = scene.result(
        "wide",
        "const told = [];
        for (const to of ['/echo', 'https://a.wild.example/echo']) {
            const headers = { authorization: 'mine', cookie: 'c=1', 'x-other': 'o' };
            const seen = await (await fetch('https://good.example/redirect?to=' + encodeURIComponent(to), { headers })).json();
            told.push([seen.headers.authorization ?? null, seen.headers.cookie ?? null, seen.headers['x-other'] ?? null]);
        }
        return told;",
    );
    assert_eq!(told, json!([["mine", "c=1", "o"], [null, null, "o"]]));
}

#[test]
fn redirects_are_followed_up_to_their_limit_and_a_streamed_body_is_not_sent_twice() {
    let scene = Scene::start("redirects_max = 3");
    let report = scene.run(
        "wide",
        "const last = await (await fetch('https://good.example/hops?n=3')).text();
        const one = await fetch('https://good.example/hops?n=4').catch((error) => error.code);
        const stream = () => new ReadableStream({ start(c) { c.enqueue(new Uint8Array(3)); c.close(); } });
        const twice = await fetch('https://good.example/redirect?status=307&to=/echo', { method: 'POST', body: stream(), duplex: 'half' }).catch((error) => error.code);
        const once = await (await fetch('https://good.example/redirect?status=303&to=/echo', { method: 'POST', body: stream(), duplex: 'half' })).json();
        return [last, one, twice, once.method];",
    );
    assert_eq!(report["result"], json!(["hello", "tooManyRedirects", "redirectForbidden", "GET"]), "{report}");
    let errors: Vec<Option<String>> = rows(&report).into_iter().map(|(.., error)| error).collect();
    assert_eq!(errors, [None, Some("tooManyRedirects".to_owned()), Some("redirectForbidden".to_owned()), None]);
}
