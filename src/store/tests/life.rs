//! Opening, writing, reading, rotating, closing.

use super::house::{Disk, House, commit, commit_as, holds, key, options, put};
use crate::model::Durability::{Batched, Strict};
use crate::store::journal::frame::BODY_BYTES_MAX;
use crate::store::{Batch, Direction, Health, Options, Range, Store, StoreError, Tree};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

#[test]
fn what_is_stored_reads_back_at_once_and_after_reopening_and_a_clean_close_leaves_no_journal() {
    let house = House::new();
    let store = house.open();
    commit(&store, 0..50);
    commit_as(&store, 50..60, Strict);
    holds(&store, 0..60);
    store.close().expect("closes");
    holds(&store, 0..60);
    assert_eq!(store.commit_blocking(put(60), Batched), Err(StoreError::Closed));
    assert_eq!((store.health(), house.segments().len()), (Health::Closed, 0));
    drop(store);
    let (store, opening) = house.try_open().expect("opens");
    assert_eq!((opening.replayed, opening.set_aside.len()), (0, 0));
    holds(&store, 0..60);
}

#[test]
fn a_range_merges_what_is_pending_with_what_the_database_has() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, (0..100).step_by(2), Strict);
    store.close().expect("closes");
    drop(store);
    let store = house.open();
    // Replaces, deletes and adds; with the sync held off, these stay in the overlay for a while, and the answer is the same after.
    let changes = (0..100).step_by(3).fold(Batch::new(), |batch, number| match number % 4 {
        0 => batch.delete(Tree::Keys, key(number)),
        _ => batch.put(Tree::Keys, key(number), "new"),
    });
    store.commit_blocking(changes, Batched).expect("stored");
    let expected: Vec<u64> = (0..100).filter(|n| if n % 3 == 0 { n % 4 != 0 } else { n % 2 == 0 }).collect();
    let keys = |range: &Range| -> Vec<u64> {
        let pairs = store.range(Tree::Keys, range).expect("reads");
        pairs.iter().map(|(key, _)| u64::from_be_bytes(key.as_slice().try_into().expect("8 bytes"))).collect()
    };
    for _ in ["pending", "in the database"] {
        assert_eq!(keys(&Range::first(1000)), expected);
        assert_eq!(keys(&Range::last(1000)), expected.iter().rev().copied().collect::<Vec<_>>());
        for limit in [0, 1, 7, expected.len(), expected.len() + 1] {
            assert_eq!(keys(&Range::first(limit)), expected.iter().take(limit).copied().collect::<Vec<_>>());
            assert_eq!(keys(&Range::last(limit)), expected.iter().rev().take(limit).copied().collect::<Vec<_>>());
        }
        let middle: Vec<u64> = expected.iter().copied().filter(|n| (20..70).contains(n)).collect();
        assert_eq!(keys(&Range::first(1000).from(key(20)).before(key(70))), middle);
        assert_eq!(keys(&Range::first(1).after(key(middle[0]))), middle[1..2]);
        assert_eq!(keys(&Range::first(9).from(key(70)).before(key(20))), [] as [u64; 0]);
        store.close().expect("closes");
    }
    let last = store.last(Tree::Keys).expect("reads").expect("one").0;
    assert_eq!(last, key(99));
    assert_eq!(Range::last(1).direction, Direction::Backward);
}

#[test]
fn a_folder_in_use_is_refused_with_the_process_that_has_it() {
    let house = House::new();
    let store = house.open();
    let Err(error) = house.try_open() else { panic!("it opened twice") };
    let holder = format!(" (process {})", std::process::id());
    assert_eq!(error, StoreError::Locked { path: house.data(), holder });
    assert!(error.to_string().contains("stop that process, or ask it"), "{error}");
    drop(store);
    house.try_open().expect("free again");
}

#[test]
fn a_folder_of_another_version_is_refused_and_left_alone() {
    let house = House::new();
    drop(house.open());
    for (found, mark) in [("cordon-store 2", Some("cordon-store 2\n")), ("unmarked", None)] {
        match mark {
            Some(mark) => std::fs::write(house.data().join("VERSION"), mark).expect("written"),
            None => std::fs::remove_file(house.data().join("VERSION")).expect("removed"),
        }
        let Err(StoreError::Version { found: told, known, .. }) = house.try_open() else { panic!("{found} was accepted") };
        assert_eq!((told.as_str(), known), (found, "cordon-store 1"));
    }
}

