//! What cells say that serve, and what they had better not.

use super::{Denials, RunErrands, ServedAnswer, ServedCaps, ServedPiece, Serving};
use crate::cell::Errands;
use crate::config::SecretSource;
use crate::egress::secrets::{RunSecrets, Secrets, Values};
use crate::egress::{Broker, BrokerSettings, Carrier, DeskSettings, NoSecrets};
use crate::model::exchange::{
    Answer, Ask, AskBody, PIECE_BYTES_MAX, Piece, Redirect, SERVED_ANSWER, SERVED_HEADER_BYTES_MAX, SERVED_REQUEST, ServedHead, Talk,
};
use crate::model::frame::ToCell;
use crate::model::{Denial, Digest, EgressFixture, EgressGrant, EgressMode, RunId, SecretGrant, SecretMode};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

const CAPS: ServedCaps = ServedCaps { request: 4, answer: 4 };

fn errands() -> RunErrands {
    desk_of(EgressGrant::default(), Arc::new(NoSecrets))
}

fn keeping(carrier: Arc<dyn Carrier>) -> RunErrands {
    desk_of(EgressGrant::default(), carrier)
}

fn errands_under(grant: EgressGrant) -> RunErrands {
    desk_of(grant, Arc::new(NoSecrets))
}

fn desk_of(grant: EgressGrant, carrier: Arc<dyn Carrier>) -> RunErrands {
    let second = Duration::from_secs(1);
    let settings = BrokerSettings {
        resolver: Vec::new(),
        allowed: Vec::new(),
        extra_ca_pem: None,
        connect: second,
        first_byte: second,
        total: second,
        concurrent_per_run: 1,
        redirects_max: 0,
        request_bytes_max: 0,
        header_bytes_max: 8 << 10,
        ledger_rows_max: 1,
        user_agent: String::new(),
    };
    let broker = Broker::new(settings).expect("a broker");
    let desk = broker.desk(DeskSettings {
        grant: Arc::new(grant.into()),
        principal: "key:1".to_owned(),
        sub_requests: 2,
        carrier,
        before_first_byte: Arc::new(|| Box::pin(async { Ok(()) })),
        observer: Arc::new(|_, _| {}),
    });
    RunErrands::new(desk, 2, 10)
}

fn serving(body: Option<mpsc::Receiver<ServedPiece>>) -> (RunErrands, oneshot::Receiver<ServedAnswer>) {
    let (answer, client) = oneshot::channel();
    (errands().serving(RunId::now(), Serving { body, answer }, CAPS), client)
}

fn answer(status: u16) -> Talk {
    Talk::Serve(Box::new(ServedHead { status, headers: Vec::new(), body: true }))
}

fn piece(text: &'static str, last: bool) -> Talk {
    Talk::Piece(Piece { stream: SERVED_ANSWER, bytes: Bytes::from_static(text.as_bytes()), last })
}

#[tokio::test]
async fn an_answer_reaches_the_client_piece_by_piece_and_outlives_its_run() {
    let (mut errands, client) = serving(None);
    errands.take(answer(200)).expect("an answer");
    let mut body = client.await.expect("an answer").body.expect("a body");
    for (text, last) in [("ab", false), ("cd", true)] {
        assert_eq!(errands.next().await, ToCell::Want { stream: SERVED_ANSWER });
        errands.take(piece(text, last)).expect("a piece");
        if !last {
            assert_eq!(body.recv().await, Some(ServedPiece::Bytes(Bytes::from_static(b"ab"))));
        }
    }
    let passed = errands.passed().expect("it serves");
    assert_eq!((passed.status(), passed.bytes()), (Some(200), 4));
    drop(errands);
    assert_eq!(body.recv().await, Some(ServedPiece::Bytes(Bytes::from_static(b"cd"))));
    assert_eq!(body.recv().await, Some(ServedPiece::End));
}

