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

/// Longest body that goes along with its request, and longest piece of any other body, in bytes: a pipe's worth, so that a piece is one write.
pub const PIECE_BYTES_MAX: usize = 64 << 10;

/// Longest headers of the answer that a run serves: their names and values together, in bytes of UTF-8. Source: what common proxies take at most,
/// doubled (nginx 4 times 8 KiB).
pub const SERVED_HEADER_BYTES_MAX: usize = 64 << 10;

/// What the guest asks to have sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The method, as the guest's request has it.
    pub method: String,
    /// The URL, as the guest's parser wrote it.
    pub url: String,
    /// Names and values; characters of a value stand for bytes.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: AskBody,
    /// What becomes of redirects.
    pub redirect: Redirect,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskBody {
    /// There is none.
    None,
    /// This, at most [`PIECE_BYTES_MAX`].
    Whole(Vec<u8>),
    /// It comes in pieces, each when it is asked for.
    Streamed,
}

/// What becomes of redirects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// They are followed.
    Follow,
    /// They are answers like others.
    Manual,
    /// They are errors.
    Error,
}

/// The answer of a run that serves a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The status.
    pub status: u16,
    /// Names and values; characters of a value stand for bytes.
    pub headers: Vec<(String, String)>,
    /// True when a body follows in pieces, each when it is asked for.
    pub body: bool,
}

/// What comes back to the guest. `stream` is the number that [`Port::ask`] gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The answer's head as JSON text: `status`, `statusText`, `headers`, `url`, `redirected`, `body` (whether one follows), or `denied`, or `failed`.
    Answer {
        /// Of which exchange.
        stream: u32,
        /// The text.
        head: String,
    },
    /// A piece of a body that was asked for.
    Piece {
        /// Of which exchange.
        stream: u32,
        /// The bytes.
        bytes: Vec<u8>,
        /// True when no other follows.
        last: bool,
    },
    /// The next piece of the guest's own body is wanted.
    Want {
        /// Of which exchange.
        stream: u32,
    },
    /// The rest of an exchange will not come.
    Broken {
        /// Of which exchange.
        stream: u32,
        /// Why, in the words of the guest's error.
        message: String,
    },
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
    /// The guest asks to have a request sent. The number of the exchange, or why the run may not even ask.
    fn ask(&mut self, ask: Ask) -> Result<u32, Refusal>;
    /// The guest waits for the next piece of exchange `stream`.
    fn want(&mut self, stream: u32);
    /// The guest answers the request that its run serves.
    fn serve(&mut self, served: Served);
    /// The piece of its own body that was wanted.
    fn piece(&mut self, stream: u32, bytes: &[u8], last: bool);
    /// The guest wants no more of exchange `stream`, or cannot give the rest of its body.
    fn abandon(&mut self, stream: u32);
}
