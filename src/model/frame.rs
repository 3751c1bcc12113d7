//! Frames on the socket pair between supervisor and cell: length-prefixed, size-capped, versioned, plain data.
//!
//! One frame is a length (u32, little endian, of what follows), a version byte and a body in postcard.
//! Decoding is pure and total: any bytes give a frame, "more bytes needed", or a fault.

use super::exchange::{Answer, Piece, Talk};
use super::{CompileOrder, Denial, Evidence, GuestError, Location, LogLevel, ModuleCache, Outcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version both ends must speak; supervisor and cell are one binary, so a difference means a forged frame.
pub const VERSION: u8 = 1;

/// Bytes of the length prefix.
const PREFIX: usize = 4;

/// Longest frame that a cell may send, in bytes, beyond the budgets of its run: headers and one capped error.
pub const FROM_CELL_SLACK: usize = 256 << 10;

/// Longest frame that the supervisor sends to a cell, in bytes. Sources, source maps and input are capped long before.
pub const TO_CELL_MAX: usize = 256 << 20;

/// The one order that a cell gets: the first frame that the supervisor sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Run this.
    Run(Box<RunOrder>),
    /// Parse this and strip its types.
    Prepare(Box<PrepareOrder>),
    /// Look this through for what is worth a finding.
    Check(Box<PrepareOrder>),
    /// Compile this and run none of it.
    Compile(Box<CompileOrder>),
}

/// What the supervisor tells a cell that has its order: answers to what it asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToCell {
    /// What became of a request.
    Answered {
        /// Of which exchange.
        stream: u32,
        /// What.
        answer: Box<Answer>,
    },
    /// A piece of a body: the first of an answer, or one that the cell asked for.
    Piece(Piece),
    /// The next piece of the cell's own body is wanted.
    Want {
        /// Of which exchange.
        stream: u32,
    },
    /// The rest of an exchange will not come.
    Broken {
        /// Of which exchange.
        stream: u32,
        /// Why.
        message: String,
    },
}

/// One run, as a cell needs to know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOrder {
    /// The run's id, shown to the guest as `ctx.run`.
    pub run: String,
    /// The modules, ready for V8.
    pub modules: Vec<ReadyModule>,
    /// What cells before this one compiled of them.
    pub caches: Vec<ModuleCache>,
    /// Name of the module to start with.
    pub main: String,
    /// Name of the export to run.
    pub entrypoint: String,
    /// The input as JSON text.
    pub input: String,
    /// Variables of `env`, placeholders of secrets among them.
    pub vars: Vec<(String, String)>,
    /// Variables of `env` that no enumeration shows: decoys, which honest code has no reason to read.
    pub hidden: Vec<(String, String)>,
    /// CPU budget in milliseconds.
    pub cpu_ms: u64,
    /// Wall budget in milliseconds.
    pub wall_ms: u64,
    /// Memory budget in bytes, heap and external together.
    pub memory_bytes: u64,
    /// Cap of the result's JSON text in bytes.
    pub output_bytes: u64,
    /// Cap of all log text in bytes.
    pub log_bytes: u64,
    /// Cap of log lines.
    pub log_lines: u64,
    /// Requests that the cell may ask for before it refuses to pass more on.
    pub asks: u64,
    /// True when the run serves the HTTP request that `input` tells of.
    pub served: bool,
}

/// A module after intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyModule {
    /// Its name in the artifact.
    pub name: String,
    /// JavaScript.
    pub code: String,
    /// Source map (version 3, JSON) back to what the caller sent; absent when positions did not move.
    pub source_map: Option<String>,
}

/// An artifact to prepare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareOrder {
    /// Name and source of each module.
    pub modules: Vec<(String, String)>,
    /// Name of the main module.
    pub main: String,
    /// True for a bare snippet: model output may be normalised into a module.
    pub normalise: bool,
}

/// What a cell tells the supervisor. Every field is a claim until checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromCell {
    /// The guest logged a line.
    Log {
        /// Level.
        level: LogLevel,
        /// Text.
        message: String,
        /// Milliseconds after the order.
        at_ms: u64,
    },
    /// The guest was refused something.
    Denied(Denial),
    /// The run is over.
    Finished(Box<RunEnd>),
    /// The artifact is prepared.
    Prepared(Vec<ReadyModule>),
    /// The artifact is refused.
    Rejected(Rejection),
    /// V8 says that memory ran out; the cell is about to die.
    OutOfMemory,
    /// So many log lines and denials were dropped so far. Told at each power of two, so that a cell that dies suddenly has told the order of it.
    Dropped {
        /// Log lines.
        logs: u64,
        /// Denials.
        denials: u64,
    },
    /// Something about requests and bodies.
    Talk(Talk),
    /// What the static checks saw.
    Checked(Box<Evidence>),
    /// The modules are compiled.
    Compiled(Vec<ModuleCache>),
    /// V8 does not take a code cache of the order. Told once.
    CacheRejected,
}

