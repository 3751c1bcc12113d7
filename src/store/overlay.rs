//! Batches that the journal has and the database does not have yet. Readers look here first, so a stored batch is seen at once and whole.

use super::engine::{Engine, Pair};
use super::range::Direction;
use super::{Batch, Range, StoreError, Tree};
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::vec::IntoIter;

/// A batch with its place in the journal.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) sequence: u64,
    pub(super) batch: Arc<Batch>,
}

/// The newest change of a key: which batch, which operation in it.
struct Entry {
    numbered: Numbered,
    op: usize,
}

impl Entry {
    fn value(&self) -> Option<Vec<u8>> {
        self.numbered.batch.ops().get(self.op).and_then(|op| op.value()).map(<[u8]>::to_vec)
    }
}

/// What a change costs besides its bytes: its key again, its place in a map, its share of what is counted. An estimate, not measured.
const CHANGE_BYTES: usize = 200;

/// Memory that a batch takes here, in bytes.
fn weight(numbered: &Numbered) -> usize {
    numbered.batch.bytes() + CHANGE_BYTES * (1 + numbered.batch.ops().len())
}

type Changes = BTreeMap<Vec<u8>, Entry>;

/// A key and what it has now: a value or nothing.
type Change = (Vec<u8>, Option<Vec<u8>>);

/// The pending changes of every tree.
pub(super) struct Overlay {
    trees: RwLock<Vec<Changes>>,
    pending_bytes: Mutex<usize>,
    drained: Condvar,
}

impl Overlay {
    pub(super) fn new() -> Self {
        let trees = Tree::ALL.iter().map(|_| Changes::new()).collect();
        Self { trees: RwLock::new(trees), pending_bytes: Mutex::new(0), drained: Condvar::new() }
    }

    /// Waits until fewer than `most` bytes are pending, or `given_up` says that nobody will take them away.
    pub(super) fn wait_for_room(&self, most: usize, given_up: impl Fn() -> bool) {
        let bytes = self.pending_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.drained.wait_while(bytes, |bytes| *bytes >= most && !given_up()));
    }

    /// Whether fewer than `most` bytes are pending.
    pub(super) fn has_room(&self, most: usize) -> bool {
        *self.pending_bytes.lock().unwrap_or_else(PoisonError::into_inner) < most
    }

    /// Wakes whoever waits for room.
    pub(super) fn wake(&self) {
        drop(self.pending_bytes.lock());
        self.drained.notify_all();
    }

    /// Shows the batches to readers, all at once.
    pub(super) fn add(&self, group: &[Numbered]) {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        for numbered in group {
            for (index, op) in numbered.batch.ops().iter().enumerate() {
                let (tree, key) = op.place();
                if let Some(changes) = trees.get_mut(tree.index()) {
                    changes.insert(key.to_vec(), Entry { numbered: numbered.clone(), op: index });
                }
            }
        }
        drop(trees);
        *self.pending_bytes.lock().unwrap_or_else(PoisonError::into_inner) += group.iter().map(weight).sum::<usize>();
    }

    /// Forgets a batch that the database has now. A key that a later batch changed again stays.
    pub(super) fn remove(&self, numbered: &Numbered) {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        for op in numbered.batch.ops() {
            let (tree, key) = op.place();
            let Some(changes) = trees.get_mut(tree.index()) else { continue };
            if changes.get(key).is_some_and(|entry| entry.numbered.sequence == numbered.sequence) {
                changes.remove(key);
            }
        }
        drop(trees);
        let mut bytes = self.pending_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *bytes = bytes.saturating_sub(weight(numbered));
        self.drained.notify_all();
    }

    /// The value of a key, pending or in the database.
    pub(super) fn get(&self, engine: &dyn Engine, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        // INVARIANT (overlay first): a batch leaves the overlay only after the database has it, so this order misses nothing.
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = trees.get(tree.index()).and_then(|changes| changes.get(key)) {
            return Ok(entry.value());
        }
        drop(trees);
        engine.get(tree, key)
    }

    /// The pairs of a range, pending ones and those of the database merged.
    pub(super) fn range(&self, engine: &dyn Engine, tree: Tree, range: &Range) -> Result<Vec<Pair>, StoreError> {
        if range.is_empty() || range.limit == 0 {
            return Ok(Vec::new());
        }
        let mut pending = self.pending(tree, range).into_iter().peekable();
        let mut pairs = Vec::new();
        let mut stored = engine.scan(tree, range)?.peekable();
        while pairs.len() < range.limit {
            let key = match stored.peek() {
                Some(Ok((key, _))) => Some(key.as_slice()),
                Some(Err(error)) => return Err(error.clone()),
                None => None,
            };
            match newer(&mut pending, key, range.direction) {
                Newer::Pending { key, value, replaces } => {
                    if replaces {
                        stored.next();
                    }
                    pairs.extend(value.map(|value| (key, value)));
                }
                Newer::Stored => pairs.extend(stored.next().transpose()?),
                Newer::Nothing => break,
            }
        }
        Ok(pairs)
    }

    /// The pending changes of a range in its order, deletions included, up to its limit of values: past those the range is full anyway.
    fn pending(&self, tree: Tree, range: &Range) -> Vec<Change> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        let Some(changes) = trees.get(tree.index()) else { return Vec::new() };
        let changes = changes.range::<Vec<u8>, _>(range.bounds());
        let changes: Box<dyn Iterator<Item = (&Vec<u8>, &Entry)>> = match range.direction {
            Direction::Forward => Box::new(changes),
            Direction::Backward => Box::new(changes.rev()),
        };
        let mut values = 0;
        let mut pending = Vec::new();
        for (key, entry) in changes {
            if values == range.limit {
                break;
            }
            let value = entry.value();
            values += usize::from(value.is_some());
            pending.push((key.clone(), value));
        }
        pending
    }
}

/// What comes next in a merged range.
enum Newer {
    Pending { key: Vec<u8>, value: Option<Vec<u8>>, replaces: bool },
    Stored,
    Nothing,
}

fn newer(pending: &mut Peekable<IntoIter<Change>>, stored: Option<&[u8]>, direction: Direction) -> Newer {
    use std::cmp::Ordering;
    let order = match (pending.peek(), stored) {
        (None, None) => return Newer::Nothing,
        (None, Some(_)) => return Newer::Stored,
        (Some(_), None) => Ordering::Less,
        (Some((key, _)), Some(stored)) => match direction {
            Direction::Forward => key.as_slice().cmp(stored),
            Direction::Backward => stored.cmp(key.as_slice()),
        },
    };
    if order == Ordering::Greater {
        return Newer::Stored;
    }
    match pending.next() {
        Some((key, value)) => Newer::Pending { key, value, replaces: order == Ordering::Equal },
        None => Newer::Nothing,
    }
}
