//! Requests that runs serve: bodies both ways, clients that leave, answers that end early.

use super::wire::Wire;
use super::{House, Settings, soon};
use crate::model::exchange::ServedHead;
use crate::model::{Digest, Problem, ProblemCode, RunId};
use crate::run::{CancelSignal, ServedAnswer, ServedPiece, Serving};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// What the fake house does: `/late` waits to be released and answers as `/hold`, `/echo` answers with the request's body, `/hold` with one piece and its end when it is released, `/cut` with one piece
/// and no end.
pub(super) async fn play(
    url: String,
    serving: Serving,
    mut cancel: CancelSignal,
    (cancelled, release): (Arc<Notify>, Arc<Notify>),
) -> Result<Bytes, Problem> {
    let (into, body) = mpsc::channel(1);
    let head = ServedHead { status: 200, headers: vec![("x-by".to_owned(), "guest".to_owned())], body: true };
    let answer = ServedAnswer { run: RunId::now(), head, body: Some(body) };
    let Serving { body, answer: client } = serving;
    if url.ends_with("/late") {
        release.notified().await;
    }
    client.send(answer).map_err(|_| Problem::new(ProblemCode::InternalError, "nobody waits", "wait"))?;
    // A task of its own, as a real run is.
    tokio::spawn(async move {
        tokio::select! {
            () = cancel.cancelled() => cancelled.notify_one(),
            () = act(&url, body, into, &release) => {}
        }
    });
    std::future::pending().await
}

async fn act(url: &str, body: Option<mpsc::Receiver<ServedPiece>>, into: mpsc::Sender<ServedPiece>, release: &Notify) {
    let say = |piece| async { into.send(piece).await.expect("somebody listens") };
    if url.ends_with("/echo") {
        let mut body = body.expect("a body");
        while let Some(piece) = body.recv().await {
            say(piece).await;
        }
        return;
    }
    say(ServedPiece::Bytes(Bytes::from_static(b"piece"))).await;
    if url.ends_with("/hold") || url.ends_with("/late") {
        release.notified().await;
        say(ServedPiece::End).await;
    }
}

fn under(path: &str) -> String {
    format!("/w/{}{path}", Digest::of(b"x"))
}

fn get(path: &str) -> String {
    format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", under(path))
}

/// All that comes until `end` has come, or the connection ends.
async fn until(wire: &mut Wire, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0u8; 4096];
        match soon(tokio::io::AsyncReadExt::read(&mut wire.stream, &mut bytes)).await {
            Ok(0) | Err(_) => break,
            Ok(length) => text.push_str(&String::from_utf8_lossy(&bytes[..length])),
        }
    }
    text
}

#[tokio::test]
async fn a_body_goes_in_and_out_as_it_comes_and_the_connection_goes_on() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    for _ in 0..2 {
        let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n", under("/echo"));
        wire.send(head).await;
        let answer = until(&mut wire, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("x-by: guest\r\n"), "{answer}");
        assert!(answer.contains("content-security-policy: sandbox ") && answer.contains("cordon-run: "), "{answer}");
        for piece in ["one", "two"] {
            wire.send(format!("3\r\n{piece}\r\n")).await;
            assert_eq!(until(&mut wire, "\r\n").await.replace("3\r\n", ""), format!("{piece}\r\n"));
        }
        wire.send("0\r\n\r\n").await;
        assert_eq!(until(&mut wire, "0\r\n\r\n").await, "0\r\n\r\n");
        // The answer began before the request had ended, so the connection is not used again.
        wire = house.wire().await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_answer_ends_its_run() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(get("/hold")).await;
    assert!(until(&mut wire, "piece\r\n").await.ends_with("piece\r\n"));
    drop(wire);
    soon(house.fake.cancelled.notified()).await;
}

#[tokio::test]
async fn a_client_that_finished_sending_before_its_answer_began_gets_all_of_it() {
    let house = House::open(Settings::default()).await;
    for (version, piece, end) in [("1.0", "piece", ""), ("1.1", "piece\r\n", "0\r\n\r\n")] {
        let mut wire = house.wire().await;
        let before = house.fake.seen.lock().expect("a lock").len();
        wire.send(get("/late").replace("HTTP/1.1", &format!("HTTP/{version}"))).await;
        tokio::io::AsyncWriteExt::shutdown(&mut wire.stream).await.expect("finished");
        while house.fake.seen.lock().expect("a lock").len() == before {
            tokio::task::yield_now().await;
        }
        house.fake.release.notify_one();
        let begun = until(&mut wire, piece).await;
        assert!(begun.contains(" 200 OK\r\n"), "HTTP/{version}: {begun}");
        house.fake.release.notify_one();
        let mut rest = Vec::new();
        soon(tokio::io::AsyncReadExt::read_to_end(&mut wire.stream, &mut rest)).await.expect("no reset");
        assert_eq!(String::from_utf8_lossy(&rest), end, "HTTP/{version}");
    }
}

#[tokio::test]
async fn an_answer_that_pauses_is_no_idle_connection() {
    let idle_time = Duration::from_millis(40);
    let house = House::open(Settings { idle_time, ..Settings::default() }).await;
    let mut wire = house.wire().await;
    wire.send(get("/hold")).await;
    until(&mut wire, "piece\r\n").await;
    tokio::time::sleep(idle_time * 5).await;
    house.fake.release.notify_one();
    assert_eq!(until(&mut wire, "0\r\n\r\n").await, "0\r\n\r\n");
    // Then it is one.
    assert_eq!(until(&mut wire, "never").await, "");
}

#[tokio::test]
async fn an_answer_that_ends_early_is_not_taken_for_whole() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(get("/cut")).await;
    let answer = until(&mut wire, "never").await;
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn an_answer_without_chunks_that_ends_early_ends_in_a_reset_and_a_whole_one_does_not() {
    let house = House::open(Settings::default()).await;
    house.fake.release.notify_one();
    for (path, whole) in [("/hold", true), ("/cut", false)] {
        let mut wire = house.wire().await;
        wire.send(get(path).replace("HTTP/1.1", "HTTP/1.0")).await;
        let (mut bytes, mut ended) = (Vec::new(), Ok(1));
        while matches!(ended, Ok(1..)) {
            ended = soon(tokio::io::AsyncReadExt::read_buf(&mut wire.stream, &mut bytes)).await.map_err(|error| error.kind());
        }
        assert_eq!(bytes.ends_with(b"piece"), whole || !bytes.is_empty(), "{path}");
        assert_eq!(ended, if whole { Ok(0) } else { Err(std::io::ErrorKind::ConnectionReset) }, "{path}");
    }
}

#[tokio::test]
async fn who_asks_comes_before_what_for() {
    let house = House::open(Settings::default()).await;
    for (head, status) in [("authorization: Basic x\r\n", 401), ("authorization: Bearer developer\r\n", 429)] {
        let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n", under("/hold"));
        assert_eq!(house.wire().await.ask(request).await.status, status, "{head}");
    }
    assert_eq!(house.wire().await.ask("GET /w/Latest/ HTTP/1.1\r\nhost: localhost\r\n\r\n").await.status, 400);
    assert_eq!(house.wire().await.ask(format!("TRACE {} HTTP/1.1\r\nhost: localhost\r\n\r\n", under("/"))).await.status, 405);
    assert!(house.fake.seen.lock().expect("a lock").is_empty());
    assert_eq!(house.fake.refusals().len(), 3);
}
