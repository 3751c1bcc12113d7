//! The inner watchdog: one small thread that gives the order to end the run when a time budget is used up, and insists until the
//! run's thread has left JavaScript. The supervisor is the outer one.

use super::limits::{TimeBudget, TimeLeft};
use cordon_ops::alarm;
use cordon_ops::interrupt::{INSIST_EVERY, Kill, KillReason};
use std::io;
use std::sync::{Arc, OnceLock};

/// A watchdog whose thread exists and sleeps until the alarm rings. A cell makes it before its last filter, which allows no thread.
pub(super) struct Watchdog {
    kill: Arc<Kill>,
    budget: Arc<OnceLock<TimeBudget>>,
}

impl Watchdog {
    /// Starts the thread, which gives `kill`. Fails when the kernel gives none.
    pub(super) fn arm(kill: Arc<Kill>) -> io::Result<Self> {
        let budget = Arc::new(OnceLock::new());
        alarm::start_thread({
            let (kill, budget) = (Arc::clone(&kill), Arc::clone(&budget));
            Box::new(move || keep(&kill, &budget))
        })?;
        Ok(Self { kill, budget })
    }

    /// Starts watching; what ends the run comes back.
    pub(super) fn watch(self, budget: TimeBudget) -> Arc<Kill> {
        let _ = self.budget.set(budget);
        match budget.left() {
            TimeLeft::For(left) => alarm::ring_after(left),
            TimeLeft::NoCpu | TimeLeft::NoWall => alarm::ring_after(INSIST_EVERY),
        }
        self.kill
    }
}

/// Each ring is a look at the clocks and at the order; what it finds decides when the next one comes.
fn keep(kill: &Arc<Kill>, budget: &OnceLock<TimeBudget>) {
    while !kill.is_acknowledged() {
        alarm::wait();
        let left = budget.get().map(TimeBudget::left);
        match (kill.reason(), left) {
            (Some(_), _) if kill.is_acknowledged() => return,
            (Some(_), _) => {
                kill.press();
                alarm::ring_after(INSIST_EVERY);
            }
            (None, Some(TimeLeft::NoCpu)) => kill.give(KillReason::Cpu),
            (None, Some(TimeLeft::NoWall)) => kill.give(KillReason::Wall),
            (None, Some(TimeLeft::For(left))) => {
                alarm::ring_after(left);
                // The run's own thread may have given the order, and set the alarm, just before this set it to later.
                if kill.reason().is_some() {
                    alarm::ring_after(INSIST_EVERY);
                }
            }
            // Rung before the run began, by somebody else: its start sets the alarm.
            (None, None) => {}
        }
    }
}
