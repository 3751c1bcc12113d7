//! Clients that go away, wait, hurry, dawdle or come in numbers.

use super::wire::{get, post, run_of};
use super::{House, PATIENCE, Settings, soon};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

async fn cancelled_within(house: &House, time: Duration) -> bool {
    timeout(time, house.fake.cancelled.notified()).await.is_ok()
}

#[tokio::test]
async fn a_client_that_closes_cancels_its_run_within_a_second() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    house.fake.begins().await;
    drop(wire);
    assert!(cancelled_within(&house, SECOND).await);
    // The line of the log and the observation are written as well.
    assert_eq!(house.fake.observations.lock().expect("a lock").as_slice(), [("/v1/runs", 499)]);
    soon(async {
        while house.public.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_resets_cancels_its_run_within_a_second() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    house.fake.begins().await;
    wire.stream.set_zero_linger().expect("a socket");
    drop(wire);
    assert!(cancelled_within(&house, SECOND).await);
}

#[tokio::test]
async fn a_client_that_finished_sending_still_gets_its_answer() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    wire.finish_sending().await;
    house.fake.begins().await;
    assert!(!cancelled_within(&house, SECOND / 2).await);
    house.fake.release.notify_one();
    let reply = wire.reply().await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, br#"{"n":1}"#.as_slice()));
    assert_eq!(wire.interim, 1);
    assert!(wire.ends_quietly().await);
}

#[tokio::test]
async fn a_client_that_finished_sending_and_closes_later_cancels_its_run() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    wire.finish_sending().await;
    house.fake.begins().await;
    assert!(!cancelled_within(&house, SECOND / 4).await);
    // Read the first probe, so that closing sends no RST on its own.
    while wire.interim == 0 {
        let mut seen = [0u8; 25];
        soon(tokio::io::AsyncReadExt::read_exact(&mut wire.stream, &mut seen)).await.expect("a probe");
        assert_eq!(&seen, b"HTTP/1.1 100 Continue\r\n\r\n");
        wire.interim += 1;
    }
    drop(wire);
    assert!(cancelled_within(&house, SECOND * 2).await);
}

#[tokio::test]
async fn a_client_of_http_1_0_that_finished_sending_gets_its_answer_and_nothing_else() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait").replace("HTTP/1.1", "HTTP/1.0")).await;
    wire.finish_sending().await;
    house.fake.begins().await;
    assert!(!cancelled_within(&house, SECOND / 2).await);
    house.fake.release.notify_one();
    let all = wire.rest().await;
    assert!(all.starts_with("HTTP/1.0 200 OK\r\n") && all.ends_with(r#"{"n":1}"#), "{all}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait") + &get("/v1/capabilities") + &run_of("echo")).await;
    house.fake.begins().await;
    assert!(!cancelled_within(&house, SECOND / 4).await);
    house.fake.release.notify_one();
    assert_eq!(wire.reply().await.body, br#"{"n":1}"#);
    assert_eq!(wire.reply().await.json()["for"], "local");
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.interim, 0);
}

#[tokio::test]
async fn pipelined_requests_of_a_client_that_finished_sending_are_all_answered() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait") + &run_of("wait") + &get("/v1/capabilities")).await;
    wire.finish_sending().await;
    for _ in 0..2 {
        house.fake.begins().await;
        assert!(!cancelled_within(&house, SECOND / 4).await);
        house.fake.release.notify_one();
    }
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.reply().await.status, 200);
    assert_eq!(wire.reply().await.json()["for"], "local");
    assert!(wire.ends_quietly().await);
}

#[tokio::test]
async fn a_client_that_closes_behind_pipelined_requests_cancels_its_run() {
    let house = House::open(Settings::default()).await;
    for behind in [get("/v1/capabilities"), "GET /v1/capab".to_owned(), get("/v1/capabilities").repeat(2000)] {
        let mut wire = house.wire().await;
        wire.send(run_of("wait")).await;
        house.fake.begins().await;
        wire.send(behind).await;
        drop(wire);
        assert!(cancelled_within(&house, SECOND).await);
    }
}

