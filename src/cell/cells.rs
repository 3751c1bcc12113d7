//! All cells of a server: one pool per kind.

use super::control::Sealed;
use super::handle::Cell;
use super::kind::ZygoteKind;
use super::pool::Pool;
use crate::telemetry::Telemetry;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What one pool keeps ready.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Whom its zygote serves.
    pub kind: ZygoteKind,
    /// Idle cells to keep.
    pub idle: usize,
    /// The largest memory limit of its tier, in bytes.
    pub heap_bytes_max: u64,
    /// Whether its zygote's program moves into huge pages.
    pub huge_pages: bool,
}

/// What all pools need.
#[derive(Clone)]
pub struct CellsSettings {
    /// The pools.
    pub pools: Vec<PoolSettings>,
    /// A zygote is replaced after this many forks.
    pub replace_after_forks: u64,
    /// A zygote is replaced after this time.
    pub replace_after: Duration,
    /// This program, to re-execute.
    pub executable: PathBuf,
    /// Where zygotes and cells are counted.
    pub telemetry: Arc<Telemetry>,
}

/// Why there are no cells. The host's fault or its machine's.
#[derive(Debug, thiserror::Error)]
pub enum CellsError {
    /// A zygote did not become ready.
    #[error("the {kind} zygote did not start: {why}")]
    NotStarted {
        /// Which one.
        kind: &'static str,
        /// What it said.
        why: String,
    },
    /// The operating system refused a thread or a socket.
    #[error("no cell could be made ready: {0}")]
    System(#[from] io::Error),
    /// The pools are stopping.
    #[error("the cells are stopping")]
    Stopping,
    /// No pool for this kind was configured.
    #[error("there is no pool for {0}")]
    NoPool(&'static str),
}

/// How many cells of a kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Being forked.
    pub starting: usize,
    /// Waiting in the pool.
    pub idle: usize,
    /// Serving an order, or ending.
    pub running: usize,
}

/// All pools.
pub struct Cells {
    pools: Vec<Arc<Pool>>,
}

impl Cells {
    /// Starts every zygote and waits until all are sealed. Needs a tokio runtime.
    pub async fn start(settings: CellsSettings) -> Result<Self, CellsError> {
        let pools: Vec<_> = settings.pools.iter().map(|pool| Pool::new(pool.clone(), &settings)).collect();
        for pool in &pools {
            pool.start_zygote()?;
        }
        for pool in &pools {
            pool.await_ready().await?;
        }
        Ok(Self { pools })
    }

    /// Takes an idle cell of `kind`, waiting for one. Cancelling loses no cell.
    pub async fn take(&self, kind: ZygoteKind) -> Result<Cell, CellsError> {
        self.pool(kind)?.take().await
    }

    /// What the current zygote of `kind` told of itself.
    pub fn sealed(&self, kind: ZygoteKind) -> Result<Sealed, CellsError> {
        self.pool(kind)?.sealed()
    }

    /// How many cells of `kind` there are.
    pub fn count(&self, kind: ZygoteKind) -> Count {
        self.pool(kind).map_or_else(|_| Count::default(), |pool| pool.count())
    }

    /// Ends every zygote, and with them every cell. Call when no execution is under way.
    pub fn stop(&self) {
        self.pools.iter().for_each(|pool| pool.stop());
    }

    fn pool(&self, kind: ZygoteKind) -> Result<&Arc<Pool>, CellsError> {
        self.pools.iter().find(|pool| pool.kind() == kind).ok_or(CellsError::NoPool(kind.label()))
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        self.stop();
    }
}
