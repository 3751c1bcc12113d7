//! Grants with many rules: short in records, kept once, found again.

use super::house::{intend, intent, open_log, report, run};
use crate::model::{Digest, Durability};
use crate::model::{
    EgressEntry, EgressGrant, EgressMode, EgressRecord, EgressRule, EgressTerms, HostPattern, Identity, Outcome, RunId, RunReport,
};
use crate::provenance::{Intent, Log, Record, egress_of, intent_of, record_at, verify};
use crate::store::{Batch, Tree, wait};
use std::sync::Arc;

fn many(rules: usize) -> EgressTerms {
    let rule = |number: usize| EgressRule::sample(HostPattern::Name(format!("h{number}.example")));
    EgressGrant { mode: EgressMode::Allowlist, rules: (0..rules).map(rule).collect(), ..EgressGrant::default() }.into()
}

/// The intent of a run under `terms`.
fn under(terms: &EgressTerms) -> Intent {
    let mut intent = intent(RunId::now());
    intent.grant.egress = terms.record().clone();
    intent.identity = Identity::of(intent.artifact, &intent.grant, Digest::of(b"build"));
    intent
}

fn key(terms: &EgressTerms) -> [u8; 32] {
    *Digest::of(&terms.text()).as_bytes()
}

fn kept(log: &Log) -> usize {
    log.store().range(Tree::EgressGrants, &crate::store::Range::first(10)).expect("reads").len()
}

#[test]
fn a_run_under_10_000_rules_has_a_short_record_from_which_they_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let terms = many(EgressGrant::RULES_MAX);
    for _ in 0..2 {
        wait(log.keep_egress(&terms)).expect("kept");
    }
    wait(log.keep_egress(&many(1))).expect("nothing to keep");
    assert_eq!(kept(&log), 1);
    let intents = [under(&terms), under(&terms)];
    assert_eq!(intents[0].identity, intents[1].identity);
    assert_ne!(intents[0].identity, under(&many(9_999)).identity, "other rules are another identity");
    for intent in &intents {
        run(&log, intent, Outcome::Ok);
    }
    let (_, json) = log.store().last(Tree::Records).expect("reads").expect("a record");
    assert!(json.len() < 2000, "{}", json.len());
    let bytes = log.store().get(Tree::Records, &0u64.to_be_bytes()).expect("reads").expect("a record");
    assert!(bytes.len() < 2000, "{}", bytes.len());
    assert!(record_at(log.store(), 0).is_ok_and(|record| record.is_some()));
    let read = intent_of(log.store(), intents[0].run).expect("reads").expect("an intent");
    assert_eq!(read, intents[0]);
    let granted = egress_of(log.store(), &read.grant.egress).expect("reads").expect("kept");
    assert_eq!(*granted, *terms);
    assert!(verify(log.store()).expect("reads").holds());
}

#[test]
fn a_short_grant_is_found_in_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let terms = many(2);
    assert_eq!(egress_of(log.store(), terms.record()), Ok(Some(Arc::new((*terms).clone()))));
    assert!(matches!(terms.record(), EgressRecord::Whole(_)));
}

#[test]
fn a_grant_that_is_gone_or_another_is_found_out_at_the_first_record_that_names_it() {
    let terms = many(100);
    for (change, what) in [
        (Batch::new().delete(Tree::EgressGrants, key(&terms)), "is missing"),
        (Batch::new().put(Tree::EgressGrants, key(&terms), many(99).text()), "is another text"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = open_log(folder.path());
        wait(log.keep_egress(&terms)).expect("kept");
        run(&log, &intent(RunId::now()), Outcome::Ok);
        run(&log, &under(&terms), Outcome::Ok);
        log.store().commit_blocking(change, Durability::Batched).expect("stored");
        let fault = verify(log.store()).expect("reads").fault.expect("a fault");
        assert!(fault.sequence == 2 && fault.what.ends_with(what), "{fault:?}");
        assert!(egress_of(log.store(), terms.record()).is_ok_and(|grant| grant.is_none()) == (what == "is missing"));
        // The next start mends it: the profile has the text.
        wait(log.keep_egress(&terms)).expect("kept again");
        assert!(verify(log.store()).expect("reads").holds());
    }
}

#[test]
fn a_seal_keeps_what_a_rule_on_trial_let_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_log(folder.path());
    let intent = intent(RunId::now());
    let row = |would_deny| EgressEntry { method: "GET".to_owned(), would_deny, ..EgressEntry::default() };
    let report = RunReport { egress: vec![row(true), row(false)], ..report(&intent, Outcome::Ok) };
    let sealed = wait(intend(&log, &intent).seal(report, None, Batch::new(), Durability::Batched)).expect("sealed");
    let (stored, _) = record_at(log.store(), sealed.provenance.sequence).expect("reads").expect("a record");
    let Record::Seal(seal) = stored.record else { panic!("a seal") };
    assert_eq!(seal.egress.iter().map(|row| row.would_deny).collect::<Vec<_>>(), [true, false]);
}
