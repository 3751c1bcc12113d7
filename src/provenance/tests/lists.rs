//! Lists of runs: filters, pages, cursors.

use super::house::{intend, intent, open_log, run};
use crate::model::{Digest, Origin, Outcome, Principal, Role, RunId, Tier};
use crate::provenance::{Intent, Log, PAGE_RUNS_MAX, ProvenanceError, RunFilter, list};

/// A run id of a given millisecond.
fn id_at(ms: u64, salt: u8) -> RunId {
    RunId(uuid::Builder::from_unix_timestamp_millis(ms, &[salt; 10]).into_uuid())
}

fn listed(log: &Log, filter: &RunFilter) -> Vec<RunId> {
    list(log.store(), filter, None, PAGE_RUNS_MAX).expect("lists").runs.into_iter().map(|row| row.run).collect()
}

#[test]
fn each_filter_names_its_runs_and_all_together_narrow_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let plain = intent(id_at(1000, 1));
    let mut other = intent(id_at(2000, 1));
    other.artifact = Digest::of(b"other");
    other.origin = Origin { agent: Some("reader".into()), prompt_id: Some("p2".into()), ..Origin::default() };
    other.grant.tier = Tier::Validated;
    other.principal = Principal { id: "key:1".into(), name: "ci".into(), role: Role::Agent };
    run(&log, &plain, Outcome::Ok);
    run(&log, &other, Outcome::ExceededCpu);
    let going_on = intent(id_at(3000, 1));
    let open = intend(&log, &going_on);
    let all = RunFilter::default();
    assert_eq!(listed(&log, &all), [going_on.run, other.run, plain.run]);
    for filter in [
        RunFilter { artifact: Some(other.artifact), ..all.clone() },
        RunFilter { agent: Some("reader".into()), ..all.clone() },
        RunFilter { prompt_id: Some("p2".into()), ..all.clone() },
        RunFilter { outcome: Some(Outcome::ExceededCpu), ..all.clone() },
        RunFilter { tier: Some(Tier::Validated), ..all.clone() },
        RunFilter { principal: Some("key:1".into()), ..all.clone() },
        RunFilter { since_ms: Some(2000), until_ms: Some(3000), ..all.clone() },
        RunFilter { since_ms: Some(1001), until_ms: Some(2001), tier: Some(Tier::Validated), ..all.clone() },
    ] {
        assert_eq!(listed(&log, &filter), [other.run], "{filter:?}");
        assert_eq!(listed(&log, &RunFilter { agent: Some("nobody".into()), ..filter }), []);
    }
    assert_eq!(listed(&log, &RunFilter { outcome: Some(Outcome::Ok), ..all.clone() }), [plain.run]);
    assert_eq!(listed(&log, &RunFilter { since_ms: Some(u64::MAX), ..all.clone() }), []);
    assert_eq!(listed(&log, &RunFilter { since_ms: Some(2000), until_ms: Some(1000), ..all }), []);
    open.disown();
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat_while_new_runs_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let start = |ms: u64| -> Intent {
        let intent = intent(id_at(ms, 1));
        intend(&log, &intent).disown();
        intent
    };
    let mut expected: Vec<RunId> = (0..600).map(|ms| start(ms).run).collect();
    expected.reverse();
    let (mut seen, mut cursor) = (Vec::new(), None);
    for page_number in 0u64.. {
        let page = list(log.store(), &RunFilter::default(), cursor.as_deref(), 100).expect("lists");
        assert!(page.runs.len() <= 100);
        seen.extend(page.runs.into_iter().map(|row| row.run));
        start(10_000 + page_number);
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_cursor_that_no_page_gave_out_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    for wrong in ["x", "AAAA", "not base64!", &"A".repeat(100)] {
        assert_eq!(list(log.store(), &RunFilter::default(), Some(wrong), 10), Err(ProvenanceError::Cursor), "{wrong}");
    }
}
