//! Bodies, both ways: decoded, bounded to the byte, whole or not at all, and never more of them in memory than is on its way.

use super::house::{House, code, get, header, post, read, rule, text, whole};
use super::origin::{Origin, Peer};
use crate::egress::{OutBody, OutPiece};
use crate::model::EgressRule;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Answers with `body` in the coding `coding`, `step` bytes at a time.
async fn encoded(coding: &'static str, body: Vec<u8>, step: usize) -> Origin {
    let body = Arc::new(body);
    Origin::start(move |mut peer: Peer, _| {
        let body = body.clone();
        async move {
            while peer.request().await.is_some() {
                peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-encoding: {coding}\r\n\r\n", body.len())).await;
                for piece in body.chunks(step) {
                    if !peer.send(piece).await {
                        return;
                    }
                }
            }
        }
    })
    .await
}

fn capped(origin: &Origin, bytes: u64) -> EgressRule {
    EgressRule { max_response_bytes: bytes, ..rule("good.example", &[origin.port()]) }
}

fn url(origin: &Origin) -> String {
    format!("http://good.example:{}/", origin.port())
}

#[tokio::test]
async fn gzip_and_deflate_are_taken_off_in_all_their_forms() {
    let plain: Vec<u8> = (0..100_000_u32).flat_map(|number| (number % 251).to_le_bytes()).collect();
    let house = House::new().await;
    let two_members = [gzip(&plain[..1000]), gzip(&plain[1000..])].concat();
    for (coding, body, step) in [
        ("gzip", gzip(&plain), 1 << 20),
        ("GZip", gzip(&plain), 7),
        ("x-gzip", two_members, 100),
        ("deflate", zlib(&plain), 1 << 20),
        ("deflate", raw(&plain), 1 << 20),
        ("deflate", zlib(&plain), 1),
        ("deflate", raw(&plain), 1),
        ("identity", plain.clone(), 1 << 20),
    ] {
        let origin = encoded(coding, body, step).await;
        let desk = house.desk(vec![capped(&origin, plain.len() as u64)]);
        let mut answer = desk.fetch(get(url(&origin))).await.expect("an answer");
        assert_eq!(read(&mut answer).await.expect(coding), plain, "{coding}");
        if coding != "identity" {
            assert_eq!((header(&answer, "content-encoding").len(), header(&answer, "content-length").len()), (0, 0), "{coding}");
        }
        assert_eq!(desk.ledger()[0].response_bytes, plain.len() as u64);
        text(&desk, get(url(&origin))).await.expect("again");
        assert_eq!(origin.opened(), 1, "{coding}: the connection is clean");
    }
}

#[tokio::test]
async fn an_unknown_coding_passes_as_it_is() {
    let (house, origin) = (House::new().await, encoded("br", b"brotli?".to_vec(), 100).await);
    let mut answer = house.desk(vec![capped(&origin, 100)]).fetch(get(url(&origin))).await.expect("an answer");
    assert_eq!((header(&answer, "content-encoding"), header(&answer, "content-length")), (vec!["br"], vec!["7"]));
    assert_eq!(read(&mut answer).await.expect("a body"), b"brotli?");
}

#[tokio::test]
async fn a_body_that_is_not_what_its_coding_says_is_an_error() {
    let house = House::new().await;
    let whole = gzip(&[7; 1000]);
    let mut wrong_sum = whole.clone();
    *wrong_sum.last_mut().expect("bytes") ^= 1;
    for (coding, body) in [
        ("gzip", whole[..whole.len() - 1].to_vec()),
        ("gzip", whole[..5].to_vec()),
        ("gzip", wrong_sum),
        ("gzip", [whole.as_slice(), b"garbage"].concat()),
        ("gzip", b"not gzip at all".to_vec()),
        ("deflate", zlib(&[7; 1000])[..9].to_vec()),
        ("deflate", raw(&[7; 1000])[..3].to_vec()),
        ("deflate", [zlib(b"x").as_slice(), b"more"].concat()),
        ("deflate", vec![0x78]),
        ("deflate", vec![0xff; 100]),
    ] {
        let origin = encoded(coding, body.clone(), 1 << 20).await;
        assert_eq!(code(&house.desk(vec![capped(&origin, 1 << 20)]), get(url(&origin))).await, "badEncoding", "{coding} {body:?}");
    }
    let empty = encoded("gzip", Vec::new(), 1).await;
    assert_eq!(text(&house.desk(vec![capped(&empty, 10)]), get(url(&empty))).await.as_deref(), Ok(""));
}

#[tokio::test]
async fn a_bomb_is_cut_off_at_its_rules_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..100 {
        encoder.write_all(&vec![0; 1 << 20]).expect("memory");
    }
    let (house, origin) = (House::new().await, encoded("gzip", encoder.finish().expect("memory"), 1 << 20).await);
    let most = 300_000;
    let desk = house.desk(vec![capped(&origin, most)]);
    let mut body = desk.fetch(get(url(&origin))).await.expect("an answer").body.expect("a body");
    let mut read = 0;
    let fault = loop {
        match body.next().await {
            Ok(piece) => read += piece.expect("no end").len() as u64,
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.code(), "responseTooLarge");
    assert!(read <= most, "{read}");
    assert_eq!(body.next().await, Err(fault), "it stays so");
    assert!(desk.ledger()[0].response_bytes <= most);
    origin.live(0).await;
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_its_rule_says_and_not_a_byte_longer() {
    let house = House::new().await;
    let plain = encoded("identity", vec![1; 70_000], 1000).await;
    let packed = encoded("gzip", gzip(&[1; 70_000]), 1000).await;
    let noise: Vec<u8> = (0..32_u32).flat_map(|n| crate::model::Digest::of(&n.to_le_bytes()).as_bytes().to_vec()).collect();
    let grown = gzip(&noise);
    assert!(grown.len() > noise.len());
    let (length, grown) = (grown.len() as u64, encoded("gzip", grown, 1000).await);
    for (origin, most) in [(&plain, 70_000), (&packed, 70_000), (&grown, length)] {
        assert!(text(&house.desk(vec![capped(origin, most)]), get(url(origin))).await.is_ok());
        assert_eq!(code(&house.desk(vec![capped(origin, most - 1)]), get(url(origin))).await, "responseTooLarge");
    }
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
