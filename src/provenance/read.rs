//! Reading runs and records. Free functions over the store, so that they work without a log open for writing.

use super::ProvenanceError;
use super::merkle::leaf;
use super::record::{Intent, Record, Stored};
use super::rows::RunRow;
use crate::model::{Digest, Outcome, RunId, RunReport, Tier};
use crate::store::{Range, Store, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Most runs of a page.
pub const PAGE_RUNS_MAX: usize = 1000;
/// Most rows that one page looks at: a filter that matches little gives short or empty pages with a cursor.
pub const PAGE_SCAN_MAX: usize = 10_000;
/// Rows read from the store at once.
const CHUNK: usize = 256;

/// Which runs to list. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this artifact.
    pub artifact: Option<Digest>,
    /// Of this agent, as claimed.
    pub agent: Option<String>,
    /// Of this prompt, as claimed.
    pub prompt_id: Option<String>,
    /// That ended so. Runs that go on match no outcome.
    pub outcome: Option<Outcome>,
    /// At this tier.
    pub tier: Option<Tier>,
    /// Of the principal with this id.
    pub principal: Option<String>,
    /// That got their id at this time or later, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// That got their id before this time, in milliseconds since 1970.
    pub until_ms: Option<u64>,
}

/// A page of a list, newest run first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The runs; those that go on are among them, without an outcome.
    pub runs: Vec<RunRow>,
    /// Where the next page starts; `None` after the last one. Runs that start later do not disturb it.
    pub cursor: Option<String>,
}

/// The report of a run that ended, with its `provenance`.
pub fn report(store: &Store, run: RunId) -> Result<Option<RunReport>, ProvenanceError> {
    let Some(json) = store.get(Tree::Runs, run.0.as_bytes())? else { return Ok(None) };
    let damaged = |error: serde_json::Error| ProvenanceError::Damaged { sequence: 0, what: format!("the report of run {run}: {error}") };
    let mut report: RunReport = serde_json::from_slice(&json).map_err(damaged)?;
    report.provenance = row(store, run)?.and_then(|row| row.provenance);
    Ok(Some(report))
}

/// The row of a run, ended or not.
pub fn row(store: &Store, run: RunId) -> Result<Option<RunRow>, ProvenanceError> {
    store.get(Tree::RunRows, run.0.as_bytes())?.map(|json| parse_row(&json)).transpose()
}

/// The intent of a run, ended or not.
pub fn intent_of(store: &Store, run: RunId) -> Result<Option<Intent>, ProvenanceError> {
    let Some(row) = row(store, run)? else { return Ok(None) };
    let sequence = row.intent_sequence;
    match record_at(store, sequence)?.map(|(stored, _)| stored.record) {
        Some(Record::Intent(intent)) if intent.run == run => Ok(Some(*intent)),
        _ => Err(ProvenanceError::Damaged { sequence, what: format!("it should be the intent of run {run}") }),
    }
}

/// The record at `sequence` and its leaf hash; `None` past the end of the log.
pub fn record_at(store: &Store, sequence: u64) -> Result<Option<(Stored, Digest)>, ProvenanceError> {
    let Some(bytes) = store.get(Tree::Records, &sequence.to_be_bytes())? else { return Ok(None) };
    let stored = serde_json::from_slice(&bytes).map_err(|error| ProvenanceError::Damaged { sequence, what: error.to_string() })?;
    Ok(Some((stored, leaf(&bytes).0.into())))
}

/// A page of at most `limit` runs (1 to [`PAGE_RUNS_MAX`]; beyond, the nearest), from `cursor` on.
///
/// Errors: [`ProvenanceError::Cursor`], [`ProvenanceError::Store`].
pub fn list(store: &Store, filter: &RunFilter, cursor: Option<&str>, limit: usize) -> Result<Page, ProvenanceError> {
    let limit = limit.clamp(1, PAGE_RUNS_MAX);
    let from = filter.since_ms.map_or([0; 16], first_key_at);
    let mut to = match cursor {
        Some(cursor) => Some(read_cursor(cursor)?),
        None => filter.until_ms.map(first_key_at),
    };
    let mut runs = Vec::new();
    let mut scanned = 0;
    loop {
        let range = Range::last(CHUNK).from(from);
        let chunk = store.range(Tree::RunRows, &to.map_or(range.clone(), |to| range.before(to)))?;
        let more = chunk.len() == CHUNK;
        for (key, json) in chunk {
            let key: [u8; 16] =
                key.try_into().map_err(|_| ProvenanceError::Damaged { sequence: 0, what: "a run's key is no run id".to_owned() })?;
            let row = parse_row(&json)?;
            (to, scanned) = (Some(key), scanned + 1);
            if filter.matches(&row) {
                runs.push(row);
            }
            if runs.len() == limit || scanned == PAGE_SCAN_MAX {
                return Ok(Page { runs, cursor: Some(URL_SAFE_NO_PAD.encode(key)) });
            }
        }
        if !more {
            return Ok(Page { runs, cursor: None });
        }
    }
}

impl RunFilter {
    fn matches(&self, row: &RunRow) -> bool {
        self.artifact.is_none_or(|artifact| row.artifact == artifact)
            && self.agent.as_ref().is_none_or(|agent| row.agent.as_ref() == Some(agent))
            && self.prompt_id.as_ref().is_none_or(|prompt| row.prompt_id.as_ref() == Some(prompt))
            && self.outcome.is_none_or(|outcome| row.outcome == Some(outcome))
            && self.tier.is_none_or(|tier| row.tier == tier)
            && self.principal.as_ref().is_none_or(|principal| row.principal.id == *principal)
    }
}

fn parse_row(json: &[u8]) -> Result<RunRow, ProvenanceError> {
    serde_json::from_slice(json).map_err(|error| ProvenanceError::Damaged { sequence: 0, what: format!("the row of a run: {error}") })
}

pub(super) fn read_cursor(cursor: &str) -> Result<[u8; 16], ProvenanceError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ProvenanceError::Cursor)?;
    bytes.try_into().map_err(|_| ProvenanceError::Cursor)
}

/// The smallest UUIDv7 of a millisecond: its first 48 bits are the time.
pub(super) fn first_key_at(ms: u64) -> [u8; 16] {
    const LATEST_MS: u64 = (1 << 48) - 1;
    (u128::from(ms.min(LATEST_MS)) << 80).to_be_bytes()
}
