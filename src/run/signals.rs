//! Who can end a run early: its client by going away, and the server by stopping.

use crate::model::Outcome;
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

/// Stops every run under way, and counts them so that their end can be awaited.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    stop: watch::Sender<bool>,
    count: watch::Sender<usize>,
}

/// One run under way, for as long as it lives.
#[derive(Debug)]
pub(super) struct Running {
    stop: watch::Receiver<bool>,
    count: watch::Sender<usize>,
}

impl UnderWay {
    pub(super) fn new() -> Self {
        Self { stop: watch::Sender::new(false), count: watch::Sender::new(0) }
    }

    /// Counts one more run.
    pub(super) fn enter(&self) -> Running {
        self.count.send_modify(|count| *count += 1);
        Running { stop: self.stop.subscribe(), count: self.count.clone() }
    }

    /// Ends every run under way.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Returns when no run is under way.
    pub(super) async fn none(&self) {
        // The sender is held here, so the channel cannot close.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Running {
    /// Returns when the run must end early, with the outcome that this means.
    pub(super) async fn stopped(&mut self, cancel: &mut CancelSignal) -> Outcome {
        tokio::select! {
            () = cancel.cancelled() => Outcome::Canceled,
            () = stopping(&mut self.stop) => Outcome::Canceled,
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
        self.count.send_modify(|count| *count -= 1);
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
