//! Bodies of requests, whole or not at all; and long bodies both ways, of which no more is in memory than is on its way.

use super::house::{House, code, get, post, read, rule, text, whole};
use super::origin::Origin;
use crate::egress::{OutBody, OutPiece};
use crate::model::EgressRule;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

fn capped(origin: &Origin, bytes: u64) -> EgressRule {
    EgressRule { max_response_bytes: bytes, ..rule("good.example", &[origin.port()]) }
}

fn url(origin: &Origin) -> String {
    format!("http://good.example:{}/", origin.port())
}

/// Notes each request twice: when its head is there, and when its body is over, or broke off. Says when the body has so many bytes.
async fn watcher(bytes: u64) -> (Origin, Arc<Notify>) {
    let bell = Arc::new(Notify::new());
    let ring = bell.clone();
    let origin = Origin::start(move |mut peer, notes| {
        let ring = ring.clone();
        async move {
            while let Some(mut seen) = peer.head().await {
                notes.add(seen.clone());
                seen.complete = peer
                    .chunks(&mut seen.body, |so_far| {
                        if so_far == bytes {
                            ring.notify_one()
                        }
                    })
                    .await;
                notes.add(seen.clone());
                if !seen.complete || !peer.answer("done").await {
                    return;
                }
            }
        }
    })
    .await;
    (origin, bell)
}

#[tokio::test]
async fn a_request_may_be_as_long_as_the_settings_say_and_not_a_byte_longer() {
    let house = House::with(|settings| settings.request_bytes_max = 1000).await;
    let ((origin, bell), echo) = (watcher(1000).await, Origin::echo().await);
    let desk = house.desk(vec![capped(&origin, 1 << 20), capped(&echo, 1 << 20)]);
    text(&desk, post(url(&echo), whole(vec![b'a'; 1000]))).await.expect("at the limit");
    assert_eq!(code(&desk, post(url(&echo), whole(vec![b'a'; 1001]))).await, "requestTooLarge");
    assert_eq!(echo.seen().len(), 1, "a whole body that is too long is not begun");
    for more in [false, true] {
        let (sender, pieces) = mpsc::channel(2);
        let feed = async {
            sender.send(OutPiece::Bytes(Bytes::from(vec![b'a'; 999]))).await.expect("room");
            sender.send(OutPiece::Bytes(Bytes::from_static(b"b"))).await.expect("room");
            bell.notified().await;
            let last = if more { OutPiece::Bytes(Bytes::from_static(b"c")) } else { OutPiece::End };
            sender.send(last).await.expect("room");
        };
        let (answer, ()) = tokio::join!(text(&desk, post(url(&origin), OutBody::Stream(pieces))), feed);
        assert_eq!(
            answer.map_err(|fault| fault.code().to_owned()),
            if more { Err("requestTooLarge".to_owned()) } else { Ok("done".to_owned()) }
        );
    }
    origin.live(0).await;
    let seen = origin.seen();
    assert_eq!((seen.len(), seen[1].complete, seen[3].complete, seen[3].body.len()), (4, true, false, 1000));
    assert_eq!(desk.ledger()[3].request_bytes, 1000);
}

