//! Who writes.

use super::house::{Disk, House, commit, holds, options, put};
use crate::model::Durability::Batched;
use crate::store::{Health, Options, Store, StoreError, wait};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

fn writers(disk: &Disk) -> Vec<String> {
    std::mem::take(&mut *disk.appended_by.lock().expect("whole"))
}

fn on_a_thread_called(name: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread").join().expect("it did its work");
}

#[test]
fn whoever_commits_writes_until_the_disk_was_seen_to_be_slow() {
    let (house, disk) = (House::new(), Disk::with_room(1 << 20));
    // Longer than any pause of a busy machine.
    let store = house.open_on(&disk, Options { slow_write: Duration::from_millis(300), ..options() });
    writers(&disk);
    let on_caller = |numbers: std::ops::Range<u64>| {
        let store = store.clone();
        on_a_thread_called("caller", move || commit(&store, numbers));
        writers(&disk)
    };
    assert_eq!(on_caller(0..3), ["caller"; 3]);
    disk.append_ms.store(310, SeqCst);
    // The slow one is still the caller's: nobody knew.
    assert_eq!(on_caller(3..4), ["caller"]);
    disk.append_ms.store(0, SeqCst);
    assert_eq!(on_caller(4..7), ["store-write"; 3]);
    holds(&store, 0..7);
}

#[test]
fn without_room_the_thread_waits_and_not_who_commits() {
    let (house, disk) = (House::new(), Disk::with_room(1 << 20));
    let store = house.open_on(&disk, Options { pending_bytes_max: 1, ..options() });
    writers(&disk);
    let store_too = store.clone();
    on_a_thread_called("caller", move || commit(&store_too, 0..5));
    // The first finds room; each of the others comes while the one before it is on its way to the database, or just after.
    let by = writers(&disk);
    assert_eq!((by.len(), by[0].as_str(), by.contains(&"store-write".to_owned())), (5, "caller", true), "{by:?}");
    holds(&store, 0..5);
}

#[test]
fn a_commit_that_nobody_awaits_is_written() {
    let (house, disk) = (House::new(), Disk::with_room(1 << 20));
    let store = house.open_on(&disk, options());
    let permit = wait(store.reserve()).expect("room");
    drop(permit.commit(store.generation(), put(0), Batched).expect("handed over"));
    holds(&store, 0..1);
}

#[test]
fn of_many_that_commit_at_once_none_is_forgotten() {
    let house = House::new();
    let store = house.open();
    let work = |store: &Store, first: u64| {
        let store = store.clone();
        thread::spawn(move || commit(&store, first * 500..(first + 1) * 500))
    };
    let threads: Vec<_> = (0..8).map(|first| work(&store, first)).collect();
    // A forgotten order would leave its thread waiting for ever.
    threads.into_iter().for_each(|thread| thread.join().expect("all stored"));
    holds(&store, 0..4000);
}

#[test]
fn a_panic_while_writing_is_the_end_of_writing_and_nobody_waits_for_ever() {
    let (house, disk) = (House::new(), Disk::with_room(1 << 20));
    let store = house.open_on(&disk, options());
    commit(&store, 0..3);
    disk.panics.store(true, SeqCst);
    let store_too = store.clone();
    let panicked = thread::spawn(move || store_too.commit_blocking(put(3), Batched)).join();
    assert!(panicked.is_err());
    assert_eq!(store.commit_blocking(put(4), Batched), Err(StoreError::Closed));
    assert!(matches!(store.health(), Health::Broken(_)), "{:?}", store.health());
    holds(&store, 0..3);
    assert!(matches!(store.close(), Err(StoreError::Broken(_))));
}

#[test]
fn a_sync_covers_all_that_was_written_however_many_groups_that_were() {
    let (house, disk) = (House::new(), Disk::with_room(1 << 24));
    let store = house.open_on(&disk, Options { sync_within: Duration::from_secs(60), ..options() });
    commit(&store, 0..1000);
    let (before, written) = (disk.syncs.load(SeqCst), writers(&disk).len());
    assert!(written > 256, "{written} groups");
    wait(store.sync()).expect("on disk");
    assert_eq!(disk.syncs.load(SeqCst), before + 1);
}
