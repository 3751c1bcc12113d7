//! From an execution to an outcome. What a cell says is a claim: checked here, or overruled.

use crate::cell::{Death, Execution, Kill};
use crate::model::frame::{FromCell, RunEnd};
use crate::model::{GuestError, JsonCaps, Limits, Outcome, RESULT_DEPTH_MAX, check_json};
use serde_json::value::RawValue;

/// Longest text that an error may carry in each field, in bytes. Source: the cell cuts a stack after 16,384 UTF-16 units (`js/run.js`), of
/// three bytes each at most, and marks the cut.
const ERROR_TEXT_BYTES_MAX: usize = 64 << 10;

/// How a run ended, checked.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) result: Box<RawValue>,
    pub(super) error: Option<GuestError>,
    pub(super) logs_truncated: u64,
    pub(super) denials_truncated: u64,
    pub(super) start_us: u64,
    pub(super) heap_peak_bytes: u64,
    pub(super) external_peak_bytes: u64,
    /// What only the operator should read: why the host failed or the cell was cut off.
    pub(super) cause: Option<String>,
}

impl Verdict {
    fn without_result(outcome: Outcome, message: String, cause: Option<String>) -> Self {
        Self {
            outcome,
            result: RawValue::NULL.to_owned(),
            error: Some(limit_error(outcome, message)),
            logs_truncated: 0,
            denials_truncated: 0,
            start_us: 0,
            heap_peak_bytes: 0,
            external_peak_bytes: 0,
            cause,
        }
    }

    /// The verdict on `execution`, which ran under `limits`.
    pub(super) fn of(execution: &mut Execution, limits: &Limits) -> Self {
        let dropped = execution.dropped;
        let mut verdict = Self::on(execution, limits);
        // What a cell told while it ran counts if it did not live to tell the whole.
        verdict.logs_truncated = verdict.logs_truncated.max(dropped.logs);
        verdict.denials_truncated = verdict.denials_truncated.max(dropped.denials);
        verdict
    }

    /// Says what the client got of the answer that the run served: the result of an HTTP exchange.
    pub(super) fn serve(&mut self, status: Option<u64>, bytes: u64) {
        match (self.outcome, status) {
            (Outcome::Ok, None) => *self = Self::lied("it claimed ok without an answer".to_owned()),
            (Outcome::Ok, Some(status)) => {
                let text = format!("{{\"status\":{status},\"bodyBytes\":{bytes}}}");
                self.result = RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned());
            }
            (_, _) => {}
        }
    }

    fn on(execution: &mut Execution, limits: &Limits) -> Self {
        if let Some(kill) = execution.killed.take() {
            return Self::killed(kill, limits);
        }
        if let Some(death) = execution.death {
            return Self::died(death, limits);
        }
        match execution.last.take() {
            Some(FromCell::Finished(end)) => Self::claimed(*end, limits),
            Some(_) | None => Self::lied("its last frame does not answer a run".to_owned()),
        }
    }

    fn killed(kill: Kill, limits: &Limits) -> Self {
        match kill {
            Kill::Cpu => Self::without_result(Outcome::ExceededCpu, cpu_message(limits), None),
            Kill::Wall => Self::without_result(Outcome::ExceededWallTime, wall_message(limits), None),
            Kill::Stopped(outcome) => Self::without_result(outcome, "the run was stopped".to_owned(), None),
            Kill::Lied(how) => Self::lied(how),
        }
    }

    fn died(death: Death, limits: &Limits) -> Self {
        match death {
            Death::Memory => {
                Self::without_result(Outcome::ExceededMemory, format!("the run used more than {} MiB", limits.memory_mb), None)
            }
            Death::Cpu => Self::without_result(Outcome::ExceededCpu, cpu_message(limits), None),
            Death::Crash => Self::without_result(Outcome::Crashed, "the run's process crashed".to_owned(), Some("crash".to_owned())),
            Death::Host => Self::without_result(
                Outcome::InternalError,
                "the run's process was lost".to_owned(),
                Some("the cell was killed from outside, its zygote died, or it could not be sealed".to_owned()),
            ),
        }
    }

    fn lied(how: String) -> Self {
        let message = "the run's process broke its protocol and was killed".to_owned();
        Self::without_result(Outcome::Crashed, message, Some(how))
    }

    fn claimed(end: RunEnd, limits: &Limits) -> Self {
        if !end.outcome.may_be_claimed() {
            return Self::lied(format!("it claimed the outcome {}", end.outcome));
        }
        let (result, error) = match (end.outcome, end.result, end.error) {
            (Outcome::Ok, Some(text), None) => match checked(text, limits) {
                Ok(result) => (result, None),
                Err(how) => return Self::lied(how),
            },
            (Outcome::Ok, _, _) => return Self::lied("it claimed ok without a result".to_owned()),
            (_, _, Some(error)) if fits(&error) => (RawValue::NULL.to_owned(), Some(error)),
            (_, _, Some(_)) => return Self::lied("its error is longer than allowed".to_owned()),
            (outcome, _, None) => (RawValue::NULL.to_owned(), Some(limit_error(outcome, "the run ended early".to_owned()))),
        };
        Self {
            outcome: end.outcome,
            result,
            error,
            logs_truncated: end.logs_truncated,
            denials_truncated: end.denials_truncated,
            start_us: end.start_us,
            heap_peak_bytes: end.heap_peak_bytes,
            external_peak_bytes: end.external_peak_bytes,
            cause: None,
        }
    }
}

