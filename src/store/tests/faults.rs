//! Disks that fill up and fail.

use super::house::{Disk, House, commit, holds, options, put};
use crate::model::Durability::{Batched, Strict};
use crate::store::{Batch, Health, Options, Range, Store, StoreError, Tree};
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_goes_on_when_there_is_room() {
    let house = House::new();
    let disk = Disk::with_room(500);
    let store = house.open_on(&disk, options());
    let stored = (0..100).take_while(|number| store.commit_blocking(put(*number), Batched).is_ok()).count() as u64;
    assert!((1..100).contains(&stored), "{stored}");
    assert!(matches!(store.health(), Health::Failed(reason) if reason.contains("no storage space") || !reason.is_empty()));
    let refused = store.commit_blocking(put(900), Strict);
    assert!(matches!(refused, Err(StoreError::Write(_))), "{refused:?}");
    holds(&store, 0..stored);
    holds(&house.as_if_killed().open(), 0..stored);

    disk.room.store(u64::MAX, SeqCst);
    commit(&store, stored..stored + 10);
    assert_eq!(store.health(), Health::Writing);
    holds(&store, 0..stored + 10);
    holds(&house.as_if_killed().open(), 0..stored + 10);
}

#[test]
fn a_full_disk_at_a_new_segment_keeps_the_old_one_going() {
    for room in 0..40 {
        let house = House::new();
        let disk = Disk::with_room(u64::MAX);
        let store = house.open_on(&disk, Options { segment_bytes_max: 1, ..options() });
        commit(&store, 0..3);
        disk.room.store(room, SeqCst);
        assert!(matches!(store.commit_blocking(put(3), Batched), Err(StoreError::Write(_))), "room {room}");
        disk.room.store(u64::MAX, SeqCst);
        commit(&store, 3..6);
        holds(&house.as_if_killed().open(), 0..6);
        store.close().expect("closes");
    }
}

#[test]
fn a_batch_that_builds_on_one_that_failed_is_refused_too() {
    let house = House::new();
    let disk = Disk::with_room(u64::MAX);
    let store = house.open_on(&disk, options());
    let before = store.generation();
    disk.room.store(1, SeqCst);
    assert!(matches!(store.commit_blocking(put(0), Batched), Err(StoreError::Write(_))));
    disk.room.store(u64::MAX, SeqCst);
    let built_on_it = store.try_reserve().expect("room").commit(before, put(1), Batched).expect("small");
    assert_eq!(crate::store::wait(built_on_it), Err(StoreError::Superseded));
    commit(&store, [2]);
    holds(&store, [2]);
}

#[test]
fn a_partial_write_that_cannot_be_undone_ends_writing_and_keeps_what_was_acknowledged() {
    let house = House::new();
    let disk = Disk::with_room(u64::MAX);
    let store = house.open_on(&disk, options());
    commit(&store, 0..3);
    disk.cut_fails.store(true, SeqCst);
    disk.room.store(10, SeqCst);
    assert!(matches!(store.commit_blocking(put(3), Batched), Err(StoreError::Broken(_))));
    disk.room.store(u64::MAX, SeqCst);
    assert!(matches!(store.commit_blocking(put(4), Batched), Err(StoreError::Broken(_))));
    assert!(matches!(store.health(), Health::Broken(_)));
    holds(&store, 0..3);
    assert!(matches!(store.close(), Err(StoreError::Broken(_))));
    drop(store);
    let (store, opening) = house.try_open().expect("opens");
    assert_eq!((opening.replayed, opening.set_aside[0].bytes), (3, 10));
    holds(&store, 0..3);
}

#[test]
fn a_failed_sync_answers_strict_waiters_with_an_error_and_is_never_retried() {
    let house = House::new();
    let disk = Disk::with_room(u64::MAX);
    let store = house.open_on(&disk, options());
    commit(&store, 0..3);
    disk.sync_fails.store(true, SeqCst);
    assert!(matches!(store.commit_blocking(put(3), Strict), Err(StoreError::Broken(_))));
    disk.sync_fails.store(false, SeqCst);
    assert!(matches!(store.commit_blocking(put(4), Strict), Err(StoreError::Broken(_))));
    assert!(matches!(store.health(), Health::Broken(reason) if reason.contains("the sync fails")));
    // The operating system had the refused one already; readers may see it, and nobody was told that it is safe.
    holds(&store, 0..4);
    drop(store);
    holds(&house.open(), 0..4);
}

/// A file system of 24 MiB, where this process may mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because the store of a failed test may still have files open there.
        drop(Command::new("umount").arg("-l").arg(self.0.path()).output());
    }
}

#[test]
fn a_real_disk_that_fills_up_loses_nothing_acknowledged() {
    let Some(disk) = SmallDisk::mount() else { return println!("not run: this process may not mount; the simulated disks above cover it") };
    let data = disk.0.path().join("data");
    let open = || Store::open(&data, options()).expect("opens").0;
    let store = open();
    let value = |number: u64| vec![number as u8; 40_000];
    let batch = |number: u64| Batch::new().put(Tree::Runs, super::house::key(number), value(number));
    let stored = (0..2000).take_while(|number| store.commit_blocking(batch(*number), Batched).is_ok()).count() as u64;
    assert!((10..2000).contains(&stored), "{stored}");
    // Room for what the journal holds and for its copy in sled.
    let grown = Command::new("mount").args(["-o", "remount,size=128m"]).arg(disk.0.path()).output().expect("runs");
    assert!(grown.status.success(), "{grown:?}");
    let after_full = store.health();
    let went_on = store.commit_blocking(batch(stored), Strict).is_ok();
    // sled itself may have met the full disk; then writing waits for the next start.
    assert!(went_on || matches!(store.health(), Health::Broken(_)), "{after_full:?}");
    drop(store);
    let held = open().range(Tree::Runs, &Range::first(5000)).expect("reads");
    assert!(held.len() as u64 >= stored + u64::from(went_on), "{} of {stored}", held.len());
    for (number, (key, held)) in (0..stored).zip(held) {
        assert_eq!((key, held), (super::house::key(number).to_vec(), value(number)));
    }
}
