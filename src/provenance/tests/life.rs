//! Intents, seals, recovery, failing disks.

use super::house::{intend, intent, open_log, open_store, report, run};
use crate::model::Durability::{Batched, Strict};
use crate::model::{Denial, Digest, Outcome, Problem, ProblemCode, Role, RunId};
use crate::provenance::{
    Completeness, Intent, KeyEvent, KeyEventKind, Log, ProvenanceError, Record, Refusal, ServerEvent, ServerEventKind, intent_of,
    record_at, row, verify,
};
use crate::store::{Batch, Tree, wait};
use std::time::Instant;

#[test]
fn a_run_leaves_an_intent_a_seal_and_a_report_that_read_back_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let intent = intent(RunId::now());
    let intended = intend(&log, &intent);
    let listed = row(log.store(), intent.run).expect("reads").expect("a row");
    assert_eq!((listed.outcome, crate::provenance::report(log.store(), intent.run).expect("reads").is_none()), (None, true));
    let sealed = wait(intended.seal(report(&intent, Outcome::Ok), None, Batch::new(), Strict)).expect("sealed");
    assert_eq!((sealed.provenance.sequence, sealed.report.provenance), (1, Some(sealed.provenance)));
    drop(log);

    let (log, recovered) = Log::open(open_store(folder.path())).expect("opens");
    assert_eq!((recovered, log.size()), (vec![], 2));
    let stored = crate::provenance::report(log.store(), intent.run).expect("reads").expect("a report");
    assert_eq!(serde_json::to_string(&stored).ok(), serde_json::to_string(&sealed.report).ok());
    assert_eq!(intent_of(log.store(), intent.run), Ok(Some(intent.clone())));
    let (record, leaf) = record_at(log.store(), 1).expect("reads").expect("the seal");
    assert_eq!(leaf, sealed.provenance.digest);
    let Record::Seal(seal) = record.record else { panic!("no seal") };
    assert_eq!((seal.intent_sequence, seal.outcome, seal.result_digest), (0, Outcome::Ok, Digest::of(b"{\"b\": 1, \"a\": 2.50}")));
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.intents, verdict.seals, verdict.reports, verdict.open), (2, 1, 1, 1, 0));
    assert!(verdict.holds() && verdict.complete_ratio() == 1.0);
}

#[test]
fn every_kind_of_record_has_its_place_in_one_sequence() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let started = ServerEvent { event: ServerEventKind::Started, build: Some(Digest::of(b"build")), runs: None };
    let key = KeyEvent { event: KeyEventKind::Created, key: "k1".into(), name: "ci".into(), role: Role::Agent, by: "cli".into() };
    let problem = Problem::new(ProblemCode::Rejected, "x".repeat(5000), "mend it");
    let places = [
        wait(log.server(started, Batched)).expect("stored").sequence,
        wait(log.key(key, Batch::new().put(Tree::Keys, "k1", "hash"))).expect("stored").sequence,
        wait(log.refuse(Refusal::of(&problem, None, None), Batch::new(), Batched)).expect("stored").sequence,
        run(&log, &intent(RunId::now()), Outcome::Exception).provenance.sequence,
    ];
    assert_eq!(places, [0, 1, 2, 4]);
    assert_eq!(log.store().get(Tree::Keys, b"k1"), Ok(Some(b"hash".to_vec())));
    let Some((stored, _)) = record_at(log.store(), 2).expect("reads") else { panic!("no refusal") };
    assert!(matches!(stored.record, Record::Refusal(refusal) if refusal.detail.len() == 1000));
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.refusals, verdict.holds()), (5, 1, true));
}

#[test]
fn an_open_intent_that_nobody_conducts_is_missing_until_it_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    run(&log, &intent(RunId::now()), Outcome::Ok);
    let under_way = intend(&log, &intent(RunId::now()));
    let complete = |ended, missing| Ok(Completeness { ended, missing });
    assert_eq!(log.completeness(), complete(1, vec![]), "a run under way misses nothing");
    let lost = intent(RunId::now());
    // As if its seal could not be stored.
    intend(&log, &lost).disown();
    assert_eq!(log.completeness().map(|trace| trace.missing), Ok(vec![lost.run]));
    assert_eq!(log.seal_missing(), Ok(vec![lost.run]));
    assert_eq!(log.completeness().map(|trace| trace.missing), Ok(vec![]));
    let report = crate::provenance::report(log.store(), lost.run).expect("reads").expect("a report");
    assert_eq!(report.outcome, Outcome::InternalError);
    drop(under_way);
    let trace = log.completeness().expect("reads");
    assert_eq!((trace.ended, trace.missing), (3, vec![]), "one that is dropped seals itself");
    assert!(verify(log.store()).expect("reads").holds());
}

#[test]
fn open_intents_are_sealed_as_recovered_at_the_next_start_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let runs: Vec<Intent> = (0..300).map(|_| intent(RunId::now())).collect();
    let open: Vec<_> = runs.iter().map(|intent| intend(&log, intent)).collect();
    assert_eq!(verify(log.store()).expect("reads").open, 300);
    // As a killed process leaves it: nobody seals.
    open.into_iter().for_each(|intended| intended.disown());
    drop(log);
    let (log, mut recovered) = Log::open(open_store(folder.path())).expect("opens");
    recovered.sort_unstable();
    let mut expected: Vec<RunId> = runs.iter().map(|intent| intent.run).collect();
    expected.sort_unstable();
    assert_eq!(recovered, expected);
    let stored = crate::provenance::report(log.store(), runs[7].run).expect("reads").expect("a report");
    assert_eq!((stored.outcome, stored.error.map(|error| error.name)), (Outcome::InternalError, Some("Recovered".to_owned())));
    let (seal, _) = record_at(log.store(), stored.provenance.expect("sealed").sequence).expect("reads").expect("the seal");
    assert!(matches!(seal.record, Record::Seal(seal) if seal.cause.as_deref() == Some("recovered")));
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.seals, verdict.open, verdict.holds()), (601, 300, 0, true));
    drop(log);
    assert_eq!(Log::open(open_store(folder.path())).expect("opens").1, []);
}

