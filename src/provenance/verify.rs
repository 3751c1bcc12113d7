//! Checking the whole log from the records' bytes alone.

use super::ProvenanceError;
use super::merkle::{Frontier, leaf, read_hash};
use super::record::{RECORD_VERSION, Record, Seal, Stored};
use crate::model::{Digest, EgressRecord, RunId};
use crate::store::{Range, Store, Tree};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use tlog_tiles::tlog::stored_hash_count;

/// Records read at once.
const PAGE: usize = 256;
/// Open runs that a verdict names.
const OPEN_NAMED_MAX: usize = 20;

/// What a check of the log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Records checked.
    pub records: u64,
    /// Intents among them.
    pub intents: u64,
    /// Seals among them.
    pub seals: u64,
    /// Refusals among them.
    pub refusals: u64,
    /// Reports that fit their seals.
    pub reports: u64,
    /// Seals whose report is not stored any more.
    pub reports_gone: u64,
    /// Intents without a seal. On a running server: the runs that go on. In a folder: what the next start will seal.
    pub open: u64,
    /// The first of them.
    pub open_runs: Vec<RunId>,
    /// Root of the tree over the records that were checked.
    pub root: Digest,
    /// The first thing that is wrong; checking stops there.
    pub fault: Option<Fault>,
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The record.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: String,
}

impl Verdict {
    /// True when nothing is wrong. Open runs are for the caller to judge.
    pub fn holds(&self) -> bool {
        self.fault.is_none()
    }

    /// Intents that have their seal, as a share of all: 1 when there is none.
    pub fn complete_ratio(&self) -> f64 {
        if self.intents == 0 { 1.0 } else { 1.0 - self.open as f64 / self.intents as f64 }
    }
}

/// Recomputes the tree from the stored bytes and compares every stored hash with it; checks that the sequence has no gap, that every seal
/// belongs to one intent and no intent has two, that every stored report is the one its seal speaks of, and that every egress grant that is told
/// by its digest is stored.
///
/// It reads a page at a time; besides that it remembers only the runs that are open at each point of the log, and the digests of grants. Records that are added
/// meanwhile are not looked at. Errors: [`ProvenanceError::Store`] when the store cannot be read; what is wrong with the log is no
/// error but in the verdict.
pub fn verify(store: &Store) -> Result<Verdict, ProvenanceError> {
    let size = match store.last(Tree::Records)? {
        None => 0,
        Some((key, _)) => key.try_into().map_or(u64::MAX, |key| u64::from_be_bytes(key).saturating_add(1)),
    };
    let mut check = Check::new(store);
    while check.fault.is_none() && check.tree.size() < size {
        let next = check.tree.size();
        let page = store.range(Tree::Records, &Range::first(PAGE).from(next.to_be_bytes()).before(size.to_be_bytes()))?;
        if page.is_empty() {
            check.fail(next, "it is missing");
        }
        for (key, bytes) in page {
            check.record(&key, &bytes)?;
            if check.fault.is_some() {
                break;
            }
        }
    }
    check.finish()
}

/// A check on its way.
struct Check<'a> {
    store: &'a Store,
    tree: Frontier,
    open: HashMap<RunId, u64>,
    grants: HashSet<Digest>,
    intents: u64,
    seals: u64,
    refusals: u64,
    reports: u64,
    reports_gone: u64,
    fault: Option<Fault>,
}

impl<'a> Check<'a> {
    fn new(store: &'a Store) -> Self {
        let (tree, open, grants) = (Frontier::default(), HashMap::new(), HashSet::new());
        Self { store, tree, open, grants, intents: 0, seals: 0, refusals: 0, reports: 0, reports_gone: 0, fault: None }
    }

    fn fail(&mut self, sequence: u64, what: impl Into<String>) {
        self.fault.get_or_insert(Fault { sequence, what: what.into() });
    }

