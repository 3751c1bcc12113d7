//! Handlers under `/w/{artifact}/` that ask origins.

use super::Scene;
use crate::house::world::End;
use crate::house::{Ask, Reply};
use serde_json::{Value, json};
use std::io::Read;

/// What passes on to the origin whatever it is asked for.
const PROXY: &str = "export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (!request.headers.has('cordon-prefix')) return new Response();
    if (request.method === 'GET') return fetch('https://good.example' + url.pathname + url.search);
    return fetch('https://good.example' + url.pathname + url.search, { method: request.method, headers: request.headers, body: request.body, duplex: 'half' });
  },
};";

/// Where the proxy is served.
fn stored(scene: &Scene) -> String {
    let report = scene.house.run(&json!({"modules": {"main.js": PROXY}}));
    format!("/w/{}", report["artifact"].as_str().unwrap_or_else(|| panic!("{report}")))
}

fn report(scene: &Scene, reply: &Reply) -> Value {
    scene.sealed(reply.header("cordon-run").unwrap_or_else(|| panic!("{reply:?}")))
}

#[test]
fn a_handler_passes_requests_and_answers_on() {
    let scene = Scene::start("");
    let at = stored(&scene);
    let ask = |ask: Ask| scene.house.ask(&ask.with("cordon-profile", "wide"));
    let told = ask(Ask::get(&format!("{at}/json")));
    assert_eq!((told.status, told.header("content-type"), told.json()), (200, Some("application/json"), json!({"ok": true, "n": 42})));
    let posted = ask(Ask::post_text(&format!("{at}/echo?a=b"), "posted").with("x-own", "1"));
    let seen = posted.json();
    assert_eq!(
        (&seen["method"], &seen["body"], &seen["query"], &seen["headers"]["x-own"]),
        (&json!("POST"), &json!("posted"), &json!({"a": "b"}), &json!("1"))
    );
    // What ties a request to this server and its run stays here.
    assert!(seen["headers"]["host"] == "good.example" && seen["headers"]["cordon-prefix"].is_null(), "{seen}");
    let cookies = ask(Ask::get(&format!("{at}/cookies")));
    let cookies: Vec<&str> = cookies.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    assert_eq!(cookies, ["a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT", "b=2"]);
    let body: Vec<u8> = (0..1_u32 << 20).map(|at| (at % 251) as u8).collect();
    let mirrored = ask(Ask::post_text(&format!("{at}/mirror"), body.clone()));
    assert!(mirrored.body == body, "{} bytes came back", mirrored.body.len());
    let report = report(&scene, &mirrored);
    assert_eq!(
        (&report["outcome"], &report["egress"][0]["requestBytes"], &report["egress"][0]["responseBytes"]),
        (&json!("ok"), &json!(1 << 20), &json!(1 << 20))
    );
}

#[test]
fn a_client_that_leaves_a_handler_closes_what_it_asks_for() {
    let scene = Scene::start("");
    let at = stored(&scene);
    let mut stream =
        Ask::get(&format!("{at}/slow?ms=60000")).with("cordon-profile", "wide").begin(scene.house.public()).expect("connected");
    let mut seen = Vec::new();
    // The first byte of the body, in its chunk.
    while !seen.ends_with(b"\r\n1\r\na\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&seen)));
        seen.extend(byte);
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    let run = head.lines().find_map(|line| line.strip_prefix("cordon-run: ")).unwrap_or_else(|| panic!("{head}")).to_owned();
    drop(stream);
    assert_eq!(scene.world.end_of("/slow?ms=60000"), End::Left);
    let report = scene.sealed(&run);
    assert_eq!((&report["outcome"], &report["egress"][0]["error"]), (&json!("canceled"), &json!("aborted")), "{report}");
}

#[test]
fn what_a_handler_leaves_to_be_done_may_still_ask() {
    let scene = Scene::start("");
    let code = "export default { fetch(request, env, ctx) {
        if (!request.headers.has('cordon-prefix')) return new Response();
        ctx.waitUntil(fetch('https://good.example/late?ms=100').then((answer) => answer.text()).then(console.log));
        return new Response('before');
    } }";
    let artifact = scene.house.run(&json!({"modules": {"main.js": code}}))["artifact"].clone();
    let reply = scene.house.ask(&Ask::get(&format!("/w/{}/", artifact.as_str().expect("an id"))).with("cordon-profile", "wide"));
    let report = report(&scene, &reply);
    assert_eq!(
        (reply.text().as_str(), &report["outcome"], &report["logs"][0]["message"]),
        ("before", &json!("ok"), &json!("late")),
        "{report}"
    );
    assert_eq!((&report["egress"][0]["status"], &report["egress"][0]["error"]), (&json!(200), &Value::Null));
}