#[test]
fn a_run_that_is_dropped_seals_itself_as_abandoned() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let intent = intent(RunId::now());
    drop(intend(&log, &intent));
    wait(log.store().sync()).expect("on disk");
    let stored = crate::provenance::report(log.store(), intent.run).expect("reads").expect("a report");
    assert_eq!((stored.outcome, stored.error.map(|error| error.name)), (Outcome::InternalError, Some("Abandoned".to_owned())));
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.seals, verdict.open, verdict.holds()), (1, 0, true));
}

#[tokio::test]
async fn a_caller_that_goes_away_at_any_await_leaves_every_intent_with_one_seal() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    for polls in 0..12usize {
        let intent = intent(RunId::now());
        let (task_log, task_intent) = (log.clone(), intent.clone());
        let mut work = Box::pin(async move {
            let intended = task_log.intend(task_intent.clone(), crate::store::Batch::new(), Strict).await.expect("stored");
            intended.seal(report(&task_intent, Outcome::Ok), None, Batch::new(), Strict).await.expect("sealed");
        });
        let mut done = false;
        for _ in 0..polls {
            done = done || futures_poll(work.as_mut()).await;
        }
        drop(work);
    }
    log.store().sync().await.expect("on disk");
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.open, verdict.intents, verdict.holds()), (0, verdict.seals, true), "{verdict:?}");
}

/// Polls once after letting the store's threads work; true when it is done.
async fn futures_poll(work: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    tokio::time::timeout(std::time::Duration::from_micros(300), work).await.is_ok()
}

#[test]
fn a_run_id_is_intended_once_and_a_report_must_be_of_its_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let (one, two) = (intent(RunId::now()), intent(RunId::now()));
    let intended = intend(&log, &one);
    let again = wait(log.intend(one.clone(), crate::store::Batch::new(), Batched)).err();
    assert_eq!(again, Some(ProvenanceError::RunKnown(one.run)));
    let unsealed = wait(intended.seal(report(&two, Outcome::Ok), None, Batch::new(), Batched)).expect_err("it is of another run");
    assert_eq!(unsealed.error, ProvenanceError::Mismatch { run: one.run, field: "run" });
    let mut wider = report(&one, Outcome::Ok);
    wider.tier = crate::model::Tier::Production;
    let unsealed = wait(unsealed.intended.seal(wider, None, Batch::new(), Batched)).expect_err("it is of another tier");
    assert_eq!(unsealed.error, ProvenanceError::Mismatch { run: one.run, field: "tier" });
    wait(unsealed.intended.seal(report(&one, Outcome::Ok), None, Batch::new(), Batched)).expect("sealed after all");
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.holds()), (2, true));
}

#[test]
fn a_hostile_report_is_sealed_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let intent = intent(RunId::now());
    let mut hostile = report(&intent, Outcome::Exception);
    (hostile.usage.start_ms, hostile.usage.wall_ms) = (f64::NAN, f64::INFINITY);
    let denial = Denial {
        capability: "egress".into(),
        target: "x".repeat(1000),
        rule: String::new(),
        reason: String::new(),
        remediation: String::new(),
    };
    hostile.denials = vec![denial; 2000];
    let sealed = wait(intend(&log, &intent).seal(hostile, None, Batch::new(), Batched)).expect("sealed");
    assert_eq!(sealed.report.usage.start_ms, 0.0);
    let (record, _) = record_at(log.store(), 1).expect("reads").expect("the seal");
    let Record::Seal(seal) = record.record else { panic!("no seal") };
    assert_eq!(seal.denials_total, 2000);
    assert!((1..2000).contains(&seal.denials.len()), "{}", seal.denials.len());
    let stored = crate::provenance::report(log.store(), intent.run).expect("reads").expect("a report");
    assert_eq!(stored.denials.len(), 2000);
    assert!(verify(log.store()).expect("reads").holds());
}

#[test]
fn a_record_at_the_limit_is_stored_and_a_longer_one_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let long = |bytes: usize| Intent { entrypoint: "x".repeat(bytes), ..intent(RunId::now()) };
    let room = crate::provenance::RECORD_BYTES_MAX - 100 - serde_json::to_vec(&long(0)).expect("JSON").len();
    intend(&log, &long(room)).disown();
    let refused = wait(log.intend(long(room + 200), crate::store::Batch::new(), Batched)).err();
    assert!(matches!(refused, Some(ProvenanceError::TooLarge { most, .. }) if most == crate::provenance::RECORD_BYTES_MAX));
}

#[test]
fn many_tasks_append_to_one_sequence_without_gaps() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(append_runs(log.clone(), 250))).collect();
        for task in tasks {
            task.await.expect("ends");
        }
    });
    println!("{:.0} records per second, batched, 8 tasks", 4000.0 / start.elapsed().as_secs_f64());
    let verdict = verify(log.store()).expect("reads");
    assert_eq!((verdict.records, verdict.seals, verdict.open, verdict.holds()), (4000, 2000, 0, true));
}

async fn append_runs(log: Log, runs: usize) {
    for _ in 0..runs {
        let intent = intent(RunId::now());
        let intended = log.intend(intent.clone(), crate::store::Batch::new(), Batched).await.expect("stored");
        intended.seal(report(&intent, Outcome::Ok), None, Batch::new(), Batched).await.expect("sealed");
    }
}