#[tokio::test]
async fn an_answer_has_no_value_of_a_secret_whatever_way_it_came_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("key");
    std::fs::write(&file, "a-real-value").expect("a file");
    let secrets = Secrets::new([("KEY".to_owned(), SecretSource::File(file))].into(), None);
    assert!(secrets.read_all().await.is_empty());
    let grant = SecretGrant {
        name: "KEY".to_owned(),
        hosts: vec!["good.example".to_owned()],
        methods: Vec::new(),
        path_prefix: "/".to_owned(),
        header: "authorization".to_owned(),
        format: "{}".to_owned(),
        mode: SecretMode::Inject,
        reason: "r".to_owned(),
    };
    let carrier = RunSecrets::new(&[grant], &secrets, Values::Real).expect("secrets");
    let (answer, client) = oneshot::channel();
    let caps = ServedCaps { request: 0, answer: 100 };
    let mut errands = keeping(carrier).serving(RunId::now(), Serving { body: None, answer }, caps);
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![line("x-echo", "it is a-real-value"), line("x-a-real-value", "1")];
    errands.take(Talk::Serve(Box::new(ServedHead { status: 200, headers, body: true }))).expect("an answer");
    let ServedAnswer { head, body, .. } = client.await.expect("an answer");
    assert_eq!(head.headers, [line("x-echo", "it is [secret KEY]")]);
    let (mut body, mut text) = (body.expect("a body"), Vec::new());
    for (piece_of_it, last) in [("<a-real", false), ("-value>a-re", true)] {
        errands.next().await;
        errands.take(piece(piece_of_it, last)).expect("a piece");
        if let Some(ServedPiece::Bytes(bytes)) = body.recv().await {
            text.extend_from_slice(&bytes);
        }
    }
    assert_eq!(String::from_utf8_lossy(&text), "<[secret KEY]>a-re");
    assert_eq!(body.recv().await, Some(ServedPiece::End));
}

#[tokio::test]
async fn an_answer_whose_run_ends_before_it_has_no_end() {
    let (mut errands, client) = serving(None);
    errands.take(answer(200)).expect("an answer");
    let mut body = client.await.expect("an answer").body.expect("a body");
    errands.next().await;
    errands.take(piece("ab", false)).expect("a piece");
    assert!(body.recv().await.is_some());
    drop(errands);
    assert_eq!(body.recv().await, None);
}

#[tokio::test]
async fn a_request_passes_at_its_limit_is_broken_past_it_and_when_it_is_cut_off() {
    for (pieces, end, expected) in
        [(vec!["ab", "cd"], true, ""), (vec!["ab", "cde"], true, "inputBytes"), (vec!["ab"], false, "whole body")]
    {
        let (into, body) = mpsc::channel(8);
        for text in pieces {
            into.send(ServedPiece::Bytes(Bytes::from_static(text.as_bytes()))).await.expect("room");
        }
        if end {
            into.send(ServedPiece::End).await.expect("room");
        }
        drop(into);
        let (mut errands, _client) = serving(Some(body));
        let ended = loop {
            errands.take(Talk::Want { stream: SERVED_REQUEST }).expect("a want");
            match errands.next().await {
                ToCell::Piece(Piece { last: false, .. }) => {}
                ToCell::Piece(_) => break String::new(),
                ToCell::Broken { message, .. } => break message,
                other => panic!("{other:?}"),
            }
        };
        assert!(ended.contains(expected) && ended.is_empty() == expected.is_empty(), "{ended}");
    }
}

#[tokio::test]
async fn a_cell_that_lies_about_what_it_serves_is_found_out() {
    assert!(errands().take(answer(200)).is_err(), "it serves nothing");
    for status in [0, 101, 199, 600] {
        assert!(serving(None).0.take(answer(status)).is_err(), "{status}");
    }
    for (length, honest) in [(SERVED_HEADER_BYTES_MAX, true), (SERVED_HEADER_BYTES_MAX + 1, false)] {
        let headers = vec![("x".to_owned(), "v".repeat(length - 1))];
        let talk = Talk::Serve(Box::new(ServedHead { status: 200, headers, body: false }));
        assert_eq!(serving(None).0.take(talk).is_ok(), honest, "{length}");
    }
    let (mut errands, _client) = serving(None);
    errands.take(answer(200)).expect("an answer");
    assert!(errands.take(answer(200)).is_err(), "it answered twice");
    let (mut errands, _client) = serving(None);
    errands.take(answer(200)).expect("an answer");
    assert!(errands.take(piece("abcde", false)).is_err(), "more than its limit");
    // What nobody asked for is passed over a few times, and no more.
    let (mut errands, _client) = serving(None);
    let strays = (0..100).take_while(|_| errands.take(piece("a", false)).is_ok()).count();
    assert!((1..100).contains(&strays), "{strays}");
}

