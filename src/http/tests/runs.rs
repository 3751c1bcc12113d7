//! The public listener's contract.

use super::wire::{get, post, run_of};
use super::{House, Settings};
use crate::model::{Digest, ProblemCode, RunSource};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_run_is_passed_on_as_asked_and_answered_as_it_came() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let reply = wire.ask(post(&format!("traceparent: {TRACE}\r\n"), r#"{"code":"echo","input":[1, 2]}"#)).await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"[1, 2]".as_slice()));
    let headers = ["content-type", "cache-control", "x-content-type-options"].map(|name| reply.header(name));
    assert_eq!(headers, [Some("application/json"), Some("no-store"), Some("nosniff")]);
    assert_eq!(reply.header("traceparent").map(|trace| &trace[..36]), Some(&TRACE[..36]));
    let (by, request, key) = house.fake.last();
    assert_eq!((by.id.as_str(), request.traceparent.as_deref(), key), ("local", Some(TRACE), None));
    assert!(matches!(request.source, RunSource::Inline(_)));
    // The same connection goes on, and a trace is made where none came.
    let reply = wire.ask(run_of("echo")).await;
    assert_eq!(reply.header("traceparent").map(str::to_owned), house.fake.last().1.traceparent);
    assert_eq!(*house.fake.observations.lock().expect("a lock"), [("/v1/runs", 200), ("/v1/runs", 200)]);
}

#[tokio::test]
async fn an_idempotency_key_goes_down_with_the_digest_of_the_body() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let body = r#"{"code":"replay"}"#;
    let longest = "k".repeat(255);
    let reply = wire.ask(post(&format!("idempotency-key: {longest}\r\n"), body)).await;
    assert_eq!((reply.status, reply.header("idempotent-replayed")), (200, Some("true")));
    let key = house.fake.last().2.expect("a key");
    assert_eq!((key.key, key.body), (longest.clone(), Digest::of(body.as_bytes())));
    for wrong in [format!("{longest}k"), String::new(), "a b".to_owned(), "é".to_owned()] {
        let reply = wire.ask(post(&format!("idempotency-key: {wrong}\r\n"), body)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalidRequest"), "{wrong}");
    }
    let twice = wire.ask(post("idempotency-key: a\r\nidempotency-key: a\r\n", body)).await;
    assert_eq!(twice.status, 400);
    assert_eq!(house.fake.seen.lock().expect("a lock").len(), 1);
}

#[tokio::test]
async fn every_refusal_at_the_door_is_a_problem_and_is_noted_and_one_from_below_is_not_noted_twice() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let body = r#"{"code":"echo"}"#;
    let form = post("", body).replace("application/json", "application/x-www-form-urlencoded");
    for (request, status, code, principal) in [
        (post(&bearer("wrong"), body), 401, ProblemCode::Unauthenticated, None),
        (post("authorization: x\r\nauthorization: y\r\n", body), 400, ProblemCode::InvalidRequest, None),
        (post("authorization: Bearer é\r\n", body), 401, ProblemCode::Unauthenticated, None),
        (post(&bearer("developer"), body), 429, ProblemCode::RateLimited, Some("developer")),
        (post(&bearer("agent"), r#"{"cod":1}"#), 400, ProblemCode::InvalidRequest, Some("agent")),
        (post("", ""), 400, ProblemCode::InvalidRequest, Some("local")),
        (form, 400, ProblemCode::InvalidRequest, Some("local")),
    ] {
        let reply = wire.ask(&request).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code.as_str()), "{request}");
        assert!(reply.header("traceparent").is_some());
        assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"));
        assert_eq!(reply.header("retry-after"), (status == 429).then_some("3"));
        assert_eq!(house.fake.refusals(), [(principal.map(str::to_owned), "/v1/runs", code)]);
        if wire.stream.peer_addr().is_err() || reply.header("connection") == Some("close") {
            wire = house.wire().await;
        }
    }
    let reply = wire.ask(run_of("refuse")).await;
    assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "overloaded", Some("7")));
    assert_eq!(house.fake.refusals(), []);
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_before_it_is_sent_or_while_it_is() {
    let house = House::open(Settings { body_bytes_max: 64, ..Settings::default() }).await;
    let body = |length: usize| format!(r#"{{"code":"{}"}}"#, "e".repeat(length - 11));
    assert_eq!(house.wire().await.ask(post("", &body(64))).await.status, 200);
    assert_eq!(house.wire().await.ask(post("", &body(65))).await.code(), "tooLarge");
    // Only announced, never sent.
    let head = post("", "").replace("content-length: 0", "content-length: 65");
    assert_eq!(house.wire().await.ask(head.as_str()).await.status, 413);
    let expecting = head.replace("content-length", "expect: 100-continue\r\ncontent-length");
    let mut wire = house.wire().await;
    assert_eq!((wire.ask(expecting).await.status, wire.interim), (413, 0));
    // Not announced.
    let chunked = post("", "").replace("content-length: 0", "transfer-encoding: chunked");
    let chunks =
        |length: usize| format!("{chunked}20\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &body(length)[..32], length - 32, &body(length)[32..]);
    assert_eq!(house.wire().await.ask(chunks(64)).await.status, 200);
    assert_eq!(house.wire().await.ask(chunks(65)).await.status, 413);
    // Much more than any buffer: the answer still arrives.
    let mut wire = house.wire().await;
    wire.send(post("", "").replace("content-length: 0", "content-length: 3000000")).await;
    wire.send(vec![b'x'; 3_000_000]).await;
    assert_eq!(wire.reply().await.status, 413);
}

#[tokio::test]
async fn runs_are_read_by_id_and_listed_by_filter() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let reply = wire.ask(get(&format!("/v1/runs/{id}"))).await;
    assert_eq!((reply.status, reply.json()["run"].as_str()), (200, Some(id)));
    wire.send(get(&format!("/v1/runs/{id}")).replace("GET", "HEAD")).await;
    let head = wire.reply_to(true).await;
    assert_eq!((head.status, head.header("content-length")), (200, Some(reply.body.len().to_string().as_str())));
    assert_eq!(wire.ask(get("/v1/runs/nonsense")).await.code(), "invalidRequest");
    let foreign = get(&format!("/v1/runs/{id}")).replace("\r\n\r\n", "\r\nauthorization: Bearer agent\r\n\r\n");
    assert_eq!(wire.ask(foreign).await.code(), "notFound");
    let page = wire.ask(get("/v1/runs?agent=a&limit=2")).await;
    assert_eq!(page.json(), serde_json::json!({ "runs": [{ "run": 1 }], "cursor": "next" }));
    let filter = house.fake.lists.lock().expect("a lock").pop().expect("a filter");
    assert_eq!((filter.agent.as_deref(), filter.limit), (Some("a"), 2));
    assert_eq!(wire.ask(get("/v1/runs?agents=a")).await.code(), "invalidRequest");
    assert_eq!(wire.ask(get("/v1/capabilities")).await.json()["for"], "local");
    let unknown = get("/v1/capabilities").replace("\r\n\r\n", "\r\nauthorization: Bearer x\r\n\r\n");
    assert_eq!(wire.ask(unknown).await.status, 401);
    assert_eq!(house.fake.refusals(), [(None, "/v1/capabilities", ProblemCode::Unauthenticated)]);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_a_problem_that_says_what_there_is() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    for path in ["/", "/v1", "/v1/runs/", "/metrics", "/v1/keys", "/openapi.json", "/v1/runs/a/b", "/V1/runs"] {
        assert_eq!(wire.ask(get(path)).await.code(), "notFound", "{path}");
    }
    let reply = wire.ask(get("/v1/runs").replace("GET", "PUT")).await;
    assert_eq!((reply.status, reply.code().as_str()), (405, "methodNotAllowed"));
    let mut allowed: Vec<&str> = reply.header("allow").expect("Allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let observed = std::mem::take(&mut *house.fake.observations.lock().expect("a lock"));
    assert_eq!(observed.iter().filter(|seen| **seen == ("unmatched", 404)).count(), 8);
    assert_eq!(observed.last(), Some(&("/v1/runs", 405)));
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_own_request_only() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let reply = wire.ask(run_of("panic")).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internalError"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("as asked for"));
    assert_eq!(wire.ask(run_of("echo")).await.status, 200);
}

#[tokio::test]
async fn no_page_of_another_origin_reaches_either_listener() {
    let house = House::open(Settings::default()).await;
    for mut wire in [house.wire().await, house.operator_wire().await] {
        for (from, to) in [
            ("host: localhost", "host: rebound.example"),
            ("host: localhost", "host: localhost\r\norigin: https://evil.example"),
            ("host: localhost", "host: localhost\r\norigin: null"),
            ("host: localhost", "host: localhost\r\nsec-fetch-site: cross-site"),
            ("GET /", "GET http://rebound.example/"),
        ] {
            assert_eq!(wire.ask(get("/v1/capabilities").replace(from, to)).await.code(), "foreignOrigin", "{to}");
            assert_eq!(house.fake.refusals(), [(None, "gate", ProblemCode::ForeignOrigin)]);
        }
        assert_eq!(wire.ask("GET /healthz HTTP/1.1\r\n\r\n").await.code(), "invalidRequest");
        assert_eq!(house.fake.refusals(), [(None, "gate", ProblemCode::InvalidRequest)]);
        let preflight =
            get("/v1/runs").replace("GET", "OPTIONS").replace("host: localhost", "host: localhost\r\norigin: https://evil.example");
        let reply = wire.ask(preflight).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None));
        assert_eq!(house.fake.refusals().len(), 1);
    }
    assert!(house.fake.observations.lock().expect("a lock").iter().all(|(route, _)| *route == "gate"));
}
