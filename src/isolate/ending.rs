//! What the supervisor is told of a run's end: outcome, result or error, each in words that help.

use super::{loader, trace};
use crate::model::frame::{RunEnd, RunOrder};
use crate::model::{GuestError, Outcome, RESULT_DEPTH_MAX, json_depth};
use cordon_ops::interrupt::KillReason;
use cordon_ops::port::{Ending, Failure};

/// Why a run stopped, before it is put into words.
pub(super) enum Stop {
    /// The guest's part ended by itself.
    Ended(Ending),
    /// A limit ended it; with the stack where it was.
    Killed(KillReason, Option<String>),
    /// A promise is pending and nothing is left that could settle it.
    NeverSettles,
    /// Our fault.
    Broken(String),
}

/// Outcome, result and error of `stop`.
pub(super) fn describe(stop: Stop, order: &Budgets) -> (Outcome, Option<String>, Option<GuestError>) {
    match stop {
        Stop::Ended(Ending::Result(text)) => result(text),
        Stop::Ended(Ending::TooLong { bytes }) => failed(
            Outcome::ExceededOutput,
            format!("the result has {bytes} bytes of JSON or more, {} are allowed", order.output_bytes),
            None,
            "return less, such as a summary or one page of it",
        ),
        Stop::Ended(Ending::Failed(failure)) => uncaught(failure),
        Stop::Killed(KillReason::Cpu, stack) => failed(
            Outcome::ExceededCpu,
            format!("the run used up its CPU budget of {} ms", order.cpu_ms),
            stack,
            "do less work per run, or ask for a larger `cpuMs` within the profile",
        ),
        Stop::Killed(KillReason::Wall, stack) => failed(
            Outcome::ExceededWallTime,
            format!("the run took longer than its wall budget of {} ms", order.wall_ms),
            stack,
            "wait for less, or ask for a larger `wallMs` within the profile",
        ),
        Stop::Killed(KillReason::Memory, stack) => failed(
            Outcome::ExceededMemory,
            format!("heap and buffers together went over the memory budget of {} MiB", order.memory_bytes >> 20),
            stack,
            "keep less in memory at once, or ask for a larger `memoryMb` within the profile",
        ),
        Stop::NeverSettles => failed(
            Outcome::ExceededWallTime,
            "the run awaits a promise, and nothing is left that could settle it".to_owned(),
            None,
            "resolve or reject every promise that is awaited",
        ),
        Stop::Broken(message) => failed(Outcome::InternalError, message, None, "this is a fault of Cordon; try again"),
    }
}

/// The budgets that the words above quote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budgets {
    cpu_ms: u64,
    wall_ms: u64,
    memory_bytes: u64,
    output_bytes: u64,
}

impl Budgets {
    /// Those of `order`.
    pub(super) fn of(order: &RunOrder) -> Self {
        Self { cpu_ms: order.cpu_ms, wall_ms: order.wall_ms, memory_bytes: order.memory_bytes, output_bytes: order.output_bytes }
    }
}

type Words = (Outcome, Option<String>, Option<GuestError>);

/// A result, unless common readers could not read it. The supervisor checks again; for it a deeper one is a lie.
fn result(text: String) -> Words {
    let depth = json_depth(&text);
    if depth <= RESULT_DEPTH_MAX {
        return (Outcome::Ok, Some(text), None);
    }
    let message = format!("the result nests {depth} levels deep, at most {RESULT_DEPTH_MAX} are allowed");
    let error = GuestError {
        code: Outcome::Exception.as_str().to_owned(),
        name: "RangeError".to_owned(),
        message,
        stack: None,
        remediation: "return a flatter value, such as a list with references by index".to_owned(),
    };
    (Outcome::Exception, None, Some(error))
}

fn failed(outcome: Outcome, message: String, stack: Option<String>, remediation: &str) -> Words {
    let mut name = outcome.as_str().to_owned();
    name[..1].make_ascii_uppercase();
    let error = GuestError { code: outcome.as_str().to_owned(), name, message, stack, remediation: remediation.to_owned() };
    (outcome, None, Some(error))
}

fn uncaught(failure: Failure) -> Words {
    let Failure { name, message, stack, refused } = failure;
    // The engine quotes module specifiers in its messages, such as that of an import that the module does not export.
    let message = message.replace(loader::SCHEME, "");
    let (code, remediation) = match refused {
        true => ("policyDenied", "see `denials`: each says what would help"),
        false => (Outcome::Exception.as_str(), "catch the error, or correct what causes it"),
    };
    let stack = trace::of_text(&stack);
    let error = GuestError { code: code.to_owned(), name, message, stack, remediation: remediation.to_owned() };
    (Outcome::Exception, None, Some(error))
}

/// The numbers that a run's end carries besides.
pub(super) struct Figures {
    /// Log lines dropped.
    pub(super) logs_truncated: u64,
    /// Denials dropped.
    pub(super) denials_truncated: u64,
    /// Microseconds from the order to the guest's first instruction.
    pub(super) start_us: u64,
    /// Peak of V8's heap, in bytes.
    pub(super) heap_peak_bytes: u64,
    /// Peak of buffers outside it, in bytes.
    pub(super) external_peak_bytes: u64,
}

/// The frame that tells it all.
pub(super) fn frame((outcome, result, error): Words, figures: Figures) -> RunEnd {
    let Figures { logs_truncated, denials_truncated, start_us, heap_peak_bytes, external_peak_bytes } = figures;
    RunEnd { outcome, result, error, logs_truncated, denials_truncated, start_us, heap_peak_bytes, external_peak_bytes }
}
