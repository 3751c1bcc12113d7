//! What the sender does for whoever keeps secrets: it asks before it sends, sends no byte that was not looked at, and scrubs what comes back.

use super::house::{House, code, get, header, post, read, rule, text, whole};
use super::origin::{Notes, Origin, Peer};
use crate::egress::{BodyGuard, Carrier, Fault, Misuse, OutBody, OutPiece, Outbound, Scrubber, Target};
use crate::model::{EgressFixture, EgressGrant, EgressMode, EgressRule};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Stands for the secret in the guest's requests.
const STAND_IN: &str = "STANDIN";

/// The secret.
const REAL: &str = "real-value";

/// Keeps one secret, for the header `x-key` of `good.example`.
struct Keeper;

fn misuse(kind: &'static str) -> Misuse {
    Misuse {
        secret: "KEY".to_owned(),
        rule: "secret.KEY".to_owned(),
        kind,
        message: "not there".to_owned(),
        remediation: "put it into x-key".to_owned(),
        violation: true,
    }
}

impl Carrier for Keeper {
    fn inspect(&self, target: &Target, headers: &[(String, String)]) -> Result<Vec<String>, Misuse> {
        if target.url.as_str().contains(STAND_IN) {
            return Err(misuse("inUrl"));
        }
        let misplaced = |(name, value): &(String, String)| value.contains(STAND_IN) && (name != "x-key" || target.host != "good.example");
        if headers.iter().any(misplaced) { Err(misuse("wrongHeader")) } else { Ok(Vec::new()) }
    }

    fn load(&self, _: &Target, _: &EgressRule, headers: &mut http::HeaderMap) -> Result<Vec<String>, Misuse> {
        if headers.get("x-key").is_none_or(|value| value != STAND_IN) {
            return Ok(Vec::new());
        }
        headers.insert("x-key", http::HeaderValue::from_static(REAL));
        Ok(vec!["KEY".to_owned()])
    }

    fn body_guard(&self) -> Option<Box<dyn BodyGuard>> {
        Some(Box::new(Tail::default()))
    }

    fn scrubber(&self) -> Option<Box<dyn Scrubber>> {
        Some(Box::new(Scrub(Vec::new())))
    }

    fn scrub_text(&self, text: &str) -> Option<String> {
        text.contains(REAL).then(|| text.replace(REAL, "[KEY]"))
    }
}

/// Lets a body go but for its last bytes, which could be the start of a stand-in.
#[derive(Default)]
struct Tail(Vec<u8>);

impl BodyGuard for Tail {
    fn feed(&mut self, piece: &[u8]) -> Result<usize, Misuse> {
        self.0.extend_from_slice(piece);
        if String::from_utf8_lossy(&self.0).contains(STAND_IN) {
            Err(misuse("inBody"))
        } else {
            Ok(self.0.len().saturating_sub(STAND_IN.len() - 1))
        }
    }

    fn finish(&mut self) -> Result<(), Misuse> {
        if self.0.ends_with(b"?") { Err(misuse("inBody")) } else { Ok(()) }
    }
}

/// Holds all back to the end.
struct Scrub(Vec<u8>);

impl Scrubber for Scrub {
    fn feed(&mut self, piece: Bytes) -> Bytes {
        self.0.extend_from_slice(&piece);
        Bytes::new()
    }

    fn finish(&mut self) -> Bytes {
        String::from_utf8_lossy(&self.0).replace(REAL, "[KEY]").into()
    }
}

async fn house() -> House {
    House { carrier: Arc::new(Keeper), ..House::new().await }
}

fn keyed(url: String) -> Outbound {
    Outbound { headers: vec![("x-key".to_owned(), STAND_IN.to_owned()), ("accept-encoding".to_owned(), "br".to_owned())], ..get(url) }
}

/// Reflects `x-key` in a header and in the body, in pieces; redirects `/to/LOCATION`.
async fn reflector(mut peer: Peer, notes: Notes) {
    while let Some(seen) = peer.request().await {
        notes.add(seen.clone());
        let key = seen.all("x-key").first().copied().unwrap_or("none").to_owned();
        if let Some((_, location)) = seen.line().split_once("/to/") {
            let location = location.split(' ').next().unwrap_or_default();
            let spill = if location.ends_with("spill") { &key } else { "" };
            peer.send(format!("HTTP/1.1 307 {key}\r\nlocation: {location}?{spill}\r\ncontent-length: 0\r\n\r\n")).await;
            continue;
        }
        peer.send(format!("HTTP/1.1 200 {key}\r\nx-echo: {key}\r\nX-{key}: 1\r\ncontent-length: {}\r\n\r\n", key.len())).await;
        for byte in key.bytes() {
            peer.send([byte]).await;
        }
    }
}