    fn record(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), ProvenanceError> {
        let sequence = self.tree.size();
        if key != sequence.to_be_bytes() {
            self.fail(sequence, "it is missing");
            return Ok(());
        }
        let hashes = self.tree.next(leaf(bytes))?;
        for (index, hash) in &hashes {
            match read_hash(self.store, *index)? {
                Some(stored) if stored == *hash => {}
                Some(_) => self.fail(sequence, "its bytes do not give the hash that was stored with it"),
                None => self.fail(sequence, "a hash that was stored with it is missing"),
            }
        }
        if self.fault.is_some() {
            return Ok(());
        }
        self.tree.push(&hashes);
        match serde_json::from_slice::<Stored>(bytes) {
            Err(error) => self.fail(sequence, format!("it is no record: {error}")),
            Ok(stored) if stored.v != RECORD_VERSION => self.fail(sequence, format!("its form is of version {}", stored.v)),
            Ok(stored) if stored.sequence != sequence => self.fail(sequence, format!("it calls itself record {}", stored.sequence)),
            Ok(stored) => self.meaning(sequence, stored.record)?,
        }
        Ok(())
    }

    fn meaning(&mut self, sequence: u64, record: Record) -> Result<(), ProvenanceError> {
        match record {
            Record::Intent(intent) => {
                self.intents += 1;
                self.granted(sequence, &intent.grant.egress)?;
                if self.open.insert(intent.run, sequence).is_some() {
                    self.fail(sequence, format!("run {} has an intent already", intent.run));
                }
            }
            Record::Seal(seal) => {
                self.seals += 1;
                self.seal(sequence, &seal)?;
            }
            Record::Refusal(_) => self.refusals += 1,
            Record::Server(_)
            | Record::Key(_)
            | Record::Artifact(_)
            | Record::Alias(_)
            | Record::Ladder(_)
            | Record::Review(_)
            | Record::Policy(_) => {}
        }
        Ok(())
    }

    /// What a record tells by digest must be there to be read. Each is looked at once: many records have the same.
    fn granted(&mut self, sequence: u64, egress: &EgressRecord) -> Result<(), ProvenanceError> {
        let EgressRecord::Digest(told) = egress else { return Ok(()) };
        if self.grants.contains(&told.digest) {
            return Ok(());
        }
        match self.store.get(Tree::EgressGrants, told.digest.as_bytes())? {
            None => self.fail(sequence, format!("the egress grant {} that it names is missing", told.digest)),
            Some(text) if Digest::of(&text) == told.digest => _ = self.grants.insert(told.digest),
            Some(_) => self.fail(sequence, format!("the egress grant {} that it names is another text", told.digest)),
        }
        Ok(())
    }

    fn seal(&mut self, sequence: u64, seal: &Seal) -> Result<(), ProvenanceError> {
        match self.open.remove(&seal.run) {
            Some(intent) if intent == seal.intent_sequence => {}
            Some(intent) => self.fail(sequence, format!("it names intent {}, its run's is {intent}", seal.intent_sequence)),
            None => self.fail(sequence, format!("it seals run {}, which has no open intent", seal.run)),
        }
        match self.store.get(Tree::Runs, seal.run.0.as_bytes())? {
            None => self.reports_gone += 1,
            Some(report) if Digest::of(&report) == seal.report_digest => self.reports += 1,
            Some(_) => self.fail(sequence, format!("the report of run {} is not the one it sealed", seal.run)),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Verdict, ProvenanceError> {
        let size = self.tree.size();
        if let Some((key, _)) = self.store.last(Tree::Hashes)?
            && self.fault.is_none()
        {
            // A live log may have grown meanwhile; hashes beyond its records' are what a lost tail leaves behind.
            let grown =
                self.store.last(Tree::Records)?.and_then(|(key, _)| key.try_into().ok()).map_or(0, |key| u64::from_be_bytes(key) + 1);
            if key.try_into().map_or(true, |key| u64::from_be_bytes(key) >= stored_hash_count(grown)) {
                self.fail(size, "it is missing, its hash is not");
            }
        }
        let mut open: Vec<_> = self.open.iter().map(|(run, sequence)| (*sequence, *run)).collect();
        open.sort_unstable();
        Ok(Verdict {
            records: size,
            intents: self.intents,
            seals: self.seals,
            refusals: self.refusals,
            reports: self.reports,
            reports_gone: self.reports_gone,
            open: open.len() as u64,
            open_runs: open.into_iter().take(OPEN_NAMED_MAX).map(|(_, run)| run).collect(),
            root: self.tree.root()?.0.into(),
            fault: self.fault,
        })
    }
}
