//! Runs of tests, some at once, asked for in the order of the tests.

use super::trial::Bench;
use super::verdict::Tried;
use crate::app::failure::Failure;
use crate::policy::suite::{Asked, PolicyTest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What came of the test at a place.
type Said = (usize, Result<Tried, Failure>);

/// Runs under way. At most as many answers wait as there are tests.
pub(super) struct Runs {
    heard: UnboundedReceiver<Said>,
    early: BTreeMap<usize, Result<Tried, Failure>>,
}

impl Runs {
    /// No run at all.
    pub(super) fn none() -> Self {
        Self { heard: unbounded_channel().1, early: BTreeMap::new() }
    }

    /// Starts the runs among `tests`, `jobs` of them at once.
    pub(super) fn start(bench: &Arc<Bench>, tests: &Arc<[PolicyTest]>, jobs: u16) -> Self {
        let next = Arc::new(AtomicUsize::new(0));
        let (say, heard) = unbounded_channel();
        for _ in 0..jobs {
            tokio::spawn(work(Arc::clone(bench), Arc::clone(tests), Arc::clone(&next), say.clone()));
        }
        Self { heard, early: BTreeMap::new() }
    }

    /// What came of the run of the test at `index`, once it has ended.
    pub(super) async fn tried(&mut self, index: usize) -> Result<Tried, Failure> {
        loop {
            if let Some(tried) = self.early.remove(&index) {
                return tried;
            }
            match self.heard.recv().await {
                Some((other, tried)) => drop(self.early.insert(other, tried)),
                None => return Err(Failure::machine("a run's task ended abnormally", "run with CORDON_LOG=debug to see more")),
            }
        }
    }
}

/// Takes one test after the other until there is none, or nobody listens.
async fn work(bench: Arc<Bench>, tests: Arc<[PolicyTest]>, next: Arc<AtomicUsize>, say: UnboundedSender<Said>) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(test) = tests.get(index) else { return };
        if let Asked::Run(run) = &test.asked
            && say.send((index, bench.run(index, run).await)).is_err()
        {
            return;
        }
    }
}
