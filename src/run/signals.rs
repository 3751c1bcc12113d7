//! Who can end a run early: its client by going away, the server by stopping, and whoever takes away what its artifact stands on.

use crate::model::{Digest, Outcome, Tier};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The client's end: dropping it says that the client went away.
#[derive(Debug)]
pub struct CancelGuard(watch::Sender<bool>);

/// The run's end: fires when the client went away.
#[derive(Debug, Clone)]
pub struct CancelSignal(watch::Receiver<bool>);

/// A guard and the signal it fires.
pub fn cancellation() -> (CancelGuard, CancelSignal) {
    let (sender, receiver) = watch::channel(false);
    (CancelGuard(sender), CancelSignal(receiver))
}

impl CancelGuard {
    /// Ends the guard without firing: the client got its answer, or the run goes on without it.
    pub fn disarm(self) {
        self.0.send_replace(true);
    }
}

impl CancelSignal {
    /// Returns when the client went away; never when the guard was disarmed.
    pub async fn cancelled(&mut self) {
        // Ok: the guard was disarmed. Err: it was dropped.
        if self.0.wait_for(|disarmed| *disarmed).await.is_ok() {
            std::future::pending().await
        }
    }
}

/// Stops runs under way, all or those of an artifact, and counts them so that their end can be awaited.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    stop: watch::Sender<bool>,
    count: watch::Sender<usize>,
    runs: Arc<Mutex<Runs>>,
}

/// What is under way, by a number of its own.
#[derive(Debug, Default)]
struct Runs {
    next: u64,
    known: HashMap<u64, Known>,
}

/// A run under way, as far as it is known.
#[derive(Debug)]
struct Known {
    artifact: Option<Digest>,
    /// Unknown until policy has decided.
    tier: Option<Tier>,
    stop: watch::Sender<bool>,
}

/// One run under way, for as long as it lives.
#[derive(Debug)]
pub(super) struct Running {
    stop: watch::Receiver<bool>,
    own: watch::Receiver<bool>,
    number: u64,
    under_way: UnderWay,
}

impl UnderWay {
    pub(super) fn new() -> Self {
        Self { stop: watch::Sender::new(false), count: watch::Sender::new(0), runs: Arc::default() }
    }

    /// Counts one more run.
    pub(super) fn enter(&self) -> Running {
        self.count.send_modify(|count| *count += 1);
        let (stop, own) = watch::channel(false);
        let number = {
            let mut runs = self.runs();
            let number = runs.next;
            runs.next += 1;
            runs.known.insert(number, Known { artifact: None, tier: None, stop });
            number
        };
        Running { stop: self.stop.subscribe(), own, number, under_way: self.clone() }
    }

    /// Ends every run under way.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends the runs of `artifact` above `tier`, and those of which the tier is not decided; how many.
    pub(super) fn stop_above(&self, artifact: &Digest, tier: Tier) -> u64 {
        let runs = self.runs();
        let meant = |run: &&Known| run.artifact.as_ref() == Some(artifact) && run.tier.is_none_or(|at| at > tier);
        let meant: Vec<&Known> = runs.known.values().filter(meant).collect();
        for run in &meant {
            run.stop.send_replace(true);
        }
        meant.len() as u64
    }

    /// Returns when no run is under way.
    pub(super) async fn none(&self) {
        // The sender is held here, so the channel cannot close.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// From now on it is known what runs. To be called before it is looked up where that stands, so that whoever takes that away can stop this run.
    pub(super) fn is_of(&self, artifact: Digest) {
        self.know(|run| run.artifact = Some(artifact));
    }

    /// From now on it is known at which tier.
    pub(super) fn is_at(&self, tier: Tier) {
        self.know(|run| run.tier = Some(tier));
    }

    fn know(&self, tell: impl FnOnce(&mut Known)) {
        self.under_way.runs().known.get_mut(&self.number).map(tell);
    }

    /// Returns when the run must end early, with the outcome that this means.
    pub(super) async fn stopped(&mut self, cancel: &mut CancelSignal) -> Outcome {
        tokio::select! {
            () = cancel.cancelled() => Outcome::Canceled,
            () = stopping(&mut self.stop) => Outcome::Canceled,
            () = stopping(&mut self.own) => Outcome::KillSwitch,
        }
    }
}

/// Returns when the order to stop is given.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could give the order is gone.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.under_way.runs().known.remove(&self.number);
        self.under_way.count.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_guard_cancels_and_a_disarmed_one_never_does() {
        let (guard, mut signal) = cancellation();
        drop(guard);
        signal.cancelled().await;
        let (guard, mut signal) = cancellation();
        guard.disarm();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), signal.cancelled()).await;
        assert!(waited.is_err());
    }

    #[tokio::test]
    async fn an_order_about_an_artifact_reaches_its_runs_above_the_tier_and_no_others() {
        let (under_way, artifact) = (UnderWay::new(), Digest::of(b"a"));
        let run = |of: &[u8], tier| {
            let run = under_way.enter();
            run.is_of(Digest::of(of));
            if let Some(tier) = tier {
                run.is_at(tier);
            }
            run
        };
        let mut meant = [run(b"a", Some(Tier::Validated)), run(b"a", Some(Tier::Production)), run(b"a", None)];
        let others = [run(b"a", Some(Tier::Untrusted)), run(b"b", Some(Tier::Production)), under_way.enter()];
        assert_eq!(under_way.stop_above(&artifact, Tier::Untrusted), 3);
        for run in &mut meant {
            let (_guard, mut signal) = cancellation();
            assert_eq!(run.stopped(&mut signal).await, Outcome::KillSwitch);
        }
        assert!(others.iter().all(|run| !*run.own.borrow()));
        drop((meant, others));
        assert!(under_way.runs().known.is_empty());
    }

    #[tokio::test]
    async fn stopping_reaches_every_run_and_the_last_one_out_is_seen() {
        let under_way = UnderWay::new();
        let mut runs = [under_way.enter(), under_way.enter()];
        under_way.stop();
        for run in &mut runs {
            let (guard, mut signal) = cancellation();
            assert_eq!(run.stopped(&mut signal).await, Outcome::Canceled);
            drop(guard);
        }
        drop(runs);
        under_way.none().await;
    }
}
