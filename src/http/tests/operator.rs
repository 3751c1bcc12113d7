//! The operator listener's contract.

use super::wire::get;
use super::{House, Settings};
use crate::model::ProblemCode;
use std::sync::atomic::Ordering;

fn ask(method: &str, path: &str, token: &str, body: &str) -> String {
    let body = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{body}")
}

#[tokio::test]
async fn health_readiness_and_metrics_are_open() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.operator_wire().await;
    assert_eq!(wire.ask(get("/healthz")).await.body, b"ok\n");
    assert_eq!(wire.ask(get("/readyz")).await.status, 200);
    let metrics = wire.ask(get("/metrics")).await;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(metrics.body, b"# HELP up up\n");
    house.fake.unready.store(true, Ordering::SeqCst);
    let reply = wire.ask(get("/readyz")).await;
    assert_eq!((reply.status, reply.body.as_slice()), (503, b"not ready: no cells\n".as_slice()));
    assert_eq!(wire.ask(get("/v1/runs")).await.status, 405, "runs are sent here, and read on the public listener");
    assert_eq!(wire.ask(get("/v1/capabilities")).await.status, 404);
}

#[tokio::test]
async fn keys_are_the_operators_and_the_log_the_auditors_too() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.operator_wire().await;
    let new = r#"{"name":"ci","role":"agent"}"#;
    for token in ["operator", "local-token"] {
        let made = wire.ask(ask("POST", "/v1/keys", token, new)).await;
        assert_eq!((made.status, made.json()["name"].as_str()), (201, Some("ci")));
        assert_eq!(wire.ask(ask("POST", "/v1/keys/k1/rotate", token, "")).await.json()["rotated"], "k1");
        assert_eq!(wire.ask(ask("DELETE", "/v1/keys/k1", token, "")).await.json()["revoked"], "k1");
    }
    for token in ["operator", "auditor"] {
        assert_eq!(wire.ask(ask("GET", "/v1/log/verify", token, "")).await.json()["ok"], true);
        assert_eq!(wire.ask(ask("GET", "/v1/keys", token, "")).await.status, 200);
        assert_eq!(wire.ask(ask("GET", "/v1/doctor", token, "")).await.status, 200);
    }
    assert_eq!(house.fake.refusals(), []);
    for (token, method, path, code) in [
        ("auditor", "POST", "/v1/keys", ProblemCode::PolicyDenied),
        ("agent", "DELETE", "/v1/keys/{id}", ProblemCode::PolicyDenied),
        ("agent", "GET", "/v1/log/verify", ProblemCode::PolicyDenied),
        ("nobody", "GET", "/v1/doctor", ProblemCode::Unauthenticated),
        ("nobody", "POST", "/v1/keys/{id}/rotate", ProblemCode::Unauthenticated),
    ] {
        let reply = wire.ask(ask(method, &path.replace("{id}", "k1"), token, if method == "POST" { new } else { "" })).await;
        assert_eq!(reply.code(), code.as_str(), "{token} {method} {path}");
        let refusals = house.fake.refusals();
        assert_eq!(refusals.iter().map(|(_, route, code)| (*route, *code)).collect::<Vec<_>>(), [(path, code)]);
        if reply.header("connection") == Some("close") {
            wire = house.operator_wire().await;
        }
    }
}

#[tokio::test]
async fn decisions_are_for_operators_and_auditors_on_the_operator_listener_only() {
    const ID: &str = "019a0000-0000-7000-8000-000000000000";
    let house = House::open(Settings::default()).await;
    let paths = ["/v1/decisions?limit=7&cursor=c", &format!("/v1/decisions/{ID}"), &format!("/v1/explain/{ID}"), "/v1/egress?until=5"];
    for token in ["operator", "auditor", "local-token"] {
        let mut wire = house.operator_wire().await;
        let page = wire.ask(ask("GET", paths[0], token, "")).await.json();
        assert_eq!((page["limit"].as_u64(), page["cursor"].as_str()), (Some(7), Some("c")));
        assert_eq!(wire.ask(ask("GET", paths[1], token, "")).await.json()["decision_id"], ID);
        assert_eq!(wire.ask(ask("GET", paths[2], token, "")).await.json()["at"], "operator");
        assert_eq!(wire.ask(ask("GET", paths[3], token, "")).await.json()["until"], 5);
    }
    for path in paths {
        assert_eq!(house.operator_wire().await.ask(ask("GET", path, "agent", "")).await.code(), "policyDenied", "{path}");
        assert_eq!(house.wire().await.ask(ask("GET", path, "operator", "")).await.status, 404, "{path}");
    }
    for wrong in ["/v1/decisions?tier=1", "/v1/decisions?limit=201", "/v1/decisions/7", "/v1/explain/x", "/v1/egress?agent=a"] {
        let reply = house.operator_wire().await.ask(ask("GET", wrong, "operator", "")).await;
        assert_eq!(reply.code(), "invalidRequest", "{wrong}");
    }
}

#[tokio::test]
async fn a_key_that_is_asked_for_wrongly_is_not_made() {
    let house = House::open(Settings::default()).await;
    for request in [
        ask("POST", "/v1/keys", "operator", r#"{"name":"ci"}"#),
        ask("POST", "/v1/keys", "operator", r#"{"name":"ci","role":"agent"}"#).replace("application/json", "text/plain"),
        ask("DELETE", "/v1/keys/a%2fb", "operator", ""),
        ask("DELETE", &format!("/v1/keys/{}", "k".repeat(65)), "operator", ""),
    ] {
        assert_eq!(house.operator_wire().await.ask(request).await.code(), "invalidRequest");
    }
    let large = ask("POST", "/v1/keys", "operator", &" ".repeat((64 << 10) + 1));
    assert_eq!(house.operator_wire().await.ask(large).await.code(), "tooLarge");
}