/// How a run ended, as its cell tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// The outcome; only those that a cell may claim are accepted.
    pub outcome: Outcome,
    /// JSON text of the result when the outcome is `ok`.
    pub result: Option<String>,
    /// The error otherwise.
    #[serde(with = "whole_error")]
    pub error: Option<GuestError>,
    /// Log lines dropped by the cell.
    pub logs_truncated: u64,
    /// Denials dropped by the cell.
    pub denials_truncated: u64,
    /// Microseconds from the order to the first instruction of guest code.
    pub start_us: u64,
    /// Peak of V8's heap.
    pub heap_peak_bytes: u64,
    /// Peak of buffers outside it.
    pub external_peak_bytes: u64,
}

impl RunEnd {
    /// An end of which nothing was counted: no guest code ran.
    pub fn uncounted(outcome: Outcome, result: Option<String>, error: Option<GuestError>) -> Self {
        Self { outcome, result, error, logs_truncated: 0, denials_truncated: 0, start_us: 0, heap_peak_bytes: 0, external_peak_bytes: 0 }
    }
}

/// A guest error as a tuple. In JSON an absent stack is left out; postcard has no field names, so what is left out could not be read back.
mod whole_error {
    use super::GuestError;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(error: &Option<GuestError>, serializer: S) -> Result<S::Ok, S::Error> {
        let tuple = |e: &GuestError| (e.code.clone(), e.name.clone(), e.message.clone(), e.stack.clone(), e.remediation.clone());
        error.as_ref().map(tuple).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<GuestError>, D::Error> {
        let tuple: Option<(String, String, String, Option<String>, String)> = Option::deserialize(deserializer)?;
        Ok(tuple.map(|(code, name, message, stack, remediation)| GuestError { code, name, message, stack, remediation }))
    }
}

/// Why intake refused an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// What is wrong, in words.
    pub message: String,
    /// What would help.
    pub remediation: String,
    /// Where, in the source as sent.
    pub location: Option<Location>,
    /// The capability that the source asked for in vain, such as `module` for an import nothing answers.
    pub denial: Option<Denial>,
}

/// Caused by the other end: a frame that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// Longer than the reader accepts.
    #[error("a frame of {bytes} bytes, at most {most} are accepted")]
    TooLong {
        /// Announced length.
        bytes: usize,
        /// The cap.
        most: usize,
    },
    /// Another version.
    #[error("frame version {0} instead of {VERSION}")]
    Version(u8),
    /// An empty frame, or a body that does not decode.
    #[error("the frame's body does not decode: {0}")]
    Body(String),
}

/// One decoded frame and how many bytes it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<T> {
    /// The frame.
    pub frame: T,
    /// Bytes consumed from the front of the buffer.
    pub taken: usize,
}

/// Encodes `frame`, longest `most` bytes after the prefix.
pub fn encode<T: Serialize>(frame: &T, most: usize) -> Result<Vec<u8>, FrameFault> {
    let mut bytes = vec![0, 0, 0, 0, VERSION];
    bytes = postcard::to_extend(frame, bytes).map_err(|error| FrameFault::Body(error.to_string()))?;
    let length = bytes.len() - PREFIX;
    if length > most {
        return Err(FrameFault::TooLong { bytes: length, most });
    }
    let prefix = u32::try_from(length).map_err(|_| FrameFault::TooLong { bytes: length, most })?;
    bytes[..PREFIX].copy_from_slice(&prefix.to_le_bytes());
    Ok(bytes)
}

