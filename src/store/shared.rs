//! What the store's threads and handles have in common: the database, the overlay, and whether writing is possible.

use super::StoreError;
use super::engine::Engine;
use super::overlay::Overlay;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whether the store takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Writing,
    /// The last write failed and was undone; reading works, the next write tries again.
    Failed(String),
    /// No more writes until it is opened again; reading works as far as the disk lets it.
    Broken(String),
    /// It is closed.
    Closed,
}

/// Everything that outlives a single write.
pub(super) struct Shared {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) overlay: Overlay,
    health: Mutex<Health>,
    generation: AtomicU64,
    synced: AtomicU64,
}

impl Shared {
    pub(super) fn new(engine: Arc<dyn Engine>, synced: u64) -> Self {
        Self { engine, overlay: Overlay::new(), health: Mutex::new(Health::Writing), generation: 0.into(), synced: synced.into() }
    }

    pub(super) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts failed writes. A batch made under an earlier count may build on something that was not stored.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The number of the last batch that is on disk.
    pub(super) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    pub(super) fn set_synced(&self, sequence: u64) {
        self.synced.store(sequence, Ordering::Release);
    }

    /// Why nothing can be written, if that is so.
    pub(super) fn broken(&self) -> Option<StoreError> {
        match self.health() {
            Health::Writing | Health::Failed(_) => None,
            Health::Broken(reason) => Some(StoreError::Broken(reason)),
            Health::Closed => Some(StoreError::Closed),
        }
    }

    /// A write succeeded.
    pub(super) fn recovered(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*health, Health::Failed(_)) {
            *health = Health::Writing;
        }
    }

    /// A write failed and left no trace.
    pub(super) fn failed(&self, reason: String) -> StoreError {
        self.change(Health::Failed(reason.clone()));
        StoreError::Write(reason)
    }

    /// Writing is over until the next opening.
    pub(super) fn broke(&self, reason: String) -> StoreError {
        tracing::error!(reason, "the store takes no more writes");
        self.change(Health::Broken(reason.clone()));
        StoreError::Broken(reason)
    }

    /// The store was closed.
    pub(super) fn closed(&self) {
        self.change(Health::Closed);
    }

    fn change(&self, to: Health) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        match &*health {
            Health::Broken(_) | Health::Closed => {}
            Health::Writing | Health::Failed(_) => {
                *health = to;
                self.generation.fetch_add(1, Ordering::AcqRel);
            }
        }
        drop(health);
        self.overlay.wake();
    }
}
