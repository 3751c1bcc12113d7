//! Provenance: what ran, for whom, under what, and how it ended, as one append-only sequence of records.
//!
//! Every record is a leaf of one RFC 6962 tree; the hashes of complete subtrees are stored with it, in the same batch. A run has two
//! records: its intent, stored before its first instruction, and its seal. Reports and rows for lists are stored beside the log, in the
//! batch of the record they belong to; a seal holds the digest of its report, so the report can be checked, and deleted without harm
//! to the log. What many runs may send out is kept once, under the digest by which their intents tell it. A run that goes on is listed, without
//! an outcome; it has no report yet.
//!
//! The decision log is kept beside it: one entry per decision of the policies, by the id that records and refusals name.

mod complete;
mod decisions;
mod error;
mod granted;
mod intended;
mod log;
mod merkle;
mod read;
mod record;
mod recover;
mod rows;
mod verify;

#[cfg(test)]
mod tests;

pub use complete::Completeness;
pub use decisions::{DECISION_BYTES_MAX, DECISIONS_PAGE_BYTES_MAX, DECISIONS_PAGE_MAX, DecisionPage, decision, decision_change, decisions};
pub use error::ProvenanceError;
pub use granted::egress_of;
pub use intended::{Intended, Sealed, Unsealed};
pub use log::{Appended, Log, RECORD_BYTES_MAX, now_ms};
pub use read::{PAGE_RUNS_MAX, PAGE_SCAN_MAX, Page, RunFilter, intent_of, list, record_at, report, row};
pub use record::{
    Intent, KeyEvent, KeyEventKind, NAME_CHARS_MAX, PolicyEvent, PolicyEventKind, RECORD_VERSION, Record, Refusal, Seal, SealError,
    ServerEvent, ServerEventKind, Stored,
};
pub use rows::RunRow;
pub use verify::{Fault, Verdict, verify};
