//! How many requests, how many at once, in which mode; and the rows of the ledger.

use super::house::{House, code, get, post, read, rule, text, whole};
use super::origin::Origin;
use crate::egress::{DeskSettings, Fault, OutBody, OutPiece, Outbound};
use crate::model::{Digest, EgressFixture, EgressGrant, EgressMode};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, mpsc};

fn url(origin: &Origin) -> String {
    format!("http://good.example:{}/", origin.port())
}

#[tokio::test]
async fn a_run_makes_as_many_requests_as_it_may_and_not_one_more() {
    let (mut house, origin) = (House::new().await, Origin::echo().await);
    house.sub_requests = 2;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    assert_eq!(code(&desk, get("ftp://good.example/")).await, "badTarget");
    text(&desk, get(url(&origin))).await.expect("the first");
    assert_eq!(code(&desk, get("http://evil.example/")).await, "egressDenied");
    for _ in 0..2 {
        assert_eq!(code(&desk.clone(), get(url(&origin))).await, "tooManyRequests");
    }
    assert_eq!((desk.sub_requests(), origin.seen().len(), desk.ledger().len()), (2, 1, 5));
    text(&house.desk(vec![rule("good.example", &[origin.port()])]), get(url(&origin))).await.expect("another run counts for itself");
}

#[tokio::test]
async fn a_rule_allows_as_many_requests_as_it_says() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let mut first = rule("good.example", &[origin.port()]);
    first.max_requests = 2;
    let desk = house.desk(vec![first, rule("other.example", &[origin.port()])]);
    for _ in 0..2 {
        text(&desk, get(url(&origin))).await.expect("allowed");
    }
    let fault = desk.fetch(get(url(&origin))).await.expect_err("used up");
    assert!(
        matches!(&fault, Fault::Denied(refusal) if refusal.code == "ruleExhausted" && refusal.rule == "egress.good.example"),
        "{fault:?}"
    );
    text(&desk, get(format!("http://other.example:{}/", origin.port()))).await.expect("another rule");
}

#[tokio::test]
async fn so_many_requests_of_a_run_are_under_way_at_once_and_others_wait() {
    let house = House::with(|settings| settings.concurrent_per_run = 2).await;
    let (gate, now, most) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (door, inside, peak) = (gate.clone(), now.clone(), most.clone());
    let origin = Origin::start(move |mut peer, notes| {
        let (door, inside, peak) = (door.clone(), inside.clone(), peak.clone());
        async move {
            while let Some(seen) = peer.request().await {
                peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                notes.add(seen);
                door.acquire().await.expect("open").forget();
                inside.fetch_sub(1, Ordering::SeqCst);
                peer.answer("ok").await;
            }
        }
    })
    .await;
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let all = join_all((0..5).map(|_| text(&desk, get(url(&origin)))));
    let open = async {
        origin.live(2).await;
        gate.add_permits(5);
    };
    let (answers, ()) = tokio::join!(all, open);
    assert!(answers.iter().all(|answer| answer.as_deref() == Ok("ok")));
    assert_eq!((most.load(Ordering::SeqCst), origin.seen().len()), (2, 5));
}

#[tokio::test]
async fn a_body_that_is_not_read_to_its_end_keeps_its_slot_until_it_is_dropped() {
    let (house, origin) = (House::with(|settings| settings.concurrent_per_run = 1).await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let first = desk.fetch(get(url(&origin))).await.expect("an answer");
    let mut second = Box::pin(desk.fetch(get(url(&origin))));
    assert!(second.as_mut().now_or_never().is_none());
    drop(first);
    let mut second = second.await.expect("an answer");
    read(&mut second).await.expect("a body");
    let _third = desk.fetch(get(url(&origin))).await.expect("a body that was read has no slot any more");
}

#[tokio::test]
async fn nothing_leaves_before_the_intent_is_durable() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let fails = Arc::new(AtomicUsize::new(1));
    let settings = DeskSettings {
        grant: Arc::new(
            EgressGrant { mode: EgressMode::Allowlist, rules: vec![rule("good.example", &[origin.port()])], ..EgressGrant::default() }
                .into(),
        ),
        principal: "tenant".to_owned(),
        sub_requests: 10,
        carrier: house.carrier.clone(),
        before_first_byte: Arc::new(move || {
            let fail = fails.fetch_sub(1, Ordering::SeqCst) == 1;
            async move { if fail { Err("the disk is full".to_owned()) } else { Ok(()) } }.boxed()
        }),
        observer: Arc::new(|_, _| ()),
    };
    let desk = house.broker.desk(settings);
    assert_eq!(code(&desk, get(url(&origin))).await, "aborted");
    assert_eq!(origin.opened(), 0);
    text(&desk, get(url(&origin))).await.expect("the second time it works, and it is asked for once only");
    text(&desk, get(url(&origin))).await.expect("the same");
}

