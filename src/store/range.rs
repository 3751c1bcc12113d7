//! Which part of a tree to read, and in which direction.

use std::ops::Bound;

/// The order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Largest key first.
    Backward,
}

/// A bounded part of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The lower end.
    pub from: Bound<Vec<u8>>,
    /// The upper end.
    pub to: Bound<Vec<u8>>,
    /// The order of reading.
    pub direction: Direction,
    /// The most pairs to return.
    pub limit: usize,
}

impl Range {
    /// The first `limit` pairs of a tree.
    pub fn first(limit: usize) -> Self {
        Self { from: Bound::Unbounded, to: Bound::Unbounded, direction: Direction::Forward, limit }
    }

    /// The last `limit` pairs of a tree, largest key first.
    pub fn last(limit: usize) -> Self {
        Self { direction: Direction::Backward, ..Self::first(limit) }
    }

    /// Only keys from `key` on.
    #[must_use]
    pub fn from(self, key: impl Into<Vec<u8>>) -> Self {
        Self { from: Bound::Included(key.into()), ..self }
    }

    /// Only keys after `key`.
    #[must_use]
    pub fn after(self, key: impl Into<Vec<u8>>) -> Self {
        Self { from: Bound::Excluded(key.into()), ..self }
    }

    /// Only keys before `key`.
    #[must_use]
    pub fn before(self, key: impl Into<Vec<u8>>) -> Self {
        Self { to: Bound::Excluded(key.into()), ..self }
    }

    /// True when no key can lie inside: the form in which the maps of the standard library and sled panic or misbehave.
    pub(super) fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        }
    }

    /// Its ends, as the maps of the standard library and sled want them.
    pub(super) fn bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        (self.from.clone(), self.to.clone())
    }
}