/// Decodes the frame at the front of `buffer`, longest `most` bytes after the prefix; `None` when more bytes are needed.
pub fn decode<T: DeserializeOwned>(buffer: &[u8], most: usize) -> Result<Option<Decoded<T>>, FrameFault> {
    let Some(length) = announced(buffer, most)? else { return Ok(None) };
    let Some(body) = buffer.get(PREFIX..PREFIX + length) else { return Ok(None) };
    let Some((version, body)) = body.split_first() else { return Err(FrameFault::Body("it is empty".into())) };
    if *version != VERSION {
        return Err(FrameFault::Version(*version));
    }
    match postcard::take_from_bytes(body) {
        Ok((frame, [])) => Ok(Some(Decoded { frame, taken: PREFIX + length })),
        Ok((_, rest)) => Err(FrameFault::Body(format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(FrameFault::Body(error.to_string())),
    }
}

/// Bytes that the frame at the front of `buffer` still lacks, as far as its prefix says so. A claim of the other end: bound what is made of it.
pub fn missing(buffer: &[u8]) -> usize {
    buffer
        .first_chunk::<PREFIX>()
        .map_or(0, |prefix| (u32::from_le_bytes(*prefix) as usize).saturating_add(PREFIX).saturating_sub(buffer.len()))
}

/// The length that the prefix announces, once it is there and inside the cap.
fn announced(buffer: &[u8], most: usize) -> Result<Option<usize>, FrameFault> {
    let Some(prefix) = buffer.first_chunk::<PREFIX>() else { return Ok(None) };
    let length = u32::from_le_bytes(*prefix) as usize;
    if length > most {
        return Err(FrameFault::TooLong { bytes: length, most });
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_frame_lacks_is_what_its_prefix_says_less_what_is_there() {
        let whole = encode(&log("some words"), 100).expect("fits");
        for length in 0..=whole.len() {
            assert_eq!(missing(&whole[..length]), if length < PREFIX { 0 } else { whole.len() - length }, "{length}");
        }
        assert_eq!(missing(&[u8::MAX; PREFIX]), u32::MAX as usize);
    }

    fn log(message: &str) -> FromCell {
        FromCell::Log { level: LogLevel::Info, message: message.to_owned(), at_ms: 3 }
    }

    #[test]
    fn a_frame_reads_back_and_a_shorter_buffer_asks_for_more() {
        let bytes = encode(&log("hello"), 100).expect("fits");
        for cut in 0..bytes.len() {
            assert_eq!(decode::<FromCell>(&bytes[..cut], 100), Ok(None), "cut at {cut}");
        }
        let decoded = decode::<FromCell>(&bytes, 100).expect("well formed").expect("whole");
        assert_eq!(decoded, Decoded { frame: log("hello"), taken: bytes.len() });
    }

    #[test]
    fn the_cap_holds_at_the_limit_and_one_past_it() {
        let bytes = encode(&log("hello"), usize::MAX).expect("fits");
        let body = bytes.len() - PREFIX;
        assert!(decode::<FromCell>(&bytes, body).is_ok());
        let fault = FrameFault::TooLong { bytes: body, most: body - 1 };
        assert_eq!(decode::<FromCell>(&bytes, body - 1), Err(fault.clone()));
        assert_eq!(encode(&log("hello"), body - 1), Err(fault));
        assert!(decode::<FromCell>(&u32::MAX.to_le_bytes(), body).is_err(), "refused before the body is there");
    }

    #[test]
    fn an_error_reads_back_with_a_stack_and_without() {
        for stack in [None, Some("at main.ts:1:1".to_owned())] {
            let text = || "x".to_owned();
            let error = Some(GuestError { code: text(), name: text(), message: text(), stack, remediation: text() });
            let uncounted = RunEnd::uncounted(Outcome::Exception, None, error);
            let end = RunEnd { start_us: 1, heap_peak_bytes: 2, external_peak_bytes: 3, ..uncounted };
            let frame = FromCell::Finished(Box::new(end));
            let bytes = encode(&frame, 1000).expect("fits");
            assert_eq!(decode(&bytes, 1000), Ok(Some(Decoded { frame, taken: bytes.len() })));
        }
    }

    #[test]
    fn the_seeds_of_the_fuzzer_are_frames_of_this_format() {
        let seed = |name: &str| std::fs::read(format!("{}/fuzz/corpus/from_cell/seed-{name}", env!("CARGO_MANIFEST_DIR"))).expect("a seed");
        for name in
            ["log", "denied", "ok", "exception", "lie", "prepared", "rejected", "out-of-memory", "dropped", "compiled", "cache-rejected"]
        {
            let bytes = seed(name);
            let decoded = decode::<FromCell>(&bytes, 1000);
            assert!(
                decoded.as_ref().is_ok_and(|decoded| decoded.as_ref().is_some_and(|decoded| decoded.taken == bytes.len())),
                "{name}: {decoded:?}"
            );
        }
        assert!(matches!(decode::<FromCell>(&seed("left-over"), 1000), Err(FrameFault::Body(_))));
    }

    #[test]
    fn another_version_an_empty_frame_and_left_over_bytes_are_faults() {
        let mut bytes = encode(&log("x"), 100).expect("fits");
        bytes[PREFIX] = VERSION + 1;
        assert_eq!(decode::<FromCell>(&bytes, 100), Err(FrameFault::Version(VERSION + 1)));
        assert!(matches!(decode::<FromCell>(&[0; 4], 100), Err(FrameFault::Body(_))));
        let mut bytes = encode(&log("x"), 100).expect("fits");
        bytes.push(0);
        bytes[0] += 1;
        assert!(matches!(decode::<FromCell>(&bytes, 100), Err(FrameFault::Body(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_fault_or_wait_and_never_take_more_than_there_is(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(Some(decoded)) = decode::<FromCell>(&bytes, 300) {
                prop_assert!(decoded.taken <= bytes.len());
            }
        }

        #[test]
        fn any_body_behind_a_right_header_never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = (body.len() as u32 + 1).to_le_bytes().to_vec();
            bytes.push(VERSION);
            bytes.extend(&body);
            if let Ok(Some(decoded)) = decode::<FromCell>(&bytes, 400) {
                prop_assert_eq!(decoded.taken, bytes.len());
            }
        }
    }
}
