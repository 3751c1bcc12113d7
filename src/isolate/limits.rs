//! The budgets of one run, as the inside of a cell keeps them, and the clock of its CPU time.

use crate::model::frame::RunOrder;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// CPU time that this process has used so far. None where the kernel does not tell, which Linux always does.
pub(super) fn process_cpu() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok().map(Duration::from)
}

/// Time budgets, counted from the moment they are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeBudget {
    started: Instant,
    cpu_before: Duration,
    wall_max: Duration,
    cpu_max: Duration,
}

/// What is left of the time budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeLeft {
    /// At least this long until either can be used up: CPU time passes no faster than wall time, as one thread runs JavaScript.
    For(Duration),
    /// The wall budget is used up.
    NoWall,
    /// The CPU budget is used up.
    NoCpu,
}

impl TimeBudget {
    /// The budgets of `order`, from now on.
    pub(super) fn start(started: Instant, order: &RunOrder) -> Self {
        Self {
            started,
            cpu_before: process_cpu().unwrap_or_default(),
            wall_max: Duration::from_millis(order.wall_ms),
            cpu_max: Duration::from_millis(order.cpu_ms),
        }
    }

    /// What is left now.
    pub(super) fn left(&self) -> TimeLeft {
        let cpu = process_cpu().unwrap_or(Duration::MAX).saturating_sub(self.cpu_before);
        Self::compare(self.wall_max.checked_sub(self.started.elapsed()), self.cpu_max.checked_sub(cpu))
    }

    fn compare(wall: Option<Duration>, cpu: Option<Duration>) -> TimeLeft {
        match (wall.filter(|left| !left.is_zero()), cpu.filter(|left| !left.is_zero())) {
            (_, None) => TimeLeft::NoCpu,
            (None, _) => TimeLeft::NoWall,
            (Some(wall), Some(cpu)) => TimeLeft::For(wall.min(cpu)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_used_up_at_its_last_nanosecond_and_not_before() {
        let one = Some(Duration::from_nanos(1));
        let two = Some(Duration::from_nanos(2));
        assert_eq!(TimeBudget::compare(one, two), TimeLeft::For(Duration::from_nanos(1)));
        assert_eq!(TimeBudget::compare(two, Some(Duration::ZERO)), TimeLeft::NoCpu);
        assert_eq!(TimeBudget::compare(Some(Duration::ZERO), two), TimeLeft::NoWall);
        assert_eq!(TimeBudget::compare(None, None), TimeLeft::NoCpu);
    }
}