#[tokio::test]
async fn a_secret_goes_out_and_does_not_come_back() {
    let (house, origin) = (house().await, Origin::start(reflector).await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let mut answer = desk.fetch(keyed(format!("http://good.example:{}/", origin.port()))).await.expect("an answer");
    assert_eq!((header(&answer, "x-echo"), header(&answer, "content-length").len()), (vec!["[KEY]"], 0));
    assert!(answer.headers.iter().all(|(name, _)| !name.contains(REAL)), "{:?}", answer.headers);
    assert_eq!(read(&mut answer).await.as_deref(), Ok(&b"[KEY]"[..]));
    let seen = &origin.seen()[0];
    assert_eq!((seen.all("x-key"), seen.all("accept-encoding")), (vec![REAL], vec!["gzip, deflate"]));
    assert_eq!(desk.ledger()[0].secrets, ["KEY"]);
}

#[tokio::test]
async fn headers_that_are_too_long_to_be_sent_are_not_searched_in_any_mode() {
    let house = house().await;
    let long = |bytes: usize| Outbound { headers: vec![("x-other".to_owned(), STAND_IN.repeat(bytes))], ..get("http://good.example/") };
    for mode in [EgressMode::Deny, EgressMode::Allowlist, EgressMode::Synthetic] {
        let desk = house.desk_of("tenant", EgressGrant { mode, ..EgressGrant::default() });
        assert_eq!(code(&desk, long(1)).await, "secretDenied", "{mode:?}");
        assert_eq!(code(&desk, long(64 << 10)).await, "headerDenied", "{mode:?}");
    }
}

#[tokio::test]
async fn a_coding_that_cannot_be_looked_through_is_refused_where_there_are_secrets() {
    let house = house().await;
    for coding in ["br", "gzip, gzip", "zstd"] {
        let origin = Origin::start(move |mut peer, _| async move {
            peer.request().await;
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: 1\r\n\r\na")).await;
            peer.closed().await;
        })
        .await;
        assert_eq!(
            code(&house.desk(vec![rule("good.example", &[origin.port()])]), get(format!("http://good.example:{}/", origin.port()))).await,
            "badEncoding"
        );
        origin.live(0).await;
    }
}

#[tokio::test]
async fn a_stand_in_stays_with_its_origin_when_a_redirect_leads_away() {
    let (house, origin) = (house().await, Origin::start(reflector).await);
    let port = origin.port();
    let desk = house.desk(vec![rule("good.example", &[port]), rule("other.example", &[port])]);
    let start = |next: &str| keyed(format!("http://good.example:{port}/to/{next}"));
    assert_eq!(text(&desk, start(&format!("http://other.example:{port}/"))).await.as_deref(), Ok("none"));
    assert_eq!(text(&desk, start(&format!("http://good.example:{port}/spill"))).await.as_deref(), Ok("[KEY]"));
    assert_eq!(origin.seen().len(), 4);
    assert_eq!(code(&desk, start(&format!("http://other.example:{port}/spill"))).await, "redirectDenied");
    assert_eq!(origin.seen().len(), 5);
    let rows = desk.ledger();
    assert_eq!(
        (&rows[1].redirects, &rows[2].redirects),
        (&vec![format!("http://good.example:{port}/spill?[KEY]")], &vec![format!("http://other.example:{port}/spill?[KEY]")])
    );
    assert!(!format!("{rows:?}").contains(REAL), "{rows:?}");
}

#[tokio::test]
async fn misuse_is_denied_in_every_mode_before_anything_is_opened() {
    let (house, origin) = (house().await, Origin::echo().await);
    let url = format!("http://good.example:{}/", origin.port());
    let fixture = EgressFixture {
        method: "*".to_owned(),
        url: "*".to_owned(),
        status: 200,
        headers: Vec::new(),
        body_digest: crate::model::Digest::of(b""),
        body: Bytes::new(),
        latency_ms: 0,
    };
    for mode in [EgressMode::Deny, EgressMode::Synthetic, EgressMode::Allowlist] {
        let rules = vec![rule("good.example", &[origin.port()])];
        let desk = house.desk_of("tenant", EgressGrant { mode, rules, fixtures: vec![fixture.clone()], ..EgressGrant::default() });
        let other_header = Outbound { headers: vec![("x-other".to_owned(), STAND_IN.to_owned())], ..get(&url) };
        for request in [get(format!("{url}?{STAND_IN}")), other_header, post(&url, whole(format!("a{STAND_IN}b")))] {
            let fault = desk.fetch(request).await.expect_err("denied");
            let Fault::Denied(refusal) = fault else { panic!("{fault:?}") };
            assert_eq!((refusal.code, refusal.rule.as_str(), refusal.capability.as_str()), ("secretDenied", "secret.KEY", "secret"));
            assert!(refusal.violation.is_some());
        }
        assert_eq!(desk.sub_requests(), 0);
    }
    assert_eq!(origin.opened(), 0);
}

#[tokio::test]
async fn no_byte_of_a_stream_leaves_before_it_may_and_a_misuse_cuts_it_off() {
    let house = house().await;
    let origin = Origin::start(|mut peer, notes| async move {
        if let Some(seen) = peer.request().await {
            notes.add(seen.clone());
            if seen.complete {
                peer.answer("done").await;
            }
        }
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = format!("http://good.example:{}/", origin.port());
    for (pieces, fine) in
        [(vec!["abcdefghSTAND", "IN"], false), (vec!["abcdefgh", "finished?"], false), (vec!["abcdefghSTAND", "OUT"], true)]
    {
        let (sender, body) = mpsc::channel(1);
        let feed = async {
            let mut sent = 0;
            for piece in pieces {
                sender.send(OutPiece::Bytes(Bytes::from_static(piece.as_bytes()))).await.expect("room");
                sent += piece.len();
            }
            // The request may be cut off by now.
            sender.send(OutPiece::End).await.ok();
            sent as u64
        };
        let (answer, sent) = tokio::join!(text(&desk, post(&url, OutBody::Stream(body))), feed);
        origin.live(0).await;
        let row = desk.ledger().pop().expect("a row");
        if fine {
            assert_eq!((answer.as_deref(), row.request_bytes), (Ok("done"), sent));
        } else {
            assert!(matches!(&answer, Err(Fault::Denied(refusal)) if refusal.violation == Some("inBody")), "{answer:?}");
            assert!(row.request_bytes <= sent - 6, "{row:?}");
            assert!(origin.seen().iter().all(|seen| !seen.complete));
        }
    }
    let seen = origin.seen().pop().expect("the last");
    assert_eq!(seen.body, b"abcdefghSTANDOUT");
}