#[tokio::test]
async fn a_run_with_an_idempotency_key_goes_on_without_its_client() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(post("idempotency-key: k\r\n", r#"{"code":"wait"}"#)).await;
    house.fake.begins().await;
    drop(wire);
    assert!(!cancelled_within(&house, SECOND).await);
}

#[tokio::test]
async fn a_client_that_got_its_answer_cancels_nothing_by_closing() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    house.fake.begins().await;
    house.fake.release.notify_one();
    assert_eq!(wire.reply().await.status, 200);
    drop(wire);
    assert!(!cancelled_within(&house, SECOND / 4).await);
}

#[tokio::test]
async fn a_head_that_does_not_end_a_body_that_does_not_come_and_an_idle_connection_are_ended() {
    let (head, body, idle) = (Duration::from_millis(300), Duration::from_millis(300), Duration::from_millis(900));
    let house = House::open(Settings { head_time: head, body_time: body, idle_time: idle, ..Settings::default() }).await;
    let begun = Instant::now();
    let (mut silent, mut slow_head, mut slow_body, mut used, mut slow_second) =
        (house.wire().await, house.wire().await, house.wire().await, house.wire().await, house.wire().await);
    slow_head.send("POST /v1/runs HTTP/1.1\r\nhost: loc").await;
    slow_body.send(post("", "").replace("content-length: 0", "content-length: 10")).await;
    assert_eq!(used.ask(get("/v1/capabilities")).await.status, 200);
    assert_eq!(slow_second.ask(get("/v1/capabilities")).await.status, 200);
    slow_second.send("GET /v1").await;
    // Dripping does not help.
    let dripping = async {
        while begun.elapsed() < head * 10 && slow_head.stream.try_write(b"a").is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        begun.elapsed()
    };
    let dripped = dripping.await;
    assert!(dripped >= head && dripped < idle, "{dripped:?}");
    assert!(silent.ends_quietly().await && slow_second.ends_quietly().await);
    let reply = slow_body.reply().await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "invalidRequest"));
    assert!(begun.elapsed() < idle);
    assert!(used.ends_quietly().await);
    assert!(begun.elapsed() >= idle && begun.elapsed() < PATIENCE / 4);
}

#[tokio::test]
async fn a_run_may_take_longer_than_every_time_of_the_connection() {
    let short = Duration::from_millis(100);
    let house =
        House::open(Settings { head_time: short, body_time: short, idle_time: short, stall_time: short, ..Settings::default() }).await;
    let mut wire = house.wire().await;
    wire.send(run_of("wait")).await;
    house.fake.begins().await;
    assert!(!cancelled_within(&house, short * 5).await);
    house.fake.release.notify_one();
    assert_eq!(wire.reply().await.status, 200);
    // And afterwards the idle time counts again.
    assert!(wire.ends_quietly().await);
}

