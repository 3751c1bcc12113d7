//! A run between its intent and its seal.
//!
//! INVARIANT (intent before seal, one seal): the only way to a seal is an [`Intended`], which only an intent in the log gives, and sealing
//! consumes it. One that is dropped unsealed (its task panicked or was cancelled) seals itself as `internalError`, cause `abandoned`.

use super::ProvenanceError;
use super::complete::UnderWay;
use super::log::{Appended, Log, Place, draft, form, now_ms};
use super::record::{Intent, Record, Seal};
use super::rows::RunRow;
use crate::model::{Durability, GuestError, Outcome, ProvenanceRef, RunReport, Usage};
use crate::store::{Batch, Commit, Permit, StoreError, Tree};
use serde_json::value::RawValue;

/// A run whose intent is in the log.
#[must_use = "a run that has an intent must be sealed"]
pub struct Intended {
    /// `None` once its seal was handed to the store.
    open: Option<Box<Open>>,
}

/// What sealing needs.
struct Open {
    log: Log,
    intent: Intent,
    place: Place,
    started_ms: u64,
    under_way: UnderWay,
}

/// A run that is sealed.
#[derive(Debug)]
pub struct Sealed {
    /// The report, with its `provenance` filled.
    pub report: RunReport,
    /// Where the seal is.
    pub provenance: ProvenanceRef,
}

/// A seal that could not be stored, and what is needed to try again.
pub struct Unsealed {
    /// Why.
    pub error: ProvenanceError,
    /// The run, still without a seal.
    pub intended: Intended,
    /// Its report.
    pub report: Box<RunReport>,
}

impl std::fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsealed").field("error", &self.error).field("run", &self.report.run).finish_non_exhaustive()
    }
}

impl Intended {
    pub(super) fn new(log: Log, intent: Intent, place: Place, started_ms: u64, under_way: UnderWay) -> Self {
        Self { open: Some(Box::new(Open { log, intent, place, started_ms, under_way })) }
    }

    /// There is nothing to seal: the intent was not stored after all.
    pub(super) fn disown(mut self) {
        if let Some(open) = self.open.take() {
            open.under_way.forget();
        }
    }

    /// The intent's place in the log.
    pub fn appended(&self) -> Option<Appended> {
        self.open.as_ref().map(|open| open.place.appended)
    }

    /// Returns when the intent is on disk: before the first real outbound byte of a run that was intended `batched`.
    pub async fn on_disk(&self) -> Result<(), ProvenanceError> {
        match &self.open {
            Some(open) => Ok(open.log.store().sync().await?),
            None => Ok(()),
        }
    }

    /// Records how the run ended, stores its report, and returns when `durability` is reached. `report.provenance` is filled here.
    /// `cause` says why somebody else than the run itself ends it. `with` is stored in the same batch; when the seal must be tried again, it is lost.
    ///
    /// Dropping the future does not leave the run unsealed. Errors: [`ProvenanceError::Mismatch`], [`ProvenanceError::Store`]; then the
    /// run can be sealed again.
    pub async fn seal(
        mut self,
        mut report: RunReport,
        cause: Option<&str>,
        with: Batch,
        durability: Durability,
    ) -> Result<Sealed, Box<Unsealed>> {
        match self.store_seal(&mut report, cause, with, durability).await {
            Ok(provenance) => Ok(Sealed { report, provenance }),
            Err(error) => Err(Box::new(Unsealed { error, intended: self, report: Box::new(report) })),
        }
    }

    async fn store_seal(
        &mut self,
        report: &mut RunReport,
        cause: Option<&str>,
        with: Batch,
        durability: Durability,
    ) -> Result<ProvenanceRef, ProvenanceError> {
        let again = ProvenanceError::Store(StoreError::Closed);
        let store = self.open.as_ref().ok_or_else(|| again.clone())?.log.store().clone();
        let permit = store.reserve().await?;
        let open = self.open.take().ok_or(again)?;
        // From here to the answer the seal is the store's: a drop in between must not make a second one.
        let sealed = match open.enqueue_seal(permit, report, cause, with, durability) {
            Ok((provenance, commit)) => commit.await.map(|()| provenance).map_err(ProvenanceError::from),
            Err(error) => Err(error),
        };
        match sealed {
            Ok(provenance) => report.provenance = Some(provenance),
            // A refused write was not stored, so it is safe to try again; after `Broken` or `Closed` no write is possible at all.
            Err(_) => self.open = Some(open),
        }
        sealed
    }
}