#[test]
fn what_a_cell_tells_gives_way_to_what_was_refused_here() {
    let denial = |target: &str| Denial {
        capability: "egress".to_owned(),
        target: target.to_owned(),
        rule: String::new(),
        reason: String::new(),
        remediation: String::new(),
    };
    for (kept, told, left, beyond) in [(1, 2, 2, 0), (1, 3, 2, 1), (3, 3, 0, 3), (4, 3, 0, 4), (0, 3, 3, 0)] {
        let denials = Denials::new(3);
        (0..kept).for_each(|_| denials.add(denial("refused")));
        let mut all: Vec<Denial> = (0..told).map(|_| denial("told")).collect();
        assert_eq!(denials.join(&mut all), beyond, "{kept} and {told}");
        let of = |target: &str| all.iter().filter(|denial| denial.target == target).count();
        assert_eq!((of("told"), of("refused")), (left, kept.min(3)), "{kept} and {told}");
    }
}

/// Errands of a run whose one question is answered with `body`.
fn canned(body: Vec<u8>) -> RunErrands {
    let body = Bytes::from(body);
    let fixture = EgressFixture {
        method: "GET".into(),
        url: "https://a.example/".into(),
        status: 200,
        headers: Vec::new(),
        body_digest: Digest::of(&body),
        body,
        latency_ms: 0,
    };
    errands_under(EgressGrant { mode: EgressMode::Synthetic, fixtures: vec![fixture], ..EgressGrant::default() })
}

fn ask(stream: u32) -> Talk {
    let url = "https://a.example/".to_owned();
    Talk::Ask(Box::new(Ask { stream, method: "GET".into(), url, headers: Vec::new(), body: AskBody::None, redirect: Redirect::Follow }))
}

#[tokio::test(start_paused = true)]
async fn the_first_piece_of_an_answer_comes_by_itself_and_each_other_when_it_is_wanted() {
    let (mut errands, stream) = (canned(vec![7; 2 * PIECE_BYTES_MAX + 1]), 2);
    errands.take(ask(stream)).expect("an ask");
    assert!(matches!(errands.next().await, ToCell::Answered { answer, .. } if matches!(&*answer, Answer::Head(head) if head.body)));
    for (bytes, end) in [(PIECE_BYTES_MAX, false), (PIECE_BYTES_MAX, false), (1, true)] {
        let ToCell::Piece(piece) = errands.next().await else { panic!("no piece") };
        assert_eq!((piece.stream, piece.bytes.len(), piece.last), (stream, bytes, end));
        if !end {
            // Paused time moves once nothing else can: nobody asked, so nobody answers.
            let early = tokio::time::timeout(Duration::from_millis(20), errands.next()).await;
            assert!(early.is_err(), "{early:?}");
            errands.take(Talk::Want { stream }).expect("a want");
        }
    }
}

#[tokio::test]
async fn an_exchange_that_is_over_is_forgotten_but_not_its_number() {
    let mut errands = canned(b"short".to_vec());
    for stream in [2, 5] {
        errands.take(ask(stream)).expect("an ask");
        for _ in ["head", "piece"] {
            errands.next().await;
        }
        // The task ends right after its last frame.
        while !errands.exchanges.values().all(super::Exchange::is_over) {
            tokio::task::yield_now().await;
        }
        assert_eq!(errands.exchanges.len(), 1, "the one before is gone");
    }
    for used in [0, 1, 2, 3, 5] {
        errands.asks_left = 1;
        assert!(errands.take(ask(used)).is_err(), "{used}");
    }
}
