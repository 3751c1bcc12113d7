//! What verify finds when somebody changes the store behind the log's back.

use super::house::{intend, intent, open_log, run};
use crate::model::Durability::Batched;
use crate::model::{Outcome, RunId};
use crate::provenance::{Fault, Log, verify};
use crate::store::{Batch, Tree};
use tlog_tiles::tlog::stored_hash_index;

/// A log of ten runs: intents at even places, seals at odd ones.
fn ten_runs(folder: &std::path::Path) -> (Log, Vec<RunId>) {
    let log = open_log(folder);
    let runs = (0..10).map(|_| {
        let intent = intent(RunId::now());
        run(&log, &intent, Outcome::Ok);
        intent.run
    });
    let runs = runs.collect();
    assert!(verify(log.store()).expect("reads").holds());
    (log, runs)
}

fn change(log: &Log, batch: Batch) -> Option<Fault> {
    log.store().commit_blocking(batch, Batched).expect("stored");
    verify(log.store()).expect("reads").fault
}

#[test]
fn a_flipped_byte_in_any_record_is_pinpointed() {
    for sequence in [0u64, 1, 7, 12, 19] {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, _) = ten_runs(folder.path());
        let key = sequence.to_be_bytes();
        let mut bytes = log.store().get(Tree::Records, &key).expect("reads").expect("a record");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let fault = change(&log, Batch::new().put(Tree::Records, key, bytes)).expect("found");
        assert_eq!((fault.sequence, fault.what.as_str()), (sequence, "its bytes do not give the hash that was stored with it"));
    }
}

#[test]
fn a_changed_or_missing_hash_at_any_level_is_pinpointed() {
    for (level, number, sequence) in [(0, 3, 3), (1, 2, 5), (2, 3, 15), (4, 0, 15)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, _) = ten_runs(folder.path());
        let key = stored_hash_index(level, number).to_be_bytes();
        let fault = change(&log, Batch::new().put(Tree::Hashes, key, [7; 32])).expect("found");
        assert_eq!(fault.sequence, sequence);
        let fault = change(&log, Batch::new().delete(Tree::Hashes, key)).expect("found");
        assert_eq!((fault.sequence, fault.what.as_str()), (sequence, "a hash that was stored with it is missing"));
    }
}

#[test]
fn a_missing_record_is_found_in_the_middle_and_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, _) = ten_runs(folder.path());
    let last = log.store().get(Tree::Records, &19u64.to_be_bytes()).expect("reads").expect("a record");
    let fault = change(&log, Batch::new().delete(Tree::Records, 19u64.to_be_bytes())).expect("found");
    assert_eq!((fault.sequence, fault.what.as_str()), (19, "it is missing, its hash is not"));
    let restored = Batch::new().put(Tree::Records, 19u64.to_be_bytes(), last).delete(Tree::Records, 4u64.to_be_bytes());
    let fault = change(&log, restored).expect("found");
    assert_eq!((fault.sequence, fault.what.as_str()), (4, "it is missing"));
}

#[test]
fn a_changed_report_is_found_and_a_deleted_one_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, runs) = ten_runs(folder.path());
    assert_eq!(change(&log, Batch::new().delete(Tree::Runs, *runs[2].0.as_bytes())), None);
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.reports, verdict.reports_gone), (9, 1));
    let fault = change(&log, Batch::new().put(Tree::Runs, *runs[5].0.as_bytes(), "{}")).expect("found");
    assert_eq!(fault.sequence, 11);
}

#[test]
fn a_seal_without_its_open_intent_and_a_second_one_are_found_even_when_their_hashes_are_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let one = intent(RunId::now());
    let sealed = run(&log, &one, Outcome::Ok);
    // A second seal of the same run, appended by the log itself: its hashes are right, its meaning is not.
    let bytes = log.store().get(Tree::Records, &sealed.provenance.sequence.to_be_bytes()).expect("reads").expect("a seal");
    let text = String::from_utf8(bytes).expect("JSON").replacen("{\"v\":1,\"sequence\":1,", "{", 1);
    let permit = log.store().try_reserve().expect("room");
    let (_, commit) = log.enqueue(permit, text.as_bytes(), Batched, |_| Ok(Batch::new())).expect("handed over");
    crate::store::wait(commit).expect("stored");
    let fault = verify(log.store()).expect("reads").fault.expect("found");
    assert_eq!(fault.sequence, 2);
    assert!(fault.what.contains("which has no open intent"), "{}", fault.what);
}

#[test]
fn an_empty_log_verifies_and_a_growing_one_does_while_it_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.holds(), verdict.complete_ratio()), (0, true, 1.0));
    assert_eq!(verdict.root.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..200 {
                intend(&log, &intent(RunId::now())).disown();
            }
        });
        while !writer.is_finished() {
            let verdict = verify(log.store()).expect("reads");
            assert_eq!(verdict.fault, None);
        }
    });
    assert_eq!(verify(log.store()).expect("reads").open, 200);
}
