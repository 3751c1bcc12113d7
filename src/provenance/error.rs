//! What can go wrong in the log, in the operator's words.

use crate::model::RunId;
use crate::store::StoreError;

/// Why the log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvenanceError {
    /// The store refused. Caused by the machine.
    #[error("the record could not be stored: {0}")]
    Store(#[from] StoreError),
    /// A record over the limit. Caused by whoever fed it unbounded text.
    #[error("a record of {bytes} bytes is larger than the {most} allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A record that has no JSON form. Caused by a bug.
    #[error("a record has no JSON form: {0}")]
    Form(String),
    /// A run id that has a record already. Caused by a bug: ids are made by the server.
    #[error("run {0} has an intent already")]
    RunKnown(RunId),
    /// A report that speaks of something else than its intent. Caused by a bug or by a cell that lies.
    #[error("the report does not fit the intent of run {run}: its {field} differs")]
    Mismatch {
        /// The run of the intent.
        run: RunId,
        /// What differs.
        field: &'static str,
    },
    /// What is stored contradicts itself. Caused by damage to the data folder.
    #[error("the log is damaged at record {sequence}: {what}: run `cordon audit verify`, and restore the data folder from a backup")]
    Damaged {
        /// The record.
        sequence: u64,
        /// What is wrong.
        what: String,
    },
    /// A cursor that no page gave out. Caused by the caller.
    #[error("the cursor is not one that a page of this list gave out: start again without it")]
    Cursor,
}