/// The result as JSON, if it is JSON inside the caps.
fn checked(text: String, limits: &Limits) -> Result<Box<RawValue>, String> {
    let bytes = usize::try_from(limits.output_bytes).unwrap_or(usize::MAX);
    check_json(&text, JsonCaps { bytes, depth: RESULT_DEPTH_MAX }).map_err(|fault| format!("its result: {fault}"))?;
    RawValue::from_string(text).map_err(|error| format!("its result: {error}"))
}

fn fits(error: &GuestError) -> bool {
    let stack = error.stack.as_deref().unwrap_or_default();
    [&error.code, &error.name, &error.message, &error.remediation, stack].iter().all(|text| text.len() <= ERROR_TEXT_BYTES_MAX)
}

fn cpu_message(limits: &Limits) -> String {
    format!("the run used its {} ms of CPU time inside one native call, which V8 cannot interrupt", limits.cpu_ms)
}

fn wall_message(limits: &Limits) -> String {
    format!("the run did not end within {} ms", limits.wall_ms)
}

/// The error of an outcome that the guest did not word itself.
fn limit_error(outcome: Outcome, message: String) -> GuestError {
    let remediation = match outcome {
        Outcome::ExceededCpu => "do less work per run, or ask for a profile with a larger limits.cpu_ms",
        Outcome::ExceededWallTime => "wait for less, or ask for a profile with a larger limits.wall_ms",
        Outcome::ExceededMemory => "keep less data alive at once, or ask for a profile with a larger limits.memory_mb",
        Outcome::ExceededOutput => "return less, or ask for a profile with a larger limits.output_bytes",
        Outcome::KillSwitch => "an operator stopped this scope; ask them",
        Outcome::Canceled => "keep the connection open until the answer comes, or send an Idempotency-Key so that the run goes on",
        Outcome::Crashed => "simplify the code; if it is harmless, report it with the run's id",
        Outcome::InternalError => "try again; if it persists, report it with the run's id",
        Outcome::Ok | Outcome::Exception => "see the message",
    };
    GuestError { code: outcome.as_str().to_owned(), name: "Error".to_owned(), message, stack: None, remediation: remediation.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        cpu_ms: 50,
        wall_ms: 1000,
        memory_mb: 64,
        sub_requests: 0,
        output_bytes: 100,
        log_bytes: 100,
        log_lines: 10,
        source_bytes: 100,
        modules: 10,
        input_bytes: 100,
    };

    fn verdict(last: Option<FromCell>, killed: Option<Kill>, death: Option<Death>) -> Verdict {
        let mut execution = Execution { last, killed, death, ..Execution::lost() };
        Verdict::of(&mut execution, &LIMITS)
    }

    fn claim(outcome: Outcome, result: Option<&str>) -> Verdict {
        let end = RunEnd::uncounted(outcome, result.map(str::to_owned), None);
        verdict(Some(FromCell::Finished(Box::new(end))), None, None)
    }

    #[test]
    fn an_honest_claim_passes_and_a_forged_one_is_a_crash() {
        assert_eq!(claim(Outcome::Ok, Some("[1]")).outcome, Outcome::Ok);
        assert_eq!(claim(Outcome::ExceededMemory, None).outcome, Outcome::ExceededMemory);
        for forged in [Outcome::KillSwitch, Outcome::Canceled, Outcome::Crashed, Outcome::InternalError] {
            assert_eq!(claim(forged, Some("1")).outcome, Outcome::Crashed, "{forged}");
        }
        for result in [None, Some("1,\"tier\":2"), Some("")] {
            assert_eq!(claim(Outcome::Ok, result).outcome, Outcome::Crashed, "{result:?}");
        }
    }

    #[test]
    fn a_result_at_the_output_limit_passes_and_one_byte_more_does_not() {
        let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
        assert_eq!(claim(Outcome::Ok, Some(&text(100))).outcome, Outcome::Ok);
        assert_eq!(claim(Outcome::Ok, Some(&text(101))).outcome, Outcome::Crashed);
    }

    #[test]
    fn the_supervisors_own_word_overrules_the_cells() {
        let ok = || {
            let Verdict { outcome, .. } = claim(Outcome::Ok, Some("1"));
            outcome
        };
        assert_eq!(ok(), Outcome::Ok);
        assert_eq!(verdict(None, Some(Kill::Stopped(Outcome::Canceled)), None).outcome, Outcome::Canceled);
        assert_eq!(verdict(None, Some(Kill::Cpu), Some(Death::Crash)).outcome, Outcome::ExceededCpu);
        assert_eq!(verdict(None, None, Some(Death::Memory)).outcome, Outcome::ExceededMemory);
        assert_eq!(verdict(None, None, Some(Death::Host)).outcome, Outcome::InternalError);
        assert_eq!(verdict(None, None, None).outcome, Outcome::Crashed);
    }
}
