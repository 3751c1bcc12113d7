//! What operators see of a run that is over.

use super::verdict::Verdict;
use crate::cell::Execution;
use crate::model::{Grant, Outcome};
use crate::telemetry::{Overshoot, Start, Telemetry};
use std::time::Duration;

/// Counts a run under `grant` that is over; `waited` is how long its cell was waited for, none when it was idle.
pub(super) fn observe(telemetry: &Telemetry, grant: &Grant, execution: &Execution, verdict: &Verdict, waited: Option<Duration>) {
    let (tier, limits) = (grant.tier, grant.limits);
    telemetry.run_finished(tier, verdict.outcome, execution.wall, execution.cpu);
    execution.denials.iter().for_each(|denial| telemetry.denial_told(denial));
    if verdict.start_us > 0 {
        let started = Duration::from_micros(verdict.start_us).min(execution.wall);
        match waited {
            None => telemetry.isolate_started(Start::Warm, started),
            Some(waited) => telemetry.isolate_started(Start::Cold, waited + started),
        }
    }
    match verdict.outcome {
        Outcome::ExceededCpu => {
            telemetry.limit_overshoot(Overshoot::Cpu, execution.cpu.saturating_sub(Duration::from_millis(limits.cpu_ms)))
        }
        // A run whose promise can never settle ends before its time.
        Outcome::ExceededWallTime if execution.wall < Duration::from_millis(limits.wall_ms) => {}
        Outcome::ExceededWallTime => {
            telemetry.limit_overshoot(Overshoot::Wall, execution.wall.saturating_sub(Duration::from_millis(limits.wall_ms)))
        }
        Outcome::Ok
        | Outcome::Exception
        | Outcome::ExceededMemory
        | Outcome::ExceededOutput
        | Outcome::KillSwitch
        | Outcome::Canceled
        | Outcome::Crashed
        | Outcome::InternalError => {}
    }
}
