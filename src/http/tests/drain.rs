//! Stopping without losing anybody.

use super::wire::{get, run_of};
use super::{House, Settings, soon};
use crate::http::Drained;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_ends_what_is_idle() {
    let house = House::open(Settings::default()).await;
    let (mut busy, mut idle, mut operator) = (house.wire().await, house.wire().await, house.operator_wire().await);
    assert_eq!(idle.ask(run_of("echo")).await.status, 200);
    busy.send(run_of("wait")).await;
    house.fake.begins().await;
    assert_eq!(operator.ask(get("/readyz")).await.status, 200);

    house.front.begin_drain();
    assert_eq!(operator.ask(get("/readyz")).await.body, b"not ready: draining\n");
    let refused = idle.ask(run_of("echo")).await;
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("draining", Some("5")));

    let address = house.public.address();
    let begun = Instant::now();
    let drain = tokio::spawn(house.public.drain(Duration::from_secs(10)));
    assert!(idle.ends_quietly().await);
    assert!(soon(TcpStream::connect(address)).await.is_err());
    assert_eq!(operator.ask(get("/healthz")).await.status, 200);
    house.fake.release.notify_one();
    let reply = busy.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    assert!(busy.ends_quietly().await);
    drop((busy, idle));
    assert_eq!(soon(drain).await.expect("a task"), Drained { cut: 0 });
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_cut_and_its_run_cancelled() {
    let house = House::open(Settings::default()).await;
    let (mut busy, mut heading) = (house.wire().await, house.wire().await);
    busy.send(run_of("wait")).await;
    heading.send("GET /").await;
    house.fake.begins().await;
    let drained = soon(house.public.drain(Duration::from_millis(200))).await;
    assert_eq!(drained, Drained { cut: 2 });
    soon(house.fake.cancelled.notified()).await;
    assert!(busy.ends_quietly().await);
}
