//! Bodies of answers: decoded, and bounded to the byte.

use super::house::{House, code, get, header, read, rule, text};
use super::origin::{Origin, Peer};
use crate::egress::Outbound;
use crate::model::EgressRule;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;
use std::sync::Arc;

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

#[tokio::test]
async fn a_part_of_a_coded_body_is_not_decoded() {
    let house = House::new().await;
    let origin = Origin::start(|mut peer, notes| async move {
        while let Some(seen) = peer.request().await {
            notes.add(seen);
            peer.send("HTTP/1.1 206 x\r\ncontent-encoding: gzip\r\ncontent-range: bytes 3-5/9\r\ncontent-length: 3\r\n\r\nabc").await;
        }
    })
    .await;
    let request = Outbound { headers: vec![("range".to_owned(), "bytes=3-5".to_owned())], ..get(url(&origin)) };
    assert_eq!(text(&house.desk(vec![capped(&origin, 100)]), request).await.as_deref(), Ok("abc"));
    assert_eq!(origin.seen()[0].all("accept-encoding"), ["identity"]);
}

#[tokio::test]
async fn the_last_piece_is_told_from_others_where_the_length_is_known_and_frees_slot_and_connection() {
    let house = House::with(|settings| settings.concurrent_per_run = 1).await;
    let origin =
        Origin::start(|mut peer: Peer, _| async move { while peer.request().await.is_some() && peer.answer("whole").await {} }).await;
    let desk = house.desk(vec![capped(&origin, 100)]);
    for row in 0..2 {
        let mut body = desk.fetch(get(url(&origin))).await.expect("an answer").body.expect("a body");
        assert!(!body.is_at_end(), "nothing was read");
        assert_eq!(body.next().await.expect("a piece").as_deref(), Some(&b"whole"[..]));
        assert!(body.is_at_end() && body.is_at_end());
        assert_eq!((desk.ledger()[row].error.as_deref(), desk.ledger()[row].response_bytes), (None, 5));
        assert_eq!(body.next().await.expect("an end"), None);
    }
    assert_eq!((origin.opened(), house.codes()), (1, vec![None, None]), "one connection, and each row told once");
}

#[tokio::test]
async fn no_piece_is_taken_for_the_last_while_more_may_come() {
    let house = House::new().await;
    let half = Origin::start(|mut peer: Peer, _| async move {
        if peer.request().await.is_some() && peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhal").await {
            peer.closed().await;
        }
    })
    .await;
    let packed = encoded("gzip", gzip(b"packed"), 1 << 20).await;
    for (origin, expected) in [(&half, "hal"), (&packed, "packed")] {
        let desk = house.desk(vec![capped(origin, 100)]);
        let mut body = desk.fetch(get(url(origin))).await.expect("an answer").body.expect("a body");
        assert_eq!(body.next().await.expect("a piece").as_deref(), Some(expected.as_bytes()));
        assert!(!body.is_at_end(), "{expected}");
    }
}
