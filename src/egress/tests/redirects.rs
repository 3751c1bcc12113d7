//! Redirects: each hop is decided anew, and what was for one origin stays there.

use super::house::{House, code, get, post, rule, text, whole};
use super::origin::{Notes, Origin, Peer};
use crate::egress::{Fault, OutBody, OutPiece, Outbound};
use crate::model::Scheme;
use crate::model::exchange::Redirect;
use bytes::Bytes;
use tokio::sync::mpsc;

/// Answers `/STATUS/LOCATION` with both, and everything else with its own head and body.
async fn redirector(mut peer: Peer, notes: Notes) {
    while let Some(seen) = peer.request().await {
        notes.add(seen.clone());
        let path = seen.line().split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let more = match path.split_once('/') {
            Some((status, location)) if status.parse::<u16>().is_ok() => {
                peer.send(format!("HTTP/1.1 {status} x\r\nlocation: {location}\r\ncontent-length: 4\r\n\r\nmove")).await
            }
            _ => peer.answer([seen.head.as_bytes(), &seen.body].concat()).await,
        };
        if !more {
            return;
        }
    }
}

fn with_credentials(url: String) -> Outbound {
    let headers = [("Authorization", "Bearer a"), ("cookie", "b"), ("x-plain", "c")];
    Outbound { headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), ..get(url) }
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_rules_and_each_hop_is_in_the_row() {
    let (house, origin) = (House::new().await, Origin::start(redirector).await);
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port])]);
    let mut answer = desk.fetch(with_credentials(format!("http://good.example:{port}/302//end?x"))).await.expect("an answer");
    assert_eq!((answer.status, answer.redirected, answer.url.as_str()), (200, true, format!("http://good.example:{port}/end?x").as_str()));
    super::house::read(&mut answer).await.expect("a body");
    let (row, seen) = (&desk.ledger()[0], origin.seen());
    assert_eq!(row.redirects, [format!("http://good.example:{port}/end?x")]);
    assert_eq!((row.status, desk.sub_requests(), origin.opened()), (200, 2, 1));
    assert_eq!((seen[1].all("authorization"), seen[1].all("cookie")), (vec!["Bearer a"], vec!["b"]), "the same origin");
}

#[tokio::test]
async fn credentials_do_not_go_along_to_another_origin() {
    let (house, first, second) = (House::new().await, Origin::start(redirector).await, Origin::start(redirector).await);
    let desk = house.desk(vec![rule("good.example", &[first.port(), second.port()]), rule("other.example", &[first.port()])]);
    for next in [format!("http://other.example:{}/end", first.port()), format!("http://good.example:{}/end", second.port())] {
        text(&desk, with_credentials(format!("http://good.example:{}/307/{next}", first.port()))).await.expect("an answer");
    }
    for seen in [&first.seen()[1], &second.seen()[0]] {
        assert_eq!((seen.all("authorization").len(), seen.all("cookie").len(), seen.all("x-plain")), (0, 0, vec!["c"]), "{}", seen.head);
    }
}

#[tokio::test]
async fn a_hop_that_is_denied_denies_all_and_opens_nothing() {
    let (house, origin, forbidden) = (House::new().await, Origin::start(redirector).await, Origin::echo().await);
    let (port, other) = (origin.port(), forbidden.port());
    let desk = house.desk(vec![rule("good.example", &[port]), rule("meta.example", &[80])]);
    house.broker.set_own_listeners(vec![]);
    for (location, expected) in [
        (format!("http://evil.example:{other}/"), "egressDenied"),
        (format!("http://good.example:{other}/"), "portDenied"),
        (format!("http://127.0.0.1:{other}/"), "egressDenied"),
        (format!("http://[::ffff:127.0.0.1]:{other}/"), "egressDenied"),
        (format!("http://2130706433:{other}/"), "egressDenied"),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "egressDenied"),
        ("http://meta.example/latest/meta-data/".to_owned(), "addressDenied"),
        (format!("http://a:b@good.example:{port}/"), "badTarget"),
        ("file:///etc/passwd".to_owned(), "badTarget"),
        ("javascript:1".to_owned(), "badTarget"),
        (format!("http://good.example.:{port}/"), "badTarget"),
    ] {
        let fault = desk.fetch(get(format!("http://good.example:{port}/302/{location}"))).await.expect_err("denied");
        assert!(matches!(&fault, Fault::Denied(refusal) if refusal.code == expected), "{location}: {fault:?}");
        let row = desk.ledger().pop().expect("a row");
        assert_eq!((row.error.as_deref(), row.status, row.redirects.len()), (Some(expected), 302, 1), "{location}");
    }
    assert_eq!(forbidden.opened(), 0);
}

#[tokio::test]
async fn redirects_end() {
    let house = House::with(|settings| settings.redirects_max = 3).await;
    let origin = Origin::start(redirector).await;
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port])]);
    let nested = |hops: usize| format!("http://good.example:{port}/{}end", "302//".repeat(hops));
    text(&desk, get(nested(3))).await.expect("as many as are allowed");
    assert_eq!(code(&desk, get(nested(4))).await, "tooManyRedirects");
    assert_eq!(desk.ledger()[1].redirects.len(), 3);
    let circle = Origin::start(|mut peer, _| async move {
        while peer.request().await.is_some() && peer.send("HTTP/1.1 301 x\r\nlocation: #a\r\ncontent-length: 0\r\n\r\n").await {}
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[circle.port()])]);
    assert_eq!(code(&desk, get(format!("http://good.example:{}/", circle.port()))).await, "tooManyRedirects");
    assert_eq!(circle.opened(), 1);
}

