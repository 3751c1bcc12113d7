//! The inner watchdog: one small thread that gives the order to end the run when a time budget is used up, and insists until the
//! run's thread has left JavaScript. The supervisor is the outer one.

use super::limits::{TimeBudget, TimeLeft, process_cpu};
use cordon_ops::alarm;
use cordon_ops::interrupt::{INSIST_EVERY, Kill, KillReason};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
    let mut chance = None;
    while !kill.is_acknowledged() {
        alarm::wait();
        let left = budget.get().map(TimeBudget::left);
        match (kill.reason(), left) {
            (Some(_), _) if kill.is_acknowledged() => return,
            (Some(_), _) => {
                if chance.get_or_insert_with(Chance::start).is_over() {
                    kill.press();
                }
                alarm::ring_after(INSIST_EVERY);
            }
            (None, Some(TimeLeft::NoCpu)) => chance = Some(Chance::give(kill, KillReason::Cpu)),
            (None, Some(TimeLeft::NoWall)) => chance = Some(Chance::give(kill, KillReason::Wall)),
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

/// The time in which an ordered end may tell where the run was. Who insists before the run's thread got a processor loses that.
struct Chance {
    cpu_before: Duration,
    rings: u32,
}

impl Chance {
    /// CPU time of the process after which the run's thread had its chance. Telling takes some hundred microseconds.
    const CPU: Duration = Duration::from_millis(1);
    /// Rings after which it is over in any case: 40 ms without a processor.
    const RINGS: u32 = 20;

    fn give(kill: &Arc<Kill>, reason: KillReason) -> Self {
        let chance = Self::start();
        kill.give(reason);
        chance
    }

    fn start() -> Self {
        Self { cpu_before: process_cpu().unwrap_or_default(), rings: 0 }
    }

    fn is_over(&mut self) -> bool {
        self.rings += 1;
        self.rings > Self::RINGS || process_cpu().unwrap_or(Duration::MAX).saturating_sub(self.cpu_before) >= Self::CPU
    }
}
