//! A write batch and its bytes in the journal. Every operation is idempotent: a batch may be applied again.

use super::Tree;
use std::collections::HashMap;

/// One change to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    /// The key has this value from now on.
    Put { tree: Tree, key: Vec<u8>, value: Vec<u8> },
    /// The key is gone from now on.
    Delete { tree: Tree, key: Vec<u8> },
}

impl Op {
    pub(super) fn place(&self) -> (Tree, &[u8]) {
        match self {
            Self::Put { tree, key, .. } | Self::Delete { tree, key } => (*tree, key),
        }
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Put { value, .. } => Some(value),
            Self::Delete { .. } => None,
        }
    }
}

/// Changes that are stored together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    ops: Vec<Op>,
}

/// Bytes of an operation's head: kind, tree, key length, value length.
const OP_HEAD_BYTES: usize = 10;
const PUT: u8 = 1;
const DELETE: u8 = 2;

impl Batch {
    /// A batch without changes; committing it `Strict` waits until everything before it is on disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Adds: `key` in `tree` has `value`.
    #[must_use]
    pub fn put(mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.ops.push(Op::Put { tree, key: key.into(), value: value.into() });
        self
    }

    /// Adds: `key` is gone from `tree`.
    #[must_use]
    pub fn delete(mut self, tree: Tree, key: impl Into<Vec<u8>>) -> Self {
        self.ops.push(Op::Delete { tree, key: key.into() });
        self
    }

    /// Adds the changes of `other` after these.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.ops.extend(other.ops);
        self
    }

    /// Its length in the journal, in bytes.
    pub fn bytes(&self) -> usize {
        self.ops.iter().map(|op| OP_HEAD_BYTES + op.place().1.len() + op.value().map_or(0, <[u8]>::len)).sum()
    }

    /// What is left of these batches, applied one after the other: of each key the last change.
    pub(super) fn merged<'a>(batches: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let all = || batches.clone().flat_map(Self::ops);
        let last: HashMap<(Tree, &[u8]), usize> = all().enumerate().map(|(at, op)| (op.place(), at)).collect();
        Self { ops: all().enumerate().filter(|(at, op)| last.get(&op.place()) == Some(at)).map(|(_, op)| op.clone()).collect() }
    }

    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Appends its bytes to `out`. Lengths fit: the store refuses longer batches before they come here.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for op in &self.ops {
            let (tree, key) = op.place();
            let (kind, value) = op.value().map_or((DELETE, [].as_slice()), |value| (PUT, value));
            out.extend([kind, tree.code()]);
            out.extend((key.len() as u32).to_le_bytes());
            out.extend((value.len() as u32).to_le_bytes());
            out.extend(key);
            out.extend(value);
        }
    }

    /// Reads a batch back; `None` when `bytes` are no batch.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut ops = Vec::new();
        while !bytes.is_empty() {
            let ([kind, tree, lengths @ ..], rest) = bytes.split_first_chunk::<OP_HEAD_BYTES>()?;
            let (key_length, value_length) = lengths.split_at(4);
            let length = |part: &[u8]| part.try_into().ok().map(u32::from_le_bytes).and_then(|n| usize::try_from(n).ok());
            let (key, rest) = rest.split_at_checked(length(key_length)?)?;
            let (value, rest) = rest.split_at_checked(length(value_length)?)?;
            let (tree, key) = (Tree::from_code(*tree)?, key.to_vec());
            ops.push(match *kind {
                PUT => Op::Put { tree, key, value: value.to_vec() },
                DELETE if value.is_empty() => Op::Delete { tree, key },
                _ => return None,
            });
            bytes = rest;
        }
        Some(Self { ops })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_batch() -> impl Strategy<Value = Batch> {
        let op = (0..Tree::ALL.len(), any::<Vec<u8>>(), any::<Option<Vec<u8>>>());
        prop::collection::vec(op, 0..8).prop_map(|ops| {
            ops.into_iter().fold(Batch::new(), |batch, (tree, key, value)| match value {
                Some(value) => batch.put(Tree::ALL[tree], key, value),
                None => batch.delete(Tree::ALL[tree], key),
            })
        })
    }

    proptest! {
        #[test]
        fn merged_batches_leave_what_the_batches_leave_one_after_the_other(batches in prop::collection::vec(any_batch(), 0..5)) {
            let apply = |batches: &[Batch]| {
                let mut state = std::collections::BTreeMap::new();
                for op in batches.iter().flat_map(Batch::ops) {
                    let (tree, key) = op.place();
                    state.insert((tree.code(), key.to_vec()), op.value().map(<[u8]>::to_vec));
                }
                state
            };
            let merged = Batch::merged(batches.iter());
            prop_assert_eq!(apply(std::slice::from_ref(&merged)), apply(&batches));
            prop_assert_eq!(merged.ops.len(), apply(&batches).len());
        }

        #[test]
        fn a_batch_reads_back_as_it_was_written_and_knows_its_length(batch in any_batch()) {
            let mut bytes = Vec::new();
            batch.encode(&mut bytes);
            prop_assert_eq!(bytes.len(), batch.bytes());
            prop_assert_eq!(Batch::decode(&bytes), Some(batch));
        }

        #[test]
        fn a_batch_cut_anywhere_inside_an_operation_is_no_batch(value in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            Batch::new().put(Tree::Keys, "key", value).encode(&mut bytes);
            let cut = 1 + cut.index(bytes.len() - 1);
            prop_assert_eq!(Batch::decode(&bytes[..bytes.len() - cut]).map(|b| b.ops.len()), (cut == bytes.len()).then_some(0));
        }

        #[test]
        fn decoding_any_bytes_ends_and_what_it_accepts_writes_the_same_bytes(bytes in any::<Vec<u8>>()) {
            if let Some(batch) = Batch::decode(&bytes) {
                let mut again = Vec::new();
                batch.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
