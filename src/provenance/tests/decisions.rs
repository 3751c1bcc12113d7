//! The decision log: entries, pages, cursors.

use super::house::open_log;
use crate::model::{Action, Ask, Decided, DecisionEntry, DecisionId, Digest, Door, Durability, Labels, Principal, Resource, Rule, Verdict};
use crate::provenance::{
    DECISION_BYTES_MAX, DECISIONS_PAGE_BYTES_MAX, DECISIONS_PAGE_MAX, Log, ProvenanceError, decision, decision_change, decisions,
};
use crate::store::{Batch, wait};

/// The id of the `n`th decision of a millisecond.
fn id_at(ms: u64, n: u8) -> DecisionId {
    uuid::Builder::from_unix_timestamp_millis(ms, &[n; 10]).into_uuid().try_into().expect("a UUIDv7")
}

fn entry(id: DecisionId) -> DecisionEntry {
    let principal = Principal::local();
    let labels = Labels { id: "s".to_owned(), version: "0".to_owned() };
    DecisionEntry::of(&Decided {
        id,
        ask: &Ask { principal: &principal, action: Action::MoveAlias, resource: Resource::Server, listener: Door::Operator },
        request: &serde_json::Map::new(),
        verdict: &Verdict { allowed: true, policies: vec!["run-the-machine".to_owned()], errors: Vec::new() },
        rule: Rule::Granted,
        reason: "the role may",
        revision: Digest::of(b"policies"),
        labels: &labels,
        traceparent: None,
    })
}

/// An entry of exactly `bytes` bytes of JSON.
fn entry_of(id: DecisionId, bytes: usize) -> DecisionEntry {
    let mut entry = entry(id);
    entry.result.reason = String::new();
    let rest = bytes - serde_json::to_vec(&entry).expect("JSON").len();
    entry.result.reason = "x".repeat(rest);
    entry
}

fn store_all(log: &Log, entries: impl Iterator<Item = DecisionEntry>) {
    let all = entries.fold(Batch::new(), |batch, entry| batch.then(decision_change(&entry).expect("small")));
    wait(log.store().commit(all, Durability::Batched)).expect("stored");
}

fn ids(log: &Log, since_ms: Option<u64>, until_ms: Option<u64>) -> Vec<DecisionId> {
    let page = decisions(log.store(), since_ms, until_ms, None, DECISIONS_PAGE_MAX).expect("lists");
    page.decisions.into_iter().map(|entry| entry.decision_id).collect()
}

#[test]
fn a_decision_survives_reopening_of_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let (alone, beside) = (entry(DecisionId::now()), entry(DecisionId::now()));
    let log = open_log(folder.path());
    wait(log.decision(&alone, Durability::Strict)).expect("stored");
    store_all(&log, std::iter::once(beside.clone()));
    log.store().close().expect("closes");
    drop(log);
    let log = open_log(folder.path());
    for stored in [alone, beside] {
        assert_eq!(decision(log.store(), stored.decision_id), Ok(Some(stored)));
    }
    assert_eq!(decision(log.store(), DecisionId::now()), Ok(None));
}

#[test]
fn decisions_are_listed_newest_first_from_since_until_before_until() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let all = [id_at(3000, 1), id_at(2000, 2), id_at(2000, 1), id_at(1000, 1)];
    store_all(&log, all.into_iter().map(entry));
    assert_eq!(ids(&log, None, None), all);
    assert_eq!(ids(&log, Some(1000), Some(3001)), all);
    assert_eq!(ids(&log, Some(1001), Some(3000)), all[1..3]);
    assert_eq!(ids(&log, Some(2000), None), all[..3]);
    assert_eq!(ids(&log, None, Some(2000)), all[3..]);
    for (since, until) in [(Some(u64::MAX), None), (None, Some(0)), (Some(3000), Some(1000)), (Some(2001), Some(2001))] {
        assert_eq!(ids(&log, since, until), [], "{since:?} {until:?}");
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat_while_decisions_are_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let mut expected: Vec<DecisionId> = (0..250).map(|ms| id_at(ms, 1)).collect();
    store_all(&log, expected.iter().copied().map(entry));
    expected.reverse();
    let (mut seen, mut cursor) = (Vec::new(), None);
    for page_number in 0u64.. {
        let page = decisions(log.store(), None, None, cursor.as_deref(), 40).expect("lists");
        assert!(page.decisions.len() <= 40);
        seen.extend(page.decisions.into_iter().map(|entry| entry.decision_id));
        store_all(&log, std::iter::once(entry(id_at(10_000 + page_number, 1))));
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_page_has_as_many_decisions_as_allowed_and_never_one_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let most = u64::try_from(DECISIONS_PAGE_MAX).expect("small");
    store_all(&log, (0..=most).map(|ms| entry(id_at(ms, 1))));
    for (limit, told) in [(0, 1), (1, 1), (DECISIONS_PAGE_MAX, DECISIONS_PAGE_MAX), (DECISIONS_PAGE_MAX + 1, DECISIONS_PAGE_MAX)] {
        let page = decisions(log.store(), None, None, None, limit).expect("lists");
        assert_eq!((page.decisions.len(), page.cursor.is_some()), (told, true), "{limit}");
    }
}

#[test]
fn a_page_ends_with_the_decision_that_reaches_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let each = DECISIONS_PAGE_BYTES_MAX / 16;
    for ms in 0..20 {
        store_all(&log, std::iter::once(entry_of(id_at(ms, 1), each)));
    }
    let first = decisions(log.store(), None, None, None, DECISIONS_PAGE_MAX).expect("lists");
    assert_eq!((first.decisions.len(), first.cursor.is_some()), (16, true));
    let rest = decisions(log.store(), None, None, first.cursor.as_deref(), DECISIONS_PAGE_MAX).expect("lists");
    assert_eq!((rest.decisions.len(), rest.cursor), (4, None));
    // One byte less of one entry, and the page takes one more.
    store_all(&log, std::iter::once(entry_of(id_at(19, 1), each - 1)));
    let longer = decisions(log.store(), None, None, None, DECISIONS_PAGE_MAX).expect("lists");
    assert_eq!(longer.decisions.len(), 17);
}

#[test]
fn an_entry_at_its_bound_is_stored_and_one_byte_more_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let largest = entry_of(id_at(1, 1), DECISION_BYTES_MAX);
    wait(log.decision(&largest, Durability::Batched)).expect("stored");
    let larger = wait(log.decision(&entry_of(id_at(2, 1), DECISION_BYTES_MAX + 1), Durability::Batched));
    assert_eq!(larger, Err(ProvenanceError::TooLarge { bytes: DECISION_BYTES_MAX + 1, most: DECISION_BYTES_MAX }));
    assert_eq!(ids(&log, None, None), [largest.decision_id]);
}

#[test]
fn a_cursor_that_no_page_gave_out_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    for wrong in ["x", "AAAA", "not base64!", &"A".repeat(100)] {
        assert_eq!(decisions(log.store(), None, None, Some(wrong), 10), Err(ProvenanceError::Cursor), "{wrong}");
    }
}
