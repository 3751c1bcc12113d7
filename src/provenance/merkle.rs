//! The RFC 6962 tree over the records: leaf hashes, and the stored hashes of complete subtrees.

use super::ProvenanceError;
use crate::store::{Store, Tree};
use std::collections::HashMap;
use tlog_tiles::tlog::{self, Hash, HashReader, record_hash, stored_hash_index, stored_hashes_for_record_hash, sub_tree_index};

/// The leaf hash of a record: SHA-256 over a zero byte and its bytes.
pub(super) fn leaf(record: &[u8]) -> Hash {
    record_hash(record)
}

/// The hashes that the next record and the root need: the roots of the complete subtrees, at most 64.
#[derive(Debug, Clone, Default)]
pub(super) struct Frontier {
    size: u64,
    hashes: HashMap<u64, Hash>,
}

/// A stored hash with its index.
pub(super) type Indexed = (u64, Hash);

impl HashReader for Frontier {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        indexes.iter().map(|index| self.hashes.get(index).copied().ok_or(tlog::Error::IndexesNotInTree)).collect()
    }
}

impl Frontier {
    /// How many records the tree has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The frontier of the first `size` records, read from the store.
    pub(super) fn load(store: &Store, size: u64) -> Result<Self, ProvenanceError> {
        let mut hashes = HashMap::new();
        for index in sub_tree_index(0, size, Vec::new()) {
            let sequence = size.saturating_sub(1);
            let hash = read_hash(store, index)?
                .ok_or_else(|| ProvenanceError::Damaged { sequence, what: format!("the stored hash {index} is missing") })?;
            hashes.insert(index, hash);
        }
        Ok(Self { size, hashes })
    }

    /// The hashes to store for the next record, whose leaf hash is `leaf`.
    pub(super) fn next(&self, leaf: Hash) -> Result<Vec<Indexed>, ProvenanceError> {
        let hashes = stored_hashes_for_record_hash(self.size, leaf, self).map_err(|error| self.broken(&error))?;
        Ok((stored_hash_index(0, self.size)..).zip(hashes).collect())
    }

    /// Takes the next record in, whose hashes are `stored`.
    pub(super) fn push(&mut self, stored: &[Indexed]) {
        self.hashes.extend(stored.iter().copied());
        self.size += 1;
        let needed = sub_tree_index(0, self.size, Vec::new());
        self.hashes.retain(|index, _| needed.contains(index));
    }

    /// The root of the tree.
    pub(super) fn root(&self) -> Result<Hash, ProvenanceError> {
        tlog::tree_hash(self.size, self).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &tlog::Error) -> ProvenanceError {
        ProvenanceError::Damaged { sequence: self.size, what: format!("the tree's frontier is incomplete: {error}") }
    }
}

/// The stored hash at `index`.
pub(super) fn read_hash(store: &Store, index: u64) -> Result<Option<Hash>, ProvenanceError> {
    let bytes = store.get(Tree::Hashes, &index.to_be_bytes())?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// RFC 6962, section 2.1, as it is written there.
    fn root_by_definition(leaves: &[Vec<u8>]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::digest([&[0], leaf.as_slice()].concat()).into(),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                Sha256::digest([&[1], root_by_definition(left).as_slice(), &root_by_definition(right)].concat()).into()
            }
        }
    }

    #[test]
    fn the_root_is_the_one_that_rfc_6962_defines_at_every_size() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for number in 0..130u32 {
            assert_eq!(frontier.root().expect("a root").0, root_by_definition(&leaves), "size {number}");
            let record = number.to_be_bytes().to_vec();
            let stored = frontier.next(leaf(&record)).expect("hashes");
            frontier.push(&stored);
            leaves.push(record);
            assert!(frontier.hashes.len() <= 8);
        }
    }
}