#[tokio::test]
async fn a_body_that_the_guest_did_not_finish_never_looks_complete() {
    let (house, (origin, bell)) = (House::new().await, watcher(12).await);
    let desk = house.desk(vec![capped(&origin, 1 << 20)]);
    let (sender, pieces) = mpsc::channel(1);
    let feed = async move {
        sender.send(OutPiece::Bytes(Bytes::from_static(b"transfer 100"))).await.expect("room");
        bell.notified().await;
    };
    let (code, ()) = tokio::join!(code(&desk, post(url(&origin), OutBody::Stream(pieces))), feed);
    assert_eq!(code, "aborted");
    origin.live(0).await;
    let seen = &origin.seen()[1];
    assert_eq!((seen.complete, seen.body.as_slice()), (false, &b"transfer 100"[..]));
    assert_eq!((desk.ledger()[0].error.as_deref(), desk.ledger()[0].request_bytes), (Some("aborted"), 12));
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_arrives_and_the_connection_ends_with_it() {
    let house = House::with(|settings| settings.request_bytes_max = 1 << 30).await;
    let origin = Origin::start(|mut peer, _| async move {
        if peer.head().await.is_some() && peer.send("HTTP/1.1 413 x\r\ncontent-length: 2\r\n\r\nno").await {
            peer.closed().await;
        }
    })
    .await;
    let desk = house.desk(vec![capped(&origin, 1 << 20)]);
    let (sender, pieces) = mpsc::channel(1);
    sender.send(OutPiece::Bytes(Bytes::from_static(b"a"))).await.expect("room");
    let mut answer = desk.fetch(post(url(&origin), OutBody::Stream(pieces))).await.expect("an answer");
    assert_eq!((answer.status, read(&mut answer).await.as_deref()), (413, Ok(&b"no"[..])));
    origin.live(0).await;
    sender.closed().await;
}

#[tokio::test]
async fn a_hundred_megabytes_pass_each_way() {
    const PIECES: u64 = 1600;
    const BYTES: u64 = PIECES * (64 << 10);
    let house = House::with(|settings| settings.request_bytes_max = BYTES).await;
    let origin = Origin::start(|mut peer, _| async move {
        let Some(seen) = peer.head().await else { return };
        if seen.line().starts_with("POST") {
            let count = peer.count().await;
            peer.answer(count.to_string()).await;
        } else {
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n")).await;
            for _ in 0..PIECES {
                peer.send([7; 64 << 10]).await;
            }
        }
    })
    .await;
    let desk = house.desk(vec![capped(&origin, BYTES)]);
    let mut body = desk.fetch(get(url(&origin))).await.expect("an answer").body.expect("a body");
    let mut down = 0;
    while let Some(piece) = body.next().await.expect("a piece") {
        down += piece.len() as u64;
    }
    let (sender, pieces) = mpsc::channel(1);
    let feed = async move {
        for _ in 0..PIECES {
            sender.send(OutPiece::Bytes(Bytes::from_static(&[7; 64 << 10]))).await.expect("room");
        }
        sender.send(OutPiece::End).await.expect("room");
    };
    let (answer, ()) = tokio::join!(text(&desk, post(url(&origin), OutBody::Stream(pieces))), feed);
    assert_eq!((down, answer.expect("an answer")), (BYTES, BYTES.to_string()));
    assert_eq!((desk.ledger()[0].response_bytes, desk.ledger()[1].request_bytes), (BYTES, BYTES));
}

/// More than two socket buffers and what hyper holds, and far less than what the tests offer.
const ON_ITS_WAY_MAX: u64 = 24 << 20;

#[tokio::test]
async fn what_the_guest_does_not_read_stays_with_the_origin() {
    let house = House::new().await;
    let (tell, told) = oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let origin = Origin::start(move |mut peer, _| {
        let tell = tell.clone();
        async move {
            peer.request().await;
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
            let mut sent = 0_u64;
            // That a write takes this long says that nobody reads: an origin has no other way to know.
            while let Ok(true) = timeout(Duration::from_millis(300), peer.send([0; 1 << 10])).await {
                sent += 1 << 10;
            }
            if let Some(tell) = tell.lock().expect("a lock").take() {
                tell.send(sent).expect("a listener");
            }
        }
    })
    .await;
    let answer = house.desk(vec![capped(&origin, 1 << 30)]).fetch(get(url(&origin))).await.expect("an answer");
    assert!(told.await.expect("a number") < ON_ITS_WAY_MAX);
    drop(answer);
}

#[tokio::test]
async fn what_the_origin_does_not_read_stays_with_the_guest() {
    let house = House::with(|settings| settings.request_bytes_max = 1 << 30).await;
    let origin = Origin::start(|mut peer, _| async move {
        peer.head().await;
        std::future::pending::<()>().await;
    })
    .await;
    let desk = house.desk(vec![capped(&origin, 1 << 20)]);
    let (sender, pieces) = mpsc::channel(1);
    let sent = AtomicU64::new(0);
    let feed = async {
        while let Ok(Ok(())) = timeout(Duration::from_millis(300), sender.send(OutPiece::Bytes(Bytes::from_static(&[7; 64 << 10])))).await {
            sent.fetch_add(64 << 10, Ordering::Relaxed);
        }
    };
    tokio::select! {
        _ = desk.fetch(post(url(&origin), OutBody::Stream(pieces))) => panic!("nobody answers"),
        () = feed => {}
    }
    assert!(sent.load(Ordering::Relaxed) < ON_ITS_WAY_MAX);
}
