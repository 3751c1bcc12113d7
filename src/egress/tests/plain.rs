//! Requests over plain HTTP that go well, what is sent and what comes back, and which connections are used again.

use super::house::{House, get, header, post, read, rule, text, whole};
use super::origin::Origin;
use crate::egress::{OutBody, OutPiece, Outbound};
use crate::model::{EgressGrant, EgressMode};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

#[tokio::test]
async fn a_request_reaches_its_origin_and_its_answer_the_guest() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = format!("http://good.example:{}/a?b=c#d", origin.port());
    let request =
        Outbound { headers: vec![("X-A".into(), "\u{e9}".into()), ("host".into(), "evil.example".into())], ..post(&url, whole("hello")) };
    let mut answer = desk.fetch(request).await.expect("an answer");
    assert_eq!((answer.status, answer.status_text.as_str(), answer.redirected), (200, "OK", false));
    assert_eq!(answer.url, url.trim_end_matches("#d"));
    assert!(read(&mut answer).await.expect("a body").ends_with(b"hello"));
    let seen = &origin.seen()[0];
    assert_eq!(seen.line(), "POST /a?b=c HTTP/1.1");
    assert_eq!(seen.all("host"), [format!("good.example:{}", origin.port())]);
    assert_eq!((seen.all("user-agent"), seen.all("accept-encoding")), (vec!["cordon-test"], vec!["gzip, deflate"]));
    assert_eq!(seen.all("content-length"), ["5"]);
    let row = &desk.ledger()[0];
    assert_eq!((row.method.as_str(), row.status, row.request_bytes), ("POST", 200, 5));
    assert_eq!((row.rule.as_deref(), row.address.as_deref()), (Some("egress.good.example"), Some(origin.address.to_string().as_str())));
    assert_eq!((row.error.as_deref(), row.synthetic), (None, false));
    assert_eq!(row.response_bytes, (seen.head.len() + 5) as u64);
    assert_eq!((house.codes(), house.durable.load(Ordering::SeqCst), desk.sub_requests()), (vec![None], 1, 1));
}

#[tokio::test]
async fn a_streamed_body_arrives_whole_and_a_post_without_one_says_so() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = format!("http://good.example:{}/", origin.port());
    let (sender, pieces) = mpsc::channel(1);
    let feed = async {
        for piece in ["a", "", "bc"] {
            sender.send(OutPiece::Bytes(Bytes::from(piece))).await.expect("room");
        }
        sender.send(OutPiece::End).await.expect("room");
    };
    let (answer, ()) = tokio::join!(text(&desk, post(&url, OutBody::Stream(pieces))), feed);
    assert!(answer.expect("an answer").ends_with("abc"));
    text(&desk, post(&url, OutBody::Empty)).await.expect("an answer");
    let seen = origin.seen();
    assert!(seen[0].complete && seen[0].body == b"abc");
    assert_eq!(seen[1].all("content-length"), ["0"]);
    assert_eq!(desk.ledger()[0].request_bytes, 3);
}

#[tokio::test]
async fn a_connection_is_used_again_by_the_same_principal_and_by_no_other() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let grant = EgressGrant {
        mode: EgressMode::Allowlist,
        rules: vec![rule("good.example", &[origin.port()]), rule("two.example", &[origin.port()])],
        ..EgressGrant::default()
    };
    let (one, again, other) = (house.desk_of("a", grant.clone()), house.desk_of("a", grant.clone()), house.desk_of("b", grant));
    let url = format!("http://good.example:{}/", origin.port());
    for desk in [&one, &one, &again] {
        text(desk, get(&url)).await.expect("an answer");
    }
    assert_eq!(origin.opened(), 1);
    text(&other, get(&url)).await.expect("an answer");
    assert_eq!(origin.opened(), 2);
    text(&one, get(format!("http://two.example:{}/", origin.port()))).await.expect("an answer");
    assert_eq!(origin.opened(), 3, "another name is another connection, whatever its address");
    assert_eq!(house.durable.load(Ordering::SeqCst), 3, "once per run");
}

#[tokio::test]
async fn a_connection_that_closed_while_idle_is_not_used() {
    let house = House::new().await;
    let origin = Origin::start(|mut peer, notes| async move {
        if let Some(seen) = peer.request().await {
            notes.add(seen);
            peer.answer("once").await;
        }
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    for _ in 0..3 {
        assert_eq!(text(&desk, get(format!("http://good.example:{}/", origin.port()))).await.expect("an answer"), "once");
        origin.live(0).await;
    }
    assert_eq!(origin.opened(), 3);
}

#[tokio::test]
async fn bytes_after_an_answer_are_no_answer_to_the_next_request() {
    let house = House::new().await;
    let origin = Origin::start(|mut peer, _| async move {
        while peer.request().await.is_some() {
            let planted = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nplanted";
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood{planted}")).await;
        }
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    for _ in 0..3 {
        assert_eq!(text(&desk, get(format!("http://good.example:{}/", origin.port()))).await.expect("an answer"), "good");
    }
}

#[tokio::test]
async fn answers_without_a_body_have_none_and_headers_of_the_connection_stay_behind() {
    let house = House::new().await;
    let origin = Origin::start(|mut peer, _| async move {
        while let Some(seen) = peer.request().await {
            let status = seen.line().split('/').nth(1).and_then(|path| path.split(' ').next()).unwrap_or("200").to_owned();
            let length = if seen.line().starts_with("HEAD") { "content-length: 5\r\n" } else { "" };
            peer.send(format!("HTTP/1.1 {status} Evil\u{e9}\r\n{length}set-cookie: a\r\nset-cookie: b\r\nconnection: x-hop\r\nx-hop: c\r\nkeep-alive: d\r\n\r\n")).await;
        }
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    for (method, status) in [("GET", 204), ("GET", 304), ("HEAD", 200)] {
        let answer = desk
            .fetch(Outbound { method: method.into(), ..get(format!("http://good.example:{}/{status}", origin.port())) })
            .await
            .expect("an answer");
        assert!((answer.status, answer.body.is_none()) == (status, true), "{method} {status}");
        assert_eq!(header(&answer, "set-cookie"), ["a", "b"]);
        assert_eq!((header(&answer, "x-hop").len(), header(&answer, "keep-alive").len(), header(&answer, "connection").len()), (0, 0, 0));
        assert!(!answer.status_text.contains("Evil"));
    }
    assert_eq!(origin.opened(), 1);
}
