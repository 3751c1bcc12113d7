//! What profiles grant, at the door.

use super::wire::get;
use super::{House, Settings};
use crate::model::ProblemCode;

fn by(token: &str, path: &str) -> String {
    get(path).replace("\r\n\r\n", &format!("\r\nauthorization: Bearer {token}\r\n\r\n"))
}

#[tokio::test]
async fn one_profile_is_told_in_the_form_that_was_asked_for_and_nobody_guesses_its_type() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    for (query, form, kind) in [
        ("", "json", "application/json"),
        ("?format=json", "json", "application/json"),
        ("?format=d.ts", "d.ts", "text/plain; charset=utf-8"),
        ("?format=d%2Ets", "d.ts", "text/plain; charset=utf-8"),
        ("?format=text", "text", "text/plain; charset=utf-8"),
    ] {
        let reply = wire.ask(by("auditor", &format!("/v1/capabilities/or%64ers{query}"))).await;
        assert_eq!((reply.status, String::from_utf8_lossy(&reply.body).into_owned()), (200, format!("\"auditor orders {form}\"")));
        let headers = ["content-type", "x-content-type-options", "cache-control"].map(|name| reply.header(name));
        assert_eq!(headers, [Some(kind), Some("nosniff"), Some("no-store")]);
    }
    assert!(house.fake.observations.lock().expect("a lock").iter().all(|(route, _)| *route == "/v1/capabilities/{profile}"));
}

#[tokio::test]
async fn an_unknown_field_or_format_is_refused_with_those_that_are_known() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let one =
        ["?format=", "?format=JSON", "?format=ts", "?form=json", "?format=json&format=json", "?format=json&x", "?x&format=json", "?json"];
    let all = ["?format=json", "?x", "?x=1"];
    let paths = one.map(|query| format!("/v1/capabilities/orders{query}")).into_iter();
    for path in paths.chain(all.map(|query| format!("/v1/capabilities{query}"))) {
        let reply = wire.ask(get(&path)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalidRequest"), "{path}");
        assert!(reply.json()["remediation"].as_str().is_some_and(|mend| mend.ends_with("json, d.ts, text")), "{path}");
    }
    for fine in ["/v1/capabilities?", "/v1/capabilities/orders?"] {
        assert_eq!(wire.ask(get(fine)).await.status, 200, "{fine}");
    }
}

#[tokio::test]
async fn who_has_no_key_or_asks_too_often_or_for_nothing_that_is_there_is_told_nothing() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    let route = "/v1/capabilities/{profile}";
    for (token, path, status, noted) in [
        ("wrong", "/v1/capabilities/orders?format=x", 401, Some((None, route, ProblemCode::Unauthenticated))),
        ("developer", "/v1/capabilities/orders", 429, Some((Some("developer".to_owned()), route, ProblemCode::RateLimited))),
        ("agent", "/v1/capabilities/unknown?format=text", 404, None),
        ("agent", "/v1/capabilities/", 404, None),
        ("agent", "/v1/capabilities/a/b", 404, None),
    ] {
        let reply = wire.ask(by(token, path)).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, Some("application/problem+json")), "{path}");
        assert_eq!(house.fake.refusals(), noted.into_iter().collect::<Vec<_>>(), "{path}");
    }
    assert_eq!(wire.ask(get("/v1/capabilities/orders").replace("GET", "POST")).await.status, 405);
}
