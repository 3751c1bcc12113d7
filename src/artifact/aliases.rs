//! Aliases in the store: where each leads, and every move of each.

use super::{Artifacts, ArtifactsError, read};
use crate::model::{AliasMove, AliasName, AliasRow};
use crate::store::{Batch, Range, Tree};

/// Most aliases, and most moves of one, that are read at once.
pub const ALIASES_MAX: usize = 1000;

impl Artifacts {
    /// Where `alias` leads; `None` when it leads nowhere.
    pub fn alias(&self, alias: &AliasName) -> Result<Option<AliasRow>, ArtifactsError> {
        let row = self.store.get(Tree::Aliases, alias.as_str().as_bytes())?;
        row.map(|bytes| read(&bytes)).transpose()
    }

    /// The aliases that lead somewhere, in the order of their names, after `after`; at most [`ALIASES_MAX`].
    pub fn aliases(&self, after: Option<&AliasName>) -> Result<Vec<AliasRow>, ArtifactsError> {
        let first = Range::first(ALIASES_MAX);
        let range = after.map_or(first.clone(), |after| first.after(after.as_str()));
        self.store.range(Tree::Aliases, &range)?.into_iter().map(|(_, bytes)| read(&bytes)).collect()
    }

    /// The latest moves of `alias`, the newest first; at most [`ALIASES_MAX`].
    pub fn alias_moves(&self, alias: &AliasName) -> Result<Vec<AliasRow>, ArtifactsError> {
        let range = Range::last(ALIASES_MAX).from(key(alias, 0)).before(key(alias, u64::MAX));
        self.store.range(Tree::AliasMoves, &range)?.into_iter().map(|(_, bytes)| read(&bytes)).collect()
    }
}

/// The change that makes `moved` happen, as the log's record number `sequence`.
pub fn alias_change(moved: AliasMove, sequence: u64, at_ms: u64) -> Batch {
    let name = moved.alias.as_str().as_bytes().to_vec();
    let (key, leads) = (key(&moved.alias, sequence), moved.artifact.is_some());
    // Plain data always has a JSON form.
    let bytes = serde_json::to_vec(&AliasRow { what: moved, sequence, at_ms }).unwrap_or_default();
    let batch = Batch::new().put(Tree::AliasMoves, key, bytes.clone());
    if leads { batch.put(Tree::Aliases, name, bytes) } else { batch.delete(Tree::Aliases, name) }
}

/// The alias, a zero that no alias has, and the number, so that moves of one alias lie together in their order.
fn key(alias: &AliasName, sequence: u64) -> Vec<u8> {
    [alias.as_str().as_bytes(), &[0], &sequence.to_be_bytes()].concat()
}