impl Open {
    fn enqueue_seal(
        &self,
        permit: Permit,
        report: &mut RunReport,
        cause: Option<&str>,
        with: Batch,
        durability: Durability,
    ) -> Result<(ProvenanceRef, Commit), ProvenanceError> {
        fits(&self.intent, report)?;
        report.provenance = None;
        make_finite(report);
        let report_json = serde_json::to_vec(report).map_err(form)?;
        let (ended_ms, intended) = (now_ms(), self.place.appended.sequence);
        let json = draft(ended_ms, &Record::Seal(Seal::of(report, &report_json, intended, cause)))?;
        let key = *self.intent.run.0.as_bytes();
        let (place, commit) = self.log.enqueue(permit, &json, durability, |place| {
            // A write failed since the intent was handed over. What was written before is visible now: was the intent among it?
            if place.generation != self.place.generation
                && self.log.store().get(Tree::OpenIntents, &key)?.as_deref() != Some(intended.to_be_bytes().as_slice())
            {
                return Err(ProvenanceError::Mismatch { run: self.intent.run, field: "intent" });
            }
            let mut row = RunRow::running(&self.intent, self.started_ms);
            row.intent_sequence = intended;
            row.end(report.outcome, ended_ms, place.appended.into());
            let row = serde_json::to_vec(&row).map_err(form)?;
            Ok(with.put(Tree::Runs, key, report_json).put(Tree::RunRows, key, row).delete(Tree::OpenIntents, key))
        })?;
        Ok((place.appended.into(), commit))
    }
}

impl From<Appended> for ProvenanceRef {
    fn from(appended: Appended) -> Self {
        Self { sequence: appended.sequence, digest: appended.leaf }
    }
}

impl Drop for Intended {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut report = stand_in(&open.intent, "Abandoned", "the server lost this run before it ended");
        let handed_over = match open.log.store().try_reserve() {
            None => Err(ProvenanceError::Store(StoreError::Closed)),
            Some(permit) => open.enqueue_seal(permit, &mut report, Some("abandoned"), Batch::new(), Durability::Batched),
        };
        match handed_over {
            // Nobody waits for the answer. Should the write fail, the run is missing its seal and is found by that.
            Ok((_, commit)) => drop(commit),
            Err(error) => tracing::warn!(run = %open.intent.run, %error, "an abandoned run stays open until the store takes writes again"),
        }
    }
}

/// The report of a run that cannot speak for itself any more.
pub(super) fn stand_in(intent: &Intent, name: &str, message: &str) -> RunReport {
    RunReport {
        run: intent.run,
        outcome: Outcome::InternalError,
        result: RawValue::NULL.to_owned(),
        error: Some(GuestError {
            code: Outcome::InternalError.as_str().to_owned(),
            name: name.to_owned(),
            message: message.to_owned(),
            stack: None,
            remediation: "Send the run again; whether it had effects outside is not known.".to_owned(),
        }),
        logs: Vec::new(),
        logs_truncated: 0,
        denials: Vec::new(),
        denials_truncated: 0,
        egress: Vec::new(),
        egress_truncated: 0,
        usage: Usage::default(),
        tier: intent.grant.tier,
        profile: intent.grant.profile.clone(),
        artifact: intent.artifact,
        identity: intent.identity,
        provenance: None,
    }
}

/// JSON has no form for NaN and infinities, and a record that cannot be read back is worse than a figure that is 0. A cell can send them.
fn make_finite(report: &mut RunReport) {
    let usage = &mut report.usage;
    let figures = [&mut usage.cpu_ms, &mut usage.wall_ms, &mut usage.queue_ms, &mut usage.start_ms];
    for figure in figures.into_iter().chain(report.egress.iter_mut().map(|entry| &mut entry.ms)) {
        if !figure.is_finite() {
            *figure = 0.0;
        }
    }
}

/// A report may only speak of what was intended.
fn fits(intent: &Intent, report: &RunReport) -> Result<(), ProvenanceError> {
    let checks = [
        ("run", report.run == intent.run),
        ("tier", report.tier == intent.grant.tier),
        ("profile", report.profile == intent.grant.profile),
        ("artifact", report.artifact == intent.artifact),
        ("identity", report.identity == intent.identity),
    ];
    match checks.into_iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(ProvenanceError::Mismatch { run: intent.run, field }),
        None => Ok(()),
    }
}
