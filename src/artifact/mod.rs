//! Artifacts: what was submitted, by content, and what intake made of it.
//!
//! Sources are stored once per id. What intake made of them lives in memory only: it is cheap to make again, and a build that
//! prepares differently never meets the work of another.

mod aliases;
mod code;
mod ladder;

pub use aliases::{ALIASES_MAX, alias_change};
pub use code::{Code, CodeKey, Codes};
pub use ladder::{
    LadderRow, NOTES_MAX, ReviewRow, SUBMISSIONS_MAX, SubmissionRow, clean_run_change, evidence_change, ladder_change, ladder_note,
    review_change, submission_change,
};

use crate::model::frame::ReadyModule;
use crate::model::{Artifact, Digest};
use crate::store::{Batch, Store, StoreError, Tree};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Memory for prepared artifacts in bytes: some ten thousand snippets of a few kilobytes.
const PREPARED_BYTES_MAX: u64 = 64 << 20;

/// How many entries the cache expects; a hint for its tables.
const PREPARED_ENTRIES: usize = 10_000;

/// Bookkeeping per cached artifact in bytes, so that empty ones are not free.
const ENTRY_BYTES: u64 = 256;

/// Modules ready for V8, by the artifact they came from.
pub type Prepared = Arc<Vec<ReadyModule>>;

/// Why an artifact is not there.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactsError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not the artifact of that id. Caused by a damaged disk or a foreign hand.
    #[error("the stored artifact {0} is damaged: its content has another id; send the sources again")]
    Damaged(Digest),
    /// An alias, or what is noted of an artifact, cannot be read. Caused by a damaged disk or a foreign hand.
    #[error("what is stored of an alias or an artifact is damaged: {0}")]
    DamagedNote(String),
}

/// Weighs what the cache keeps.
#[derive(Clone)]
struct Weight;

impl Weighter<Digest, Prepared> for Weight {
    fn weight(&self, _: &Digest, modules: &Prepared) -> u64 {
        let text = |module: &ReadyModule| module.name.len() + module.code.len() + module.source_map.as_ref().map_or(0, String::len);
        ENTRY_BYTES + modules.iter().map(text).sum::<usize>() as u64
    }
}

/// The artifacts of a server.
pub struct Artifacts {
    store: Store,
    prepared: Cache<Digest, Prepared, Weight>,
    codes: Codes,
}

impl Artifacts {
    /// The artifacts in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, prepared: Cache::with_weighter(PREPARED_ENTRIES, PREPARED_BYTES_MAX, Weight), codes: Codes::default() }
    }

    /// What intake made of `id`, if it is still known.
    pub fn prepared(&self, id: &Digest) -> Option<Prepared> {
        self.prepared.get(id)
    }

    /// Keeps what intake made of `id`.
    pub fn keep_prepared(&self, id: Digest, modules: Prepared) {
        self.prepared.insert(id, modules);
    }

    /// What V8 compiled them to.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The artifact `id`, checked against its id; `None` when nobody sent it.
    pub fn get(&self, id: &Digest) -> Result<Option<Artifact>, ArtifactsError> {
        let Some(bytes) = self.store.get(Tree::Artifacts, id.as_bytes())? else { return Ok(None) };
        let artifact: Artifact = serde_json::from_slice(&bytes).map_err(|_| ArtifactsError::Damaged(*id))?;
        if artifact.id() == *id { Ok(Some(artifact)) } else { Err(ArtifactsError::Damaged(*id)) }
    }

    /// The change that stores `artifact`; empty when it is stored already.
    pub fn store(&self, id: &Digest, artifact: &Artifact) -> Result<Batch, ArtifactsError> {
        if self.store.get(Tree::Artifacts, id.as_bytes())?.is_some() {
            return Ok(Batch::new());
        }
        // Two maps of strings always have a JSON form.
        let bytes = serde_json::to_vec(artifact).unwrap_or_default();
        Ok(Batch::new().put(Tree::Artifacts, id.as_bytes().as_slice(), bytes))
    }
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, ArtifactsError> {
    serde_json::from_slice(bytes).map_err(|error| ArtifactsError::DamagedNote(error.to_string()))
}
