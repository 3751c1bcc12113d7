//! Origins that are slow, silent, endless or talk nonsense; and requests that are dropped under way.

use super::house::{House, code, get, header, post, read, rule, text};
use super::origin::{Notes, Origin, Peer, Tls};
use crate::egress::{Fault, OutBody, OutPiece, Outbound};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Sends these bytes as the answer to the first request, and closes when the other side does, or at once.
async fn says(bytes: impl AsRef<[u8]> + Send + Sync + 'static, close: bool) -> Origin {
    let bytes = Arc::new(bytes);
    Origin::start(move |mut peer: Peer, _| {
        let bytes = bytes.clone();
        async move {
            if peer.request().await.is_some() {
                peer.send((*bytes).as_ref()).await;
                if !close {
                    peer.closed().await;
                }
            }
        }
    })
    .await
}

fn url(origin: &Origin) -> String {
    format!("http://good.example:{}/", origin.port())
}

/// The code that a request to `origin` ends with. Its connection is closed then.
async fn ends(house: &House, origin: &Origin) -> String {
    let code = code(&house.desk(vec![rule("good.example", &[origin.port()])]), get(url(origin))).await;
    origin.live(0).await;
    code
}

#[tokio::test]
async fn an_origin_that_does_not_answer_in_time_is_left() {
    let house = House::with(|settings| settings.first_byte = Duration::from_millis(100)).await;
    let silent = says("", false).await;
    assert_eq!(ends(&house, &silent).await, "timeout");
    let dripping = Origin::start(|mut peer, _| async move {
        peer.request().await;
        while peer.send("a").await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(["timeout", "protocol"].contains(&ends(&house, &dripping).await.as_str()));
}

#[tokio::test]
async fn a_body_that_does_not_end_in_time_is_cut_off() {
    let house = House::with(|settings| settings.total = Duration::from_millis(200)).await;
    let origin = says("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
    let mut answer = house.desk(vec![rule("good.example", &[origin.port()])]).fetch(get(url(&origin))).await.expect("an answer");
    let body = answer.body.as_mut().expect("a body");
    assert_eq!(body.next().await, Ok(Some(Bytes::from_static(b"hello"))));
    assert_eq!(body.next().await.expect_err("late").code(), "timeout");
    origin.live(0).await;
}

#[tokio::test]
async fn the_time_to_the_first_byte_begins_when_the_request_is_sent() {
    let house =
        House::with(|settings| (settings.first_byte, settings.total) = (Duration::from_millis(50), Duration::from_millis(400))).await;
    let origin = says("", false).await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let (_sender, pieces) = mpsc::channel(1);
    let fault = desk.fetch(post(url(&origin), OutBody::Stream(pieces))).await.expect_err("late");
    assert!(matches!(&fault, Fault::Failed { code, message } if code == "timeout" && message.contains("in all")), "{fault:?}");
}

#[tokio::test]
async fn a_listener_that_never_speaks_tls_does_not_hold_a_request() {
    let house = House::with(|settings| settings.connect = Duration::from_millis(200)).await;
    let origin = Origin::start(|mut peer, _| async move { peer.closed().await }).await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    assert_eq!(code(&desk, get(format!("https://good.example:{}/", origin.port()))).await, "timeout");
    origin.live(0).await;
}

#[tokio::test]
async fn nobody_there_a_name_without_address_and_a_stranger_are_told_apart() {
    let (house, tls) = (House::new().await, Tls::new(&["good.example"]));
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener").local_addr().expect("an address").port();
    let stranger = Origin::start_tls(&tls, &["http/1.1"], super::origin::echo).await;
    let ports = [closed, stranger.port()];
    let desk = house.desk(vec![rule("good.example", &ports), rule("gone.example", &ports)]);
    for (url, expected) in [
        (format!("http://good.example:{closed}/"), "connectFailed"),
        (format!("http://gone.example:{closed}/"), "dnsFailed"),
        (format!("https://good.example:{}/", stranger.port()), "tlsFailed"),
    ] {
        assert_eq!(code(&desk, get(url)).await, expected);
    }
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn nonsense_is_an_error_of_the_protocol() {
    let house = House::new().await;
    for nonsense in [
        "hello\r\n\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "",
    ] {
        let origin = says(nonsense, true).await;
        let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
        match text(&desk, get(url(&origin))).await {
            Err(fault) => assert_eq!(fault.code(), "protocol", "{nonsense:?}"),
            // Read up to its end, as HTTP/1.0 had it: there is no telling that more was meant.
            Ok(body) => assert!(nonsense.contains("gzip") && body == "hello", "{nonsense:?}: {body:?}"),
        }
        origin.live(0).await;
    }
}

#[tokio::test]
async fn headers_of_an_answer_are_bounded_in_bytes_and_in_number() {
    let house = House::with(|settings| settings.header_bytes_max = 16 << 10).await;
    let lines = |count: usize, length: usize| {
        let lines: String = (0..count).map(|n| format!("x-{n}: {}\r\n", "a".repeat(length))).collect();
        format!("HTTP/1.1 200 OK\r\n{lines}content-length: 0\r\n\r\n")
    };
    for (count, length) in [(250, 10), (1, 16_000)] {
        let origin = says(lines(count, length), true).await;
        let answer = house.desk(vec![rule("good.example", &[origin.port()])]).fetch(get(url(&origin))).await.expect("an answer");
        assert_eq!(answer.headers.len(), count + 1);
    }
    for (count, length) in [(256, 10), (1, 17_000), (100_000, 1), (1, 10_000_000)] {
        let origin = says(lines(count, length), false).await;
        assert_eq!(ends(&house, &origin).await, "headersTooLarge", "{count} of {length}");
    }
}

#[tokio::test]
async fn a_few_heads_before_the_answer_are_passed_over_and_a_flood_is_not() {
    let house = House::new().await;
    let early =
        |count| format!("{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n".repeat(count));
    let origin = says(early(16), true).await;
    assert_eq!(text(&house.desk(vec![rule("good.example", &[origin.port()])]), get(url(&origin))).await.as_deref(), Ok("ok"));
    let endless = Origin::start(|mut peer, _| async move {
        peer.request().await;
        while peer.send("HTTP/1.1 100 Continue\r\n\r\n").await {}
    })
    .await;
    assert_eq!(ends(&house, &endless).await, "protocol");
}

#[tokio::test]
async fn a_header_that_would_break_its_line_is_denied_and_opens_nothing() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    for (name, value) in
        [("x-a", "b\r\nx-evil: c"), ("x-a\r\nx-evil", "b"), ("x-a", "b\0"), ("x-a", "\u{141}"), ("x-a", &"b".repeat(17 << 10))]
    {
        let request = Outbound { headers: vec![(name.to_owned(), value.to_owned())], ..get(url(&origin)) };
        assert_eq!(code(&desk, request).await, "headerDenied");
    }
    assert_eq!(origin.opened(), 0);
}

#[tokio::test]
async fn this_servers_own_listeners_are_refused_although_their_range_is_allowed() {
    let (house, own, other) = (House::new().await, Origin::echo().await, Origin::echo().await);
    house.broker.set_own_listeners(vec![own.address]);
    let desk = house.desk(vec![rule("good.example", &[own.port(), other.port()])]);
    assert_eq!(code(&desk, get(url(&own))).await, "addressDenied");
    text(&desk, get(url(&other))).await.expect("another port is not ours");
    assert_eq!((own.opened(), desk.ledger()[0].address.as_deref()), (0, None));
}

#[tokio::test]
async fn a_connection_to_what_turns_out_to_be_ours_is_not_used_again() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    text(&desk, get(url(&origin))).await.expect("not ours yet");
    house.broker.set_own_listeners(vec![origin.address]);
    origin.live(0).await;
    assert_eq!(code(&desk, get(url(&origin))).await, "addressDenied");
}

/// Answers a request for `/head` not at all, and others with half a body; tells when it has one.
async fn stalling(bell: Arc<Notify>, mut peer: Peer, _: Notes) {
    while let Some(seen) = peer.head().await {
        if !seen.line().contains("/head") {
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
        }
        bell.notify_one();
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_no_connection() {
    let house = House::new().await;
    let bell = Arc::new(Notify::new());
    let ring = bell.clone();
    let origin = Origin::start(move |peer, notes| stalling(ring.clone(), peer, notes)).await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let (_keep, pieces) = mpsc::channel::<OutPiece>(1);
    for body in [OutBody::Empty, OutBody::Stream(pieces)] {
        tokio::select! {
            _ = desk.fetch(post(format!("{}head", url(&origin)), body)) => panic!("nobody answers"),
            () = bell.notified() => {}
        }
        origin.live(0).await;
    }
    let mut answer = desk.fetch(get(url(&origin))).await.expect("an answer");
    assert_eq!(answer.body.as_mut().expect("a body").next().await, Ok(Some(Bytes::from_static(b"hello"))));
    assert_eq!(desk.ledger()[2].error, None);
    drop(answer);
    origin.live(0).await;
    assert_eq!(house.codes(), vec![Some("aborted".to_owned()); 3]);
    assert_eq!(desk.ledger()[2].response_bytes, 5);
}

#[tokio::test]
async fn an_answer_without_length_ends_with_its_connection() {
    let (house, origin) = (House::new().await, says("HTTP/1.0 200 OK\r\nx-a: \u{e9}\r\n\r\nhello", true).await);
    let mut answer = house.desk(vec![rule("good.example", &[origin.port()])]).fetch(get(url(&origin))).await.expect("an answer");
    assert_eq!(header(&answer, "x-a"), ["\u{c3}\u{a9}"], "each byte a character");
    assert_eq!(read(&mut answer).await.as_deref(), Ok(&b"hello"[..]));
    origin.live(0).await;
}
