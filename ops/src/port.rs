//! What an op may ask of the host: plain words, no V8 type.

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `console.debug`, `console.trace`
    Debug,
    /// `console.log`, `console.info` and kin
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, `console.assert`
    Error,
}

/// Something the guest tried and was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What right was missing.
    pub capability: &'static str,
    /// On what; capped.
    pub target: String,
    /// The rule that decided.
    pub rule: &'static str,
    /// Why, in words.
    pub reason: &'static str,
    /// What would help.
    pub remediation: &'static str,
}

/// An uncaught error of the guest, as trusted JavaScript read it inside the limits. Each text is capped already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error's name.
    pub name: String,
    /// Its message.
    pub message: String,
    /// Its stack; empty when it has none.
    pub stack: String,
    /// True when the error is one that the host threw for a refusal.
    pub refused: bool,
}

/// How the guest's part of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With a result, as JSON text.
    Result(String),
    /// With a result longer than allowed.
    TooLong {
        /// Bytes of the text, or a lower bound of them.
        bytes: u64,
    },
    /// With an uncaught error.
    Failed(Failure),
}

/// The host as ops see it. One implementation serves one run.
pub trait Port {
    /// The guest logs `message`. False when the log takes no more: what follows will be dropped and counted.
    fn log(&mut self, level: Level, message: String) -> bool;
    /// The guest logged something after the log was full.
    fn log_dropped(&mut self);
    /// The guest was refused something.
    fn refuse(&mut self, refusal: Refusal);
    /// The guest is done. The first call counts.
    fn end(&mut self, ending: Ending);
    /// Guest code is about to run for the first time.
    fn guest_starts(&mut self);
    /// Most bytes of a result's JSON text.
    fn output_bytes_max(&self) -> u64;
}
