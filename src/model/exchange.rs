//! What a cell and the supervisor say to each other about requests and bodies while a run is under way. The numbers of exchanges are the cell's; the
//! first two are for the HTTP exchange that the run itself serves.

use super::Denial;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Longest piece of a body in one frame, in bytes.
pub const PIECE_BYTES_MAX: usize = 64 << 10;

/// Longest headers of the answer that a run serves: their names and values together, in bytes of UTF-8. Source: as in `ops/src/port.rs`.
pub const SERVED_HEADER_BYTES_MAX: usize = 64 << 10;

/// The body of the request that a run serves, on its way to the cell.
pub const SERVED_REQUEST: u32 = 0;

/// The body of its answer, on its way from the cell.
pub const SERVED_ANSWER: u32 = 1;

/// The first number of what the guest asks for itself.
pub const FIRST_ASK: u32 = 2;

/// The HTTP request that a run serves: the run's input, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedRequest {
    /// The method.
    pub method: String,
    /// The URL, whose path is what follows the artifact's.
    pub url: String,
    /// Names in lower case and values, whose characters stand for bytes.
    pub headers: Vec<(String, String)>,
    /// True when a body follows, piece by piece as it is asked for.
    pub body: bool,
}

/// The head of the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedHead {
    /// The status.
    pub status: u16,
    /// Names and values, as in [`ServedRequest::headers`].
    pub headers: Vec<(String, String)>,
    /// True when a body follows, piece by piece as it is asked for.
    pub body: bool,
}

/// A request that a cell asks to have sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The exchange.
    pub stream: u32,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskBody {
    /// There is none.
    None,
    /// This.
    Whole(Bytes),
    /// It comes in pieces, each when it is asked for.
    Streamed,
}

/// What becomes of redirects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Redirect {
    /// They are followed.
    Follow,
    /// They are answers like others.
    Manual,
    /// They are errors.
    Error,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// An answer came.
    Head(AnswerHead),
    /// It was refused.
    Denied(Denial),
    /// It failed on its way.
    Failed {
        /// How, such as `timeout`.
        code: String,
        /// In words.
        message: String,
    },
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHead {
    /// The status.
    pub status: u16,
    /// Its usual phrase.
    pub status_text: String,
    /// Names and values, as in [`Ask::headers`].
    pub headers: Vec<(String, String)>,
    /// The URL that answered.
    pub url: String,
    /// True when that is not the URL that was asked for.
    pub redirected: bool,
    /// True when a body follows, piece by piece as it is asked for.
    pub body: bool,
}

/// A piece of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The exchange.
    pub stream: u32,
    /// The bytes, at most [`PIECE_BYTES_MAX`].
    pub bytes: Bytes,
    /// True when no other follows.
    pub last: bool,
}

/// What a cell says of requests and bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Talk {
    /// The guest asks to have a request sent.
    Ask(Box<Ask>),
    /// The guest waits for the next piece of an exchange.
    Want {
        /// Of which exchange.
        stream: u32,
    },
    /// The piece of the guest's own body that was wanted.
    Piece(Piece),
    /// The guest wants no more of an exchange, or cannot give the rest of its body.
    Abandon {
        /// Of which exchange.
        stream: u32,
    },
    /// The answer of a run that serves a request.
    Serve(Box<ServedHead>),
}
