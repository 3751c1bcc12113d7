//! The inner watchdog: one small thread that gives the order to end the run when a time budget is used up, and insists until the
//! run's thread has left JavaScript. The supervisor is the outer one.

use super::limits::{TimeBudget, TimeLeft};
use cordon_ops::interrupt::{Kill, KillReason};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

/// How long an order may take before it is repeated. A request to terminate can get lost when it races with an ordinary throw.
const INSIST_EVERY: Duration = Duration::from_millis(2);

/// Stack of the thread, in bytes: it calls a clock and two functions of V8.
const STACK_BYTES: usize = 128 << 10;

/// A watchdog whose thread exists and waits for the budgets of its run. A cell makes it before its last filter, which allows no thread.
pub(super) struct Watchdog {
    kill: Arc<Kill>,
    budgets: SyncSender<TimeBudget>,
}

impl Watchdog {
    /// Starts the thread, which gives `kill`. Fails when the kernel gives none.
    pub(super) fn arm(kill: Arc<Kill>) -> io::Result<Self> {
        let (budgets, start) = mpsc::sync_channel(1);
        let keeper = thread::Builder::new().name("watchdog".to_owned()).stack_size(STACK_BYTES).spawn({
            let kill = kill.clone();
            // A cell that ends idle drops the other end: then there is nothing to watch.
            move || start.recv().into_iter().for_each(|budget| keep(&kill, budget))
        })?;
        kill.kept_by(keeper.thread().clone());
        Ok(Self { kill, budgets })
    }

    /// Starts watching; what ends the run comes back.
    pub(super) fn watch(self, budget: TimeBudget) -> Arc<Kill> {
        // The thread holds its end until it has a budget, so this arrives.
        let _ = self.budgets.send(budget);
        self.kill
    }
}

fn keep(kill: &Arc<Kill>, budget: TimeBudget) {
    while !kill.is_acknowledged() {
        if kill.reason().is_some() {
            thread::park_timeout(INSIST_EVERY);
            if !kill.is_acknowledged() {
                kill.press();
            }
            continue;
        }
        match budget.left() {
            TimeLeft::For(left) => thread::park_timeout(left),
            TimeLeft::NoCpu => kill.give(KillReason::Cpu),
            TimeLeft::NoWall => kill.give(KillReason::Wall),
        }
    }
}