#[test]
fn rotation_deletes_old_segments_and_loses_nothing() {
    let house = House::new();
    let small = Options { segment_bytes_max: 4096, ..options() };
    let (store, _) = Store::open(&house.data(), small.clone()).expect("opens");
    let mut most = 0;
    for round in 0..40 {
        commit_as(&store, round * 50..round * 50 + 50, Strict);
        most = most.max(house.segments().len());
    }
    assert!(most >= 1);
    let killed = house.as_if_killed();
    let first: u64 = house.segments()[0].file_stem().and_then(|stem| stem.to_str()?.parse().ok()).expect("a number");
    assert!(first > 1, "the first segment is still there");
    holds(&store, 0..2000);
    holds(&killed.open(), 0..2000);
    store.close().expect("closes");
    drop(store);
    holds(&house.open(), 0..2000);
}

#[test]
fn an_old_segment_is_closed_at_the_next_write() {
    let house = House::new();
    let old = Options { segment_age_max: Duration::ZERO, ..options() };
    let (store, _) = Store::open(&house.data(), old).expect("opens");
    commit_as(&store, 0..5, Strict);
    let newest = house.segments().pop().expect("a segment");
    assert!(newest.ends_with(format!("{:020}.wal", 5)), "{newest:?}");
    holds(&store, 0..5);
}

#[test]
fn a_strict_write_is_synced_before_its_answer_and_a_batched_one_within_its_time() {
    let house = House::new();
    let disk = Disk::with_room(u64::MAX);
    let store = house.open_on(&disk, Options { sync_within: Duration::from_secs(20), ..options() });
    let before = disk.syncs.load(SeqCst);
    commit(&store, 0..20);
    assert_eq!(disk.syncs.load(SeqCst), before, "a batched write waited for the disk");
    commit_as(&store, [20], Strict);
    assert_eq!(disk.syncs.load(SeqCst), before + 1, "one sync covers all that was written");
    drop(store);

    let within = Duration::from_millis(200);
    let store = house.open_on(&disk, Options { sync_within: within, ..options() });
    let before = disk.syncs.load(SeqCst);
    commit(&store, [21]);
    let start = Instant::now();
    while disk.syncs.load(SeqCst) == before {
        assert!(start.elapsed() < within, "a batched write is not on disk in time");
        std::thread::yield_now();
    }
}

#[test]
fn concurrent_commits_share_writes_and_syncs() {
    let house = House::new();
    let disk = Disk::with_room(u64::MAX);
    let store = house.open_on(&disk, options());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8u64)
            .map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for number in 0..50 {
                        store.commit(put(task * 50 + number), Strict).await.expect("stored");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("ends");
        }
    });
    holds(&store, 0..400);
    assert!(disk.syncs.load(SeqCst) < 400, "every commit had a sync of its own");
}

#[test]
fn a_full_queue_and_a_full_overlay_make_writers_wait_and_lose_nothing() {
    let house = House::new();
    let (store, _) = Store::open(&house.data(), Options { queue: 1, pending_bytes_max: 100, ..options() }).expect("opens");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|n| {
                tokio::spawn({
                    let store = store.clone();
                    async move { store.commit(put(n), Batched).await }
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("ends"), Ok(()));
        }
    });
    holds(&store, 0..200);
}

#[test]
fn a_batch_at_the_limit_is_stored_and_a_larger_one_is_refused() {
    let house = House::new();
    let store = house.open();
    let rest = Batch::new().put(Tree::Runs, "k", "").bytes();
    let batch = |bytes: usize| Batch::new().put(Tree::Runs, "k", vec![1; bytes - rest]);
    store.commit_blocking(batch(BODY_BYTES_MAX), Batched).expect("stored");
    let refused = store.commit_blocking(batch(BODY_BYTES_MAX + 1), Batched);
    assert_eq!(refused, Err(StoreError::TooLarge { bytes: BODY_BYTES_MAX + 1, most: BODY_BYTES_MAX }));
    drop(store);
    assert_eq!(house.open().get(Tree::Runs, b"k").expect("reads").map(|value| value.len()), Some(BODY_BYTES_MAX - rest));
}

#[test]
fn the_last_handle_may_go_inside_a_runtime() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let store = Arc::new(house.open());
    runtime.block_on(async move {
        store.commit(put(0), Batched).await.expect("stored");
        drop(store);
    });
    holds(&house.open(), 0..1);
}
