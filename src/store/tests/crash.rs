//! Opening what a killed process or a bad disk left.

use super::house::{House, commit, commit_as, holds, put};
use crate::model::Durability::{Batched, Strict};
use crate::store::StoreError;
use crate::store::journal::frame::HEAD_BYTES;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The offsets of the frames of a segment, and its end.
fn frames(segment: &Path) -> Vec<usize> {
    let bytes = fs::read(segment).expect("a segment");
    let mut offsets = vec![HEAD_BYTES];
    while let Some(frame) = crate::store::journal::frame::read(&bytes[offsets[offsets.len() - 1]..]) {
        offsets.push(offsets[offsets.len() - 1] + frame.bytes);
    }
    offsets
}

fn flip(file: &Path, offset: usize) {
    let mut bytes = fs::read(file).expect("a file");
    bytes[offset] ^= 0x10;
    fs::write(file, bytes).expect("written");
}

#[test]
fn what_was_acknowledged_batched_survives_the_death_of_the_process() {
    let house = House::new();
    let store = house.open();
    commit(&store, 0..100);
    let killed = house.as_if_killed();
    let (again, opening) = killed.try_open().expect("opens");
    assert_eq!((opening.replayed, opening.set_aside.len()), (100, 0));
    holds(&again, 0..100);
    // And a second death right after recovery loses nothing either.
    commit(&again, 100..110);
    holds(&killed.as_if_killed().open(), 0..110);
}

#[test]
fn a_torn_tail_is_set_aside_and_named() {
    let house = House::new();
    let store = house.open();
    commit(&store, 0..10);
    for cut in [1, 5, 23, 24, 30] {
        let killed = house.as_if_killed();
        let segment = killed.segments().pop().expect("a segment");
        let offsets = frames(&segment);
        let (start, end) = (offsets[9], offsets[10]);
        let keep = (start + cut).min(end - 1);
        let torn = fs::read(&segment).expect("read")[start..keep].to_vec();
        OpenOptions::new().write(true).open(&segment).and_then(|file| file.set_len(keep as u64)).expect("cut");
        let (again, opening) = killed.try_open().expect("opens");
        holds(&again, 0..9);
        let [aside] = &opening.set_aside[..] else { panic!("{opening:?}") };
        assert_eq!((aside.offset, aside.bytes, aside.sequence, aside.later), (start as u64, torn.len() as u64, 10, 0));
        assert_eq!((fs::read(&aside.file).expect("kept"), opening.replayed), (torn, 9));
        assert_eq!(aside.file, killed.data().join("journal/torn-1"));
        drop(again);
        assert_eq!(killed.try_open().expect("opens").1.set_aside, []);
    }
}

#[test]
fn rubbish_behind_the_last_frame_is_set_aside() {
    let house = House::new();
    let store = house.open();
    commit(&store, 0..3);
    let killed = house.as_if_killed();
    let segment = killed.segments().pop().expect("a segment");
    OpenOptions::new().append(true).open(&segment).and_then(|mut file| file.write_all(&[0; 5000])).expect("written");
    let (again, opening) = killed.try_open().expect("opens");
    holds(&again, 0..3);
    assert_eq!(opening.set_aside[0].bytes, 5000);
}

#[test]
fn a_flipped_bit_in_what_was_on_disk_is_damage_that_names_what_is_lost_and_never_a_reset() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, 0..10, Strict);
    let killed = house.as_if_killed();
    let segment = killed.segments().pop().expect("a segment");
    let offsets = frames(&segment);
    flip(&segment, offsets[4] + 30);
    for _ in ["the first try", "the second, which finds everything as it was"] {
        let Err(error) = killed.try_open() else { panic!("damage was accepted") };
        let told = StoreError::Damaged { segment: segment.clone(), offset: offsets[4] as u64, sequence: 5, later: 5 };
        assert_eq!(error, told);
    }
    // The mend that the error names works.
    OpenOptions::new().write(true).open(&segment).and_then(|file| file.set_len(offsets[4] as u64)).expect("cut");
    holds(&killed.open(), 0..4);
}

