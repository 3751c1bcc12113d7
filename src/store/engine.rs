//! What the store asks of the database under it, so that another one can take sled's place.

use super::{Batch, Range, StoreError, Tree};

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Key-value pairs in the order asked for.
pub(super) type Pairs<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

/// A sorted key-value database. It may lose what it was given after its last checkpoint: the journal brings it back.
pub(super) trait Engine: Send + Sync {
    /// The value of a key.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The pairs of a range; its limit is not the engine's concern.
    fn scan(&self, tree: Tree, range: &Range) -> Result<Pairs<'_>, StoreError>;
    /// Applies a batch. It need not be atomic nor on disk: it is applied again after a crash.
    fn apply(&self, batch: &Batch) -> Result<(), StoreError>;
    /// Returns when everything applied so far survives power loss.
    fn checkpoint(&self) -> Result<(), StoreError>;
}
