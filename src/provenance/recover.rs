//! Sealing what an earlier server left open.

use super::ProvenanceError;
use super::intended::{Intended, stand_in};
use super::log::{Appended, Log, Place};
use super::read::record_at;
use super::record::{Record, ServerEvent, ServerEventKind};
use crate::model::{Durability, RunId};
use crate::store::{Batch, Range, Tree, wait};

/// Open intents read at once.
const PAGE: usize = 256;

/// Seals every open intent as `internalError`, cause `recovered`, and records that; on disk when it returns.
pub(super) fn seal_open_intents(log: &Log) -> Result<Vec<RunId>, ProvenanceError> {
    let mut recovered = Vec::new();
    loop {
        // Sealing takes the intent out of the tree, so each page is the first.
        let page = log.store().range(Tree::OpenIntents, &Range::first(PAGE))?;
        if page.is_empty() {
            break;
        }
        for (run, sequence) in page {
            recovered.push(seal(log, &run, &sequence, "recovered")?);
        }
    }
    if !recovered.is_empty() {
        let runs = Some(recovered.len() as u64);
        wait(log.server(ServerEvent { event: ServerEventKind::Recovered, build: None, runs }, Durability::Strict))?;
    }
    Ok(recovered)
}

/// Seals the open intent of `run` at `sequence` as `internalError` with `cause`.
pub(super) fn seal(log: &Log, run: &[u8], sequence: &[u8], cause: &str) -> Result<RunId, ProvenanceError> {
    let number = sequence.try_into().map(u64::from_be_bytes);
    let sequence = number.map_err(|_| ProvenanceError::Damaged { sequence: 0, what: "an open intent has no sequence".to_owned() })?;
    let damaged = |what: &str| ProvenanceError::Damaged { sequence, what: what.to_owned() };
    let (stored, leaf) = record_at(log.store(), sequence)?.ok_or_else(|| damaged("an open intent has no record"))?;
    let Record::Intent(intent) = stored.record else { return Err(damaged("an open intent is no intent")) };
    if intent.run.0.as_bytes() != run {
        return Err(damaged("an open intent is of another run"));
    }
    let run = intent.run;
    let report = stand_in(&intent, "Recovered", "the server could not record this run's end when it ended");
    let place = Place { appended: Appended { sequence, leaf }, generation: log.store().generation() };
    let intended = Intended::new(log.clone(), *intent, place, stored.at_ms, log.tally().begin(run));
    match wait(intended.seal(report, Some(cause), Batch::new(), Durability::Batched)) {
        Ok(_) => Ok(run),
        Err(unsealed) => {
            let unsealed = *unsealed;
            unsealed.intended.disown();
            Err(unsealed.error)
        }
    }
}
