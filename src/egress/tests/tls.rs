//! Origins over TLS, and HTTP/2.

use super::house::{House, code, get, header, post, read, rule, text};
use super::origin::{Origin, Peer, Tls, echo};
use crate::egress::{Broker, OutBody, OutPiece};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{mpsc, watch};

/// What happened to the requests of an origin.
type Log = Arc<Mutex<Vec<String>>>;

/// Serves HTTP/2 with `answer`.
async fn two<F, A>(tls: &Tls, answer: F) -> Origin
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<BoxBody<Bytes, Infallible>>> + Send + 'static,
{
    Origin::start_tls(tls, &["h2"], move |peer: Peer, _| {
        let answer = answer.clone();
        async move {
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let connection =
                hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(peer.stream), service);
            connection.await.ok();
        }
    })
    .await
}

fn full(text: impl Into<Bytes>) -> Response<BoxBody<Bytes, Infallible>> {
    Response::new(Full::new(text.into()).boxed())
}

/// Answers with the request's method, URI and body.
async fn repeat(request: Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    full(format!("{} {} {} {}", parts.method, parts.uri, parts.headers.contains_key("host"), String::from_utf8_lossy(&body)))
}

async fn trusting(tls: &Tls) -> House {
    let pem = tls.pem.clone().into_bytes();
    House::with(|settings| settings.extra_ca_pem = Some(pem)).await
}

#[tokio::test]
async fn requests_over_tls_go_by_the_protocol_that_the_origin_chose() {
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    let (one, none, second) =
        (Origin::start_tls(&tls, &["http/1.1"], echo).await, Origin::start_tls(&tls, &[], echo).await, two(&tls, repeat).await);
    let desk = house.desk(vec![rule("good.example", &[one.port(), none.port(), second.port()])]);
    for origin in [&one, &none] {
        assert!(
            text(&desk, get(format!("https://good.example:{}/a", origin.port()))).await.expect("an answer").starts_with("GET /a HTTP/1.1")
        );
    }
    let url = format!("https://good.example:{}/a?b", second.port());
    let (sender, pieces) = mpsc::channel(2);
    sender.try_send(OutPiece::Bytes(Bytes::from_static(b"body"))).expect("room");
    sender.try_send(OutPiece::End).expect("room");
    assert_eq!(text(&desk, post(&url, OutBody::Stream(pieces))).await.expect("an answer"), format!("POST {url} false body"));
}