#[test]
fn an_unsynced_end_that_power_loss_left_with_a_hole_is_set_aside_with_what_follows() {
    let house = House::new();
    let disk = super::house::Disk::with_room(u64::MAX);
    // No sync comes in time to be noted in later frames.
    let store = house.open_on(&disk, crate::store::Options { sync_within: std::time::Duration::from_secs(60), ..super::house::options() });
    commit(&store, 0..10);
    let killed = house.as_if_killed();
    let segment = killed.segments().pop().expect("a segment");
    flip(&segment, frames(&segment)[4] + 30);
    let (again, opening) = killed.try_open().expect("opens");
    holds(&again, 0..4);
    assert_eq!((opening.set_aside[0].sequence, opening.set_aside[0].later), (5, 5));
}

#[test]
fn damage_to_a_segments_head_is_told_like_any_other() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, 0..3, Strict);
    let killed = house.as_if_killed();
    let segment = killed.segments().pop().expect("a segment");
    flip(&segment, 2);
    let Err(StoreError::Damaged { offset: 0, sequence: 1, later: 2, .. }) = killed.try_open() else { panic!("damage was accepted") };
}

#[test]
fn a_missing_journal_or_segment_is_an_error_and_not_an_empty_store() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, 0..3, Strict);
    let killed = house.as_if_killed();
    let segment = killed.segments().pop().expect("a segment");
    fs::remove_file(&segment).expect("removed");
    assert!(matches!(killed.try_open(), Err(StoreError::Missing { expected: 1, .. })));
    let renamed = segment.with_file_name(format!("{:020}.wal", 7));
    fs::write(&renamed, crate::store::journal::frame::head(7)).expect("written");
    assert!(matches!(killed.try_open(), Err(StoreError::Missing { expected: 1, .. })));
}

#[test]
fn a_segment_without_its_head_yet_is_no_loss() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, 0..3, Strict);
    for head_bytes in [0, 7] {
        let killed = house.as_if_killed();
        let young = killed.data().join("journal").join(format!("{:020}.wal", 4));
        fs::write(&young, &crate::store::journal::frame::head(4)[..head_bytes]).expect("written");
        let (again, opening) = killed.try_open().expect("opens");
        assert_eq!(opening.set_aside.len(), usize::from(head_bytes > 0));
        holds(&again, 0..3);
        again.commit_blocking(put(3), Batched).expect("goes on");
        holds(&again, 0..4);
    }
}

#[test]
fn a_spoiled_or_emptied_database_is_told_with_its_mend_and_never_replaced_by_an_empty_one() {
    let house = House::new();
    let store = house.open();
    commit_as(&store, 0..3, Strict);
    let spoiled = house.as_if_killed();
    fs::write(spoiled.data().join("sled/conf"), "spoiled by something").expect("written");
    store.close().expect("closes");
    let emptied = house.as_if_killed();
    fs::remove_dir_all(emptied.data().join("sled")).expect("removed");
    for (house, segments) in [(spoiled, 1), (emptied, 0)] {
        let Err(error) = house.try_open() else { panic!("it opened") };
        assert!(matches!(&error, StoreError::EngineOpen { path, .. } if *path == house.data().join("sled")), "{error}");
        assert!(error.to_string().contains("move the whole data folder away"), "{error}");
        assert_eq!(house.segments().len(), segments);
    }
}

#[test]
fn a_folder_whose_making_was_interrupted_is_made_again() {
    let house = House::new();
    drop(house.open());
    let begun = House::new();
    fs::create_dir_all(begun.data().join("sled")).expect("made");
    fs::write(begun.data().join("VERSION.new"), "cord").expect("written");
    let store = begun.open();
    commit(&store, 0..3);
    holds(&store, 0..3);
}
