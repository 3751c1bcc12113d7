//! What runs were granted to send out, where that is too long for their records: kept once, under the digest that the records have.

use super::ProvenanceError;
use super::log::Log;
use crate::model::{Digest, Durability, EgressGrant, EgressRecord, EgressTerms};
use crate::store::{Batch, Store, Tree};
use std::sync::Arc;

impl Log {
    /// Keeps what a record of a run under `terms` tells by digest only. To be called for each profile before a run has it; on disk when this returns.
    ///
    /// Errors: [`ProvenanceError::Store`]: then no run may have these terms.
    pub async fn keep_egress(&self, terms: &EgressTerms) -> Result<(), ProvenanceError> {
        let EgressRecord::Digest(told) = terms.record() else { return Ok(()) };
        let (key, text) = (told.digest.as_bytes(), terms.text());
        if self.store().get(Tree::EgressGrants, key)?.as_ref() == Some(&text) {
            return Ok(());
        }
        Ok(self.store().commit(Batch::new().put(Tree::EgressGrants, *key, text), Durability::Strict).await?)
    }
}

/// What a run whose record tells `record` could send out; `None` where its text is not stored. Bodies of fixtures are not in it.
///
/// Errors: [`ProvenanceError::Store`]; [`ProvenanceError::Damaged`] when what is stored is not what the record speaks of.
pub fn egress_of(store: &Store, record: &EgressRecord) -> Result<Option<Arc<EgressGrant>>, ProvenanceError> {
    let told = match record {
        EgressRecord::Whole(grant) => return Ok(Some(Arc::clone(grant))),
        EgressRecord::Digest(told) => told,
    };
    let Some(text) = store.get(Tree::EgressGrants, told.digest.as_bytes())? else { return Ok(None) };
    let damaged = |why: &str| ProvenanceError::Damaged { sequence: 0, what: format!("the egress grant {}: {why}", told.digest) };
    if Digest::of(&text) != told.digest {
        return Err(damaged("another text is stored"));
    }
    serde_json::from_slice(&text).map(|grant| Some(Arc::new(grant))).map_err(|error| damaged(&error.to_string()))
}
