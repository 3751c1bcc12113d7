//! Which idle connections are found, by whom, and for how long.

use super::*;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

fn key(principal: &str, url: &str) -> Key {
    Key::new(principal, &Target::parse("GET", url).expect("a target"))
}

/// A connection, and its other end.
async fn one() -> (Link, DuplexStream) {
    let (near, far) = duplex(1 << 10);
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    (Link::One(One::open(near, address, 8 << 10).await.expect("a connection")), far)
}

async fn is_closed(mut far: DuplexStream) -> bool {
    matches!(far.read(&mut [0; 1]).await, Ok(0))
}

#[tokio::test]
async fn a_connection_is_found_by_its_whole_key_and_once() {
    let pool = Arc::new(Pool::default());
    let mine = key("a", "https://good.example/");
    let (link, _far) = one().await;
    pool.give_back(&mine, link);
    for other in [
        key("b", "https://good.example/"),
        key("a", "http://good.example:443/"),
        key("a", "https://good.example:444/"),
        key("a", "https://www.good.example/"),
    ] {
        assert!(pool.take(&other).is_none(), "{other:?}");
    }
    assert!(pool.take(&mine).is_some());
    assert!(pool.take(&mine).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_connection_waits_up_to_its_time_and_no_longer() {
    let pool = Arc::new(Pool::default());
    let mine = key("a", "https://good.example/");
    let (link, far) = one().await;
    pool.give_back(&mine, link);
    tokio::time::advance(IDLE_MAX - Duration::from_millis(1)).await;
    let link = pool.take(&mine).expect("in time");
    pool.give_back(&mine, link);
    tokio::time::advance(IDLE_MAX).await;
    assert!(pool.take(&mine).is_none());
    assert!(is_closed(far).await);
}

#[tokio::test(start_paused = true)]
async fn nobody_has_to_ask_for_an_idle_connection_to_be_closed() {
    let pool = Arc::new(Pool::default());
    let (link, far) = one().await;
    pool.give_back(&key("a", "https://good.example/"), link);
    let start = Instant::now();
    assert!(is_closed(far).await);
    assert!(start.elapsed() <= IDLE_MAX + SWEEP);
    assert!(pool.lock().by_key.is_empty() && !pool.lock().swept);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_always_in_use_ends_at_its_age() {
    let pool = Arc::new(Pool::default());
    let mine = key("a", "https://good.example/");
    let (link, far) = one().await;
    pool.give_back(&mine, link);
    let step = Duration::from_secs(20);
    let mut uses = 0;
    while let Some(link) = pool.take(&mine) {
        tokio::time::advance(step).await;
        pool.give_back(&mine, link);
        uses += 1;
    }
    assert_eq!(uses, AGE_MAX.as_secs() / step.as_secs());
    assert!(is_closed(far).await);
}

#[tokio::test]
async fn so_many_connections_wait_and_the_oldest_make_room() {
    let pool = Arc::new(Pool::default());
    let mut others = Vec::new();
    for n in 0..=PER_KEY_MAX {
        let (link, far) = one().await;
        pool.give_back(&key("a", "https://good.example/"), link);
        others.push((n, far));
    }
    assert!(is_closed(others.remove(0).1).await);
    for n in PER_KEY_MAX..=ALL_MAX {
        let (link, far) = one().await;
        pool.give_back(&key(&n.to_string(), "https://good.example/"), link);
        others.push((n, far));
    }
    assert_eq!(pool.lock().by_key.values().map(Vec::len).sum::<usize>(), ALL_MAX);
    assert!(is_closed(others.remove(0).1).await);
    drop(pool);
    for (_, far) in others {
        assert!(is_closed(far).await);
    }
}

#[tokio::test]
async fn a_connection_of_http2_is_lent_to_so_many_at_once() {
    let pool = Arc::new(Pool::default());
    let mine = key("a", "https://good.example/");
    let (near, far) = duplex(1 << 16);
    let two = Two::open(near, SocketAddr::from(([127, 0, 0, 1], 1)), 8 << 10).await.expect("a connection");
    pool.share(&mine, two);
    let mut links: Vec<Link> = (0..STREAMS_MAX).map(|_| pool.take(&mine).expect("a stream")).collect();
    assert!(pool.take(&mine).is_none());
    pool.give_back(&mine, links.pop().expect("a stream"));
    links.push(pool.take(&mine).expect("the stream that is free again"));
    pool.clear();
    drop(links);
    let mut rest = Vec::new();
    let mut far = far;
    far.read_to_end(&mut rest).await.expect("its end");
}