#[tokio::test]
async fn a_redirect_can_be_an_answer_or_an_error_as_the_guest_asks() {
    let (house, origin) = (House::new().await, Origin::start(redirector).await);
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port])]);
    let url = format!("http://good.example:{port}/302/http://evil.example/");
    let mut answer = desk.fetch(Outbound { redirect: Redirect::Manual, ..get(&url) }).await.expect("an answer");
    assert_eq!((answer.status, answer.redirected, super::house::header(&answer, "location")), (302, false, vec!["http://evil.example/"]));
    assert_eq!(super::house::read(&mut answer).await.expect("a body"), b"move");
    assert_eq!(code(&desk, Outbound { redirect: Redirect::Error, ..get(&url) }).await, "redirectForbidden");
    assert_eq!(code(&desk, get(format!("http://good.example:{port}/302/http://["))).await, "protocol");
    let answer = desk.fetch(get(format!("http://good.example:{port}/304/http://evil.example/"))).await.expect("not a redirect");
    assert_eq!(answer.status, 304);
}

#[tokio::test]
async fn methods_and_bodies_change_as_the_standard_has_it() {
    let (house, origin) = (House::new().await, Origin::start(redirector).await);
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port])]);
    for (status, method, expected) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (301, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (303, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
    ] {
        let headers = vec![("content-type".to_owned(), "a/b".to_owned())];
        let body = if method == "HEAD" { OutBody::Empty } else { whole("body") };
        let request = Outbound { method: method.to_owned(), headers, ..post(format!("http://good.example:{port}/{status}//end"), body) };
        text(&desk, request).await.expect("an answer");
        let seen = origin.seen().pop().expect("a request");
        let kept = expected == method && method != "HEAD";
        assert_eq!(
            (seen.line(), seen.body.as_slice()),
            (format!("{expected} /end HTTP/1.1").as_str(), if kept { &b"body"[..] } else { b"" }),
            "{status} {method}"
        );
        assert_eq!(seen.all("content-type").len(), usize::from(expected == method), "{status} {method}");
    }
}

#[tokio::test]
async fn a_streamed_body_is_not_sent_twice() {
    let (house, origin) = (House::new().await, Origin::start(redirector).await);
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port])]);
    let stream = || {
        let (sender, pieces) = mpsc::channel(2);
        sender.try_send(OutPiece::Bytes(Bytes::from_static(b"body"))).expect("room");
        sender.try_send(OutPiece::End).expect("room");
        OutBody::Stream(pieces)
    };
    assert_eq!(code(&desk, post(format!("http://good.example:{port}/307//end"), stream())).await, "redirectForbidden");
    assert_eq!(origin.seen().len(), 1);
    text(&desk, post(format!("http://good.example:{port}/303//end"), stream())).await.expect("an answer");
    assert_eq!(origin.seen()[2].line(), "GET /end HTTP/1.1");
}

#[tokio::test]
async fn a_redirect_counts_against_the_run_and_against_its_rule() {
    let (mut house, origin) = (House::new().await, Origin::start(redirector).await);
    let port = origin.port();
    let mut few = rule("good.example", &[port]);
    few.max_requests = 1;
    let url = format!("http://good.example:{port}/302//end");
    assert_eq!(code(&house.desk(vec![few]), get(&url)).await, "ruleExhausted");
    house.sub_requests = 1;
    assert_eq!(code(&house.desk(vec![rule("good.example", &[port])]), get(&url)).await, "tooManyRequests");
    assert_eq!(origin.seen().len(), 2);
}

#[tokio::test]
async fn an_endless_body_of_a_redirect_is_not_read() {
    let house = House::new().await;
    let origin = Origin::start(|mut peer, _| async move {
        let Some(seen) = peer.request().await else { return };
        if seen.line().starts_with("GET /end ") {
            peer.answer("end").await;
            return peer.closed().await;
        }
        peer.send("HTTP/1.1 302 x\r\nlocation: /end\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while peer.send("5\r\nhello\r\n").await {}
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    assert_eq!(text(&desk, get(format!("http://good.example:{}/", origin.port()))).await.expect("an answer"), "end");
    assert_eq!(origin.opened(), 2);
    origin.live(1).await;
}

#[tokio::test]
async fn https_does_not_lead_to_http_unless_a_rule_says_so() {
    let tls = super::origin::Tls::new(&["good.example"]);
    let pem = tls.pem.clone().into_bytes();
    let house = House::with(|settings| settings.extra_ca_pem = Some(pem)).await;
    let (secure, plain) = (Origin::start_tls(&tls, &["http/1.1"], redirector).await, Origin::echo().await);
    let url = format!("https://good.example:{}/302/http://good.example:{}/", secure.port(), plain.port());
    let mut only = rule("good.example", &[secure.port(), plain.port()]);
    only.schemes = vec![Scheme::Https];
    assert_eq!(code(&house.desk(vec![only]), with_credentials(url.clone())).await, "redirectDenied");
    assert_eq!(plain.opened(), 0);
    let both = rule("good.example", &[secure.port(), plain.port()]);
    text(&house.desk(vec![both]), with_credentials(url)).await.expect("an answer");
    assert_eq!((plain.seen()[0].all("authorization").len(), plain.opened()), (0, 1));
}