#[tokio::test]
async fn requests_share_a_connection_of_http2_and_principals_do_not() {
    let tls = Tls::new(&["good.example"]);
    let (house, origin) = (trusting(&tls).await, two(&tls, repeat).await);
    let url = format!("https://good.example:{}/", origin.port());
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    text(&desk, get(&url)).await.expect("an answer");
    let answers = join_all((0..8).map(|_| text(&desk, get(&url)))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(origin.opened(), 1);
    let grant = crate::model::EgressGrant {
        mode: crate::model::EgressMode::Allowlist,
        rules: vec![rule("good.example", &[origin.port()])],
        ..Default::default()
    };
    text(&house.desk_of("another", grant), get(&url)).await.expect("an answer");
    assert_eq!(origin.opened(), 2);
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_a_stranger_is_not_believed() {
    let (tls, stranger) = (Tls::new(&["good.example"]), Tls::new(&["good.example"]));
    let house = trusting(&tls).await;
    let (ours, theirs) =
        (Origin::start_tls(&tls, &["h2", "http/1.1"], echo).await, Origin::start_tls(&stranger, &["http/1.1"], echo).await);
    let desk = house.desk(vec![rule("good.example", &[theirs.port()]), rule("other.example", &[ours.port()])]);
    assert_eq!(code(&desk, get(format!("https://other.example:{}/", ours.port()))).await, "tlsFailed");
    assert_eq!(code(&desk, get(format!("https://good.example:{}/", theirs.port()))).await, "tlsFailed");
    assert!(ours.seen().is_empty() && theirs.seen().is_empty());
    let settings = crate::egress::BrokerSettings { extra_ca_pem: Some(b"none".to_vec()), ..super::house::settings() };
    assert!(Broker::new(settings).is_err());
}

/// Tells whether each request's body came to its end.
async fn note_end(log: Log, live: watch::Sender<usize>, request: Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
    let mut body = request.into_body();
    let mut bytes = 0;
    let end = loop {
        match body.frame().await {
            None => break "complete",
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) => break "broken",
        }
        live.send_modify(|seen| *seen = bytes);
    };
    log.lock().expect("a log").push(format!("{end} {bytes}"));
    live.send_modify(|seen| *seen = usize::MAX);
    full(end)
}

#[tokio::test]
async fn a_body_that_the_guest_did_not_finish_never_looks_complete_over_http2() {
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    let (log, (bytes, seen)) = (Log::default(), watch::channel(0));
    let notes = log.clone();
    let origin = two(&tls, move |request| note_end(notes.clone(), bytes.clone(), request)).await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = format!("https://good.example:{}/", origin.port());
    let (sender, pieces) = mpsc::channel(1);
    let mut arrived = seen.clone();
    let feed = async move {
        sender.send(OutPiece::Bytes(Bytes::from_static(b"transfer"))).await.expect("room");
        arrived.wait_for(|bytes| *bytes == 8).await.expect("the origin");
    };
    let (code, ()) = tokio::join!(code(&desk, post(&url, OutBody::Stream(pieces))), feed);
    assert_eq!(code, "aborted");
    seen.clone().wait_for(|bytes| *bytes == usize::MAX).await.expect("the origin");
    assert_eq!(*log.lock().expect("a log"), ["broken 8"]);
}

#[tokio::test]
async fn a_request_over_http2_that_is_dropped_resets_its_stream_both_ways() {
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    let (log, (bytes, seen)) = (Log::default(), watch::channel(0));
    let notes = log.clone();
    let origin = two(&tls, move |request| note_end(notes.clone(), bytes.clone(), request)).await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = format!("https://good.example:{}/", origin.port());
    let (sender, pieces) = mpsc::channel(1);
    sender.send(OutPiece::Bytes(Bytes::from_static(b"transfer"))).await.expect("room");
    let mut arrived = seen.clone();
    tokio::select! {
        _ = desk.fetch(post(&url, OutBody::Stream(pieces))) => panic!("nobody answers"),
        _ = arrived.wait_for(|bytes| *bytes == 8) => {}
    }
    seen.clone().wait_for(|bytes| *bytes == usize::MAX).await.expect("the origin");
    sender.closed().await;
    assert_eq!(*log.lock().expect("a log"), ["broken 8"]);
    assert_eq!(desk.ledger()[0].error.as_deref(), Some("aborted"));
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_ends_the_body_when_it_is_dropped() {
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    let origin = two(&tls, |request| async move {
        // Kept, so that only the other side can end it.
        let body = Box::leak(Box::new(request.into_body()));
        body.frame().await;
        full("early")
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let (sender, pieces) = mpsc::channel(1);
    sender.send(OutPiece::Bytes(Bytes::from_static(b"a"))).await.expect("room");
    let mut answer =
        desk.fetch(post(format!("https://good.example:{}/", origin.port()), OutBody::Stream(pieces))).await.expect("an answer");
    assert_eq!(read(&mut answer).await.as_deref(), Ok(&b"early"[..]));
    sender.closed().await;
}

#[tokio::test]
async fn a_body_over_http2_is_bounded_and_its_headers_too() {
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    let origin = two(&tls, |request| async move {
        if request.uri().path() == "/headers" {
            let mut answer = full("");
            answer.headers_mut().insert("x-long", "a".repeat(17 << 10).parse().expect("a value"));
            return answer;
        }
        let endless = futures_util::stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[7; 16 << 10]))));
        Response::new(StreamBody::new(endless).boxed())
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    assert_eq!(code(&desk, get(format!("https://good.example:{}/", origin.port()))).await, "responseTooLarge");
    let long = code(&desk, get(format!("https://good.example:{}/headers", origin.port()))).await;
    assert!(["headersTooLarge", "protocol"].contains(&long.as_str()), "{long}");
    let answer = desk.fetch(get(format!("https://good.example:{}/", origin.port()))).await.expect("an answer");
    assert!(header(&answer, "x-long").is_empty());
    assert_eq!(origin.opened(), 3, "a connection is not used again after an exchange that broke off");
}

/// Reads a frame of HTTP/2; its kind.
async fn frame(peer: &mut Peer) -> Option<u8> {
    let mut head = [0; 9];
    peer.stream.read_exact(&mut head).await.ok()?;
    let mut rest = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    peer.stream.read_exact(&mut rest).await.ok()?;
    Some(head[3])
}

#[tokio::test]
async fn an_answer_over_http2_that_is_reset_without_an_error_is_whole_only_after_its_end() {
    const HEADERS: u8 = 1;
    let tls = Tls::new(&["good.example"]);
    let house = trusting(&tls).await;
    for (flags, expected) in [(0, Err("protocol")), (1, Ok(b"part".as_slice()))] {
        let origin = Origin::start_tls(&tls, &["h2"], move |mut peer: Peer, _| async move {
            let mut preface = [0; 24];
            peer.stream.read_exact(&mut preface).await.expect("a preface");
            peer.send([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
            while frame(&mut peer).await.expect("a frame") != HEADERS {}
            // SETTINGS are acknowledged; `:status: 200`; the body, which ends with flag 1; RST_STREAM with NO_ERROR.
            peer.send([0, 0, 0, 4, 1, 0, 0, 0, 0]).await;
            peer.send([0, 0, 1, HEADERS, 4, 0, 0, 0, 1, 0x88]).await;
            peer.send([&[0, 0, 4, 0, flags, 0, 0, 0, 1][..], b"part"].concat()).await;
            peer.send([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0]).await;
            while frame(&mut peer).await.is_some() {}
        })
        .await;
        let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
        let mut answer = desk.fetch(get(format!("https://good.example:{}/", origin.port()))).await.expect("an answer");
        let body = read(&mut answer).await.map_err(|fault| fault.code().to_owned());
        assert_eq!(body.as_deref().map_err(String::as_str), expected, "{flags}");
        assert_eq!(desk.ledger()[0].error.as_deref(), expected.err(), "{flags}");
    }
}