#[tokio::test]
async fn mode_deny_denies_and_mode_synthetic_answers_from_fixtures_and_neither_opens_anything() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let rules = vec![rule("good.example", &[origin.port()])];
    let denied = house.desk_of("tenant", EgressGrant { rules: rules.clone(), ..EgressGrant::default() });
    assert_eq!(code(&denied, get(url(&origin))).await, "egressDenied");
    let fixture = |path: &str, status, headers: &[(&str, &str)], body: &'static [u8]| EgressFixture {
        method: "*".to_owned(),
        url: format!("{}{path}", url(&origin)),
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body_digest: Digest::of(body),
        body: Bytes::from_static(body),
        latency_ms: 1,
    };
    let fixtures =
        vec![fixture("a", 201, &[("x-a", "b")], b"canned"), fixture("b", 302, &[("location", "/a")], b""), fixture("c", 204, &[], b"")];
    let desk = house.desk_of("tenant", EgressGrant { mode: EgressMode::Synthetic, rules, fixtures, ..EgressGrant::default() });
    for (path, hops) in [("a", 0), ("b", 1)] {
        let mut answer = desk.fetch(post(format!("{}{path}", url(&origin)), whole("x"))).await.expect("an answer");
        assert_eq!((answer.status, read(&mut answer).await.as_deref()), (201, Ok(&b"canned"[..])));
        let row = desk.ledger().pop().expect("a row");
        assert_eq!((row.synthetic, row.error, row.redirects.len(), row.address, row.rule), (true, None, hops, None, None));
    }
    assert!(desk.fetch(get(format!("{}c", url(&origin)))).await.expect("an answer").body.is_none());
    assert_eq!(code(&desk, get(format!("{}d", url(&origin)))).await, "noFixture");
    let (sender, pieces) = mpsc::channel(1);
    sender.send(OutPiece::Bytes(Bytes::from_static(b"a"))).await.expect("room");
    drop(sender);
    assert_eq!(code(&desk, post(format!("{}a", url(&origin)), OutBody::Stream(pieces))).await, "aborted");
    assert_eq!((origin.opened(), house.durable.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn each_request_is_one_row_and_is_told_once_and_rows_without_room_are_counted() {
    let (house, origin) = (House::with(|settings| settings.ledger_rows_max = 2).await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let open = desk.fetch(get(url(&origin))).await.expect("an answer");
    let row = desk.ledger().pop().expect("a row under way");
    assert!((row.status, row.error.is_none(), row.ms > 0.0) == (200, true, true), "{row:?}");
    text(&desk, get(url(&origin))).await.expect("an answer");
    assert_eq!(house.codes(), [None]);
    for _ in 0..3 {
        assert_eq!(code(&desk, get("http://evil.example/")).await, "egressDenied");
    }
    drop(open);
    assert_eq!((desk.ledger().len(), desk.rows_dropped()), (2, 3));
    let denied = Some("egressDenied".to_owned());
    assert_eq!(house.codes(), [None, denied.clone(), denied.clone(), denied, Some("aborted".to_owned())]);
    assert_eq!(desk.ledger()[0].error.as_deref(), Some("aborted"));
}

#[tokio::test]
async fn a_request_can_be_made_and_read_by_a_task_of_its_own() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let url = url(&origin);
    tokio::spawn(async move { text(&desk, get(url)).await }).await.expect("a task").expect("an answer");
}

#[tokio::test]
async fn get_and_head_have_no_body() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let (_sender, pieces) = mpsc::channel(1);
    for (method, body) in [("GET", whole("a")), ("head", whole("a")), ("GET", OutBody::Stream(pieces))] {
        assert_eq!(code(&desk, Outbound { method: method.to_owned(), ..post(url(&origin), body) }).await, "badTarget");
    }
    assert_eq!(origin.opened(), 0);
    text(&desk, Outbound { method: "GET".to_owned(), ..post(url(&origin), whole("")) }).await.expect("an empty one is none");
}

#[tokio::test]
async fn at_the_end_of_its_run_a_desk_ends_its_rows_and_sends_no_more() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![rule("good.example", &[origin.port()])]);
    let mut open = desk.fetch(get(url(&origin))).await.expect("an answer").body.expect("a body");
    assert_eq!(desk.close()[0].error.as_deref(), Some("aborted"));
    // What the task of the request still finds changes nothing in a record that is made.
    while open.next().await.expect("a piece").is_some() {}
    assert_eq!((desk.ledger()[0].error.as_deref(), desk.ledger()[0].response_bytes), (Some("aborted"), 0));
    assert_eq!(code(&desk, get(url(&origin))).await, "aborted");
    assert_eq!((origin.seen().len(), house.codes().len()), (1, 2));
}