#[tokio::test]
async fn a_client_that_leaves_its_answer_is_ended_and_a_slow_one_is_not() {
    let house = House::open(Settings { stall_time: Duration::from_millis(400), ..Settings::default() }).await;
    let (mut gone, mut slow) = (house.wire().await, house.wire().await);
    gone.send(run_of("big")).await;
    slow.send(run_of("big")).await;
    let mut taken = 0;
    let mut bytes = vec![0u8; 2 << 20];
    while taken < 32 << 20 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        taken += soon(tokio::io::AsyncReadExt::read(&mut slow.stream, &mut bytes)).await.expect("it goes on");
    }
    soon(async {
        while house.public.connections() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert!(gone.rest().await.len() < 32 << 20);
}

#[tokio::test]
async fn one_connection_over_the_cap_is_told_so_and_a_freed_place_is_used_again() {
    let house = House::open(Settings { connections_max: 2, ..Settings::default() }).await;
    let (mut one, mut two) = (house.wire().await, house.wire().await);
    assert_eq!(one.ask(run_of("echo")).await.status, 200);
    assert_eq!(two.ask(run_of("echo")).await.status, 200);
    let mut three = house.wire().await;
    let reply = three.ask(run_of("echo")).await;
    assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "overloaded", Some("1")));
    assert!(three.ends_quietly().await);
    assert_eq!(two.ask(run_of("echo")).await.status, 200);
    drop(one);
    soon(async {
        while house.public.connections() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(house.wire().await.ask(run_of("echo")).await.status, 200);
}

#[tokio::test]
async fn a_connection_ends_after_its_share_of_requests() {
    let house = House::open(Settings { requests_per_connection_max: 2, ..Settings::default() }).await;
    let mut wire = house.wire().await;
    let first = wire.ask(run_of("echo")).await;
    assert_eq!((first.status, first.header("connection")), (200, None));
    let last = wire.ask(run_of("echo")).await;
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert!(wire.ends_quietly().await);
}

#[tokio::test]
async fn a_head_over_the_cap_is_refused_and_one_at_it_is_not() {
    let house = House::open(Settings { head_bytes_max: 16 << 10, ..Settings::default() }).await;
    let of = |length: usize| {
        let plain = get("/v1/capabilities").len() + "x: \r\n".len();
        get("/v1/capabilities").replace("\r\n\r\n", &format!("\r\nx: {}\r\n\r\n", "y".repeat(length - plain)))
    };
    assert_eq!(house.wire().await.ask(of(16 << 10)).await.status, 200);
    assert_eq!(house.wire().await.ask(of((16 << 10) + 1)).await.status, 431);
    let many = get("/v1/capabilities").replace("\r\n\r\n", &format!("\r\n{}\r\n", "a: b\r\n".repeat(200)));
    assert_eq!(house.wire().await.ask(many).await.status, 431);
}

#[tokio::test]
async fn what_is_not_http_1_is_refused() {
    let house = House::open(Settings::default()).await;
    for nonsense in [
        "\u{16}\u{3}\u{1}hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ] {
        let mut wire = house.wire().await;
        wire.send(nonsense).await;
        let answer = wire.rest().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{nonsense}: {answer}");
    }
    assert_eq!(house.fake.seen.lock().expect("a lock").len(), 0);
}

#[tokio::test]
async fn a_body_that_is_cut_short_runs_nothing() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(post("", r#"{"code":"echo"}"#).trim_end_matches('}')).await;
    wire.finish_sending().await;
    let answer = wire.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(house.fake.seen.lock().expect("a lock").len(), 0);
}

#[tokio::test]
async fn a_probe_never_lands_inside_an_earlier_answer() {
    let house = House::open(Settings::default()).await;
    let mut wire = house.wire().await;
    wire.send(run_of("big") + &run_of("wait")).await;
    wire.finish_sending().await;
    // Long enough for a probe, while the first answer is stuck half way.
    assert!(!cancelled_within(&house, SECOND + SECOND / 2).await);
    let first = wire.reply().await;
    assert_eq!((first.status, first.body.len()), (200, 32 << 20));
    assert!(first.body.iter().all(|byte| *byte == b'1'));
    assert_eq!(wire.interim, 0);
    house.fake.begins().await;
    house.fake.release.notify_one();
    assert_eq!(wire.reply().await.body, br#"{"n":1}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_clients_that_leave_at_any_moment_leaves_nothing_behind() {
    let house = std::sync::Arc::new(House::open(Settings::default()).await);
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..200u32 {
        let house = std::sync::Arc::clone(&house);
        crowd.spawn(async move {
            let mut wire = house.wire().await;
            let request = run_of(if number % 2 == 0 { "echo" } else { "replay" });
            let cut = request.len() * (number as usize % 21) / 20;
            wire.send(&request[..cut]).await;
            if number % 3 == 0 {
                wire.stream.set_zero_linger().expect("a socket");
            }
            if cut == request.len() {
                assert_eq!(wire.reply().await.status, 200);
            }
        });
    }
    while let Some(left) = crowd.join_next().await {
        left.expect("no client failed");
    }
    soon(async {
        while house.public.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(house.wire().await.ask(run_of("echo")).await.status, 200);
}
