//! The decision log: what the policies were asked and answered. Beside the log of records, not part of its tree of hashes.

use super::ProvenanceError;
use super::log::{Log, form};
use super::read::{first_key_at, read_cursor};
use crate::model::{DecisionEntry, DecisionId, Durability};
use crate::store::{Batch, Pair, Range, Store, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest entry, in bytes. Source: an entry whose every text is at its cap and six bytes per character in JSON has under 400 KiB
/// (`the_texts_of_a_hostile_caller_make_no_entry_larger_than_its_bound`).
pub const DECISION_BYTES_MAX: usize = 400 << 10;
/// Most entries of a page.
pub const DECISIONS_PAGE_MAX: usize = 1000;
/// Bytes of stored entries after which a page ends, with the entry that reached them as its last.
pub const DECISIONS_PAGE_BYTES_MAX: usize = 4 << 20;
/// Entries read from the store at once. Source: at most 6 MiB of the longest.
const CHUNK: usize = 16;

/// A page of the decision log, newest decision first.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionPage {
    /// The entries.
    pub decisions: Vec<DecisionEntry>,
    /// Where the next page starts; `None` after the last one. Later decisions do not disturb it.
    pub cursor: Option<String>,
}

/// What stores `entry`, for a batch of what it decided.
///
/// Errors: [`ProvenanceError::TooLarge`] for an entry that was not made by [`DecisionEntry::of`], [`ProvenanceError::Form`].
pub fn decision_change(entry: &DecisionEntry) -> Result<Batch, ProvenanceError> {
    let json = serde_json::to_vec(entry).map_err(form)?;
    if json.len() > DECISION_BYTES_MAX {
        return Err(ProvenanceError::TooLarge { bytes: json.len(), most: DECISION_BYTES_MAX });
    }
    Ok(Batch::new().put(Tree::Decisions, *entry.decision_id.as_bytes(), json))
}

impl Log {
    /// Stores `entry` by itself, for decisions after which nothing else is stored; returns when `durability` is reached.
    ///
    /// Errors: those of [`decision_change`], and [`ProvenanceError::Store`]: then what was decided must not be done.
    pub async fn decision(&self, entry: &DecisionEntry, durability: Durability) -> Result<(), ProvenanceError> {
        Ok(self.store().commit(decision_change(entry)?, durability).await?)
    }
}

/// The entry of a decision; `None` when there is none of this id.
///
/// Errors: [`ProvenanceError::Store`], [`ProvenanceError::Damaged`].
pub fn decision(store: &Store, id: DecisionId) -> Result<Option<DecisionEntry>, ProvenanceError> {
    store.get(Tree::Decisions, id.as_bytes())?.map(|json| parse(&json)).transpose()
}

/// A page of at most `limit` decisions (1 to [`DECISIONS_PAGE_MAX`]; beyond, the nearest) that were made at `since_ms` or later and before
/// `until_ms`, both in milliseconds since 1970, from `cursor` on.
///
/// Errors: [`ProvenanceError::Cursor`], [`ProvenanceError::Store`], [`ProvenanceError::Damaged`].
pub fn decisions(
    store: &Store,
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<DecisionPage, ProvenanceError> {
    let limit = limit.clamp(1, DECISIONS_PAGE_MAX);
    let from = since_ms.map_or([0; 16], first_key_at);
    let mut to = match cursor {
        Some(cursor) => Some(read_cursor(cursor)?),
        None => until_ms.map(first_key_at),
    };
    let (mut found, mut bytes) = (Vec::new(), 0);
    loop {
        let chunk = before(store, from, to)?;
        let more = chunk.len() == CHUNK;
        for (key, json) in chunk {
            let key: [u8; 16] = key.try_into().map_err(|_| damaged("a decision's key is no id"))?;
            found.push(parse(&json)?);
            (to, bytes) = (Some(key), bytes + json.len());
            if found.len() == limit || bytes >= DECISIONS_PAGE_BYTES_MAX {
                return Ok(DecisionPage { decisions: found, cursor: Some(URL_SAFE_NO_PAD.encode(key)) });
            }
        }
        if !more {
            return Ok(DecisionPage { decisions: found, cursor: None });
        }
    }
}

/// The last entries from `from` on and before `to`.
fn before(store: &Store, from: [u8; 16], to: Option<[u8; 16]>) -> Result<Vec<Pair>, ProvenanceError> {
    let range = Range::last(CHUNK).from(from);
    Ok(store.range(Tree::Decisions, &to.map_or(range.clone(), |to| range.before(to)))?)
}

fn parse(json: &[u8]) -> Result<DecisionEntry, ProvenanceError> {
    serde_json::from_slice(json).map_err(|error| damaged(&format!("the entry of a decision: {error}")))
}

fn damaged(what: &str) -> ProvenanceError {
    ProvenanceError::Damaged { sequence: 0, what: what.to_owned() }
}
