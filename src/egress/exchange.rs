//! What a run asks to have sent, and what comes of it.

use super::{InBody, Refusal};
use crate::model::exchange::Redirect;
use bytes::Bytes;
use tokio::sync::mpsc;

/// A request that a run asks for.
pub struct Outbound {
    /// The method, as the guest's request has it.
    pub method: String,
    /// The URL, as the guest's parser wrote it.
    pub url: String,
    /// Names and values; characters of a value stand for bytes.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: OutBody,
    /// What becomes of redirects.
    pub redirect: Redirect,
}

/// The body of a request.
pub enum OutBody {
    /// There is none.
    Empty,
    /// This.
    Whole(Bytes),
    /// Pieces. A channel that closes before [`OutPiece::End`] says that the rest will not come: the request is cut off and never completed.
    Stream(mpsc::Receiver<OutPiece>),
}

/// A piece of a streamed body.
#[derive(Debug)]
pub enum OutPiece {
    /// Some of it.
    Bytes(Bytes),
    /// All of it was sent.
    End,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Inbound {
    /// The status.
    pub status: u16,
    /// The status's usual phrase; never the origin's own.
    pub status_text: String,
    /// Names and values, as in [`Outbound::headers`]. A name may come more than once.
    pub headers: Vec<(String, String)>,
    /// The URL that answered, without a fragment.
    pub url: String,
    /// True when redirects led to it.
    pub redirected: bool,
    /// The body; none where HTTP allows none.
    pub body: Option<InBody>,
}

/// Why a request has no answer, or an answer no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It was refused.
    Denied(Box<Refusal>),
    /// It failed on its way.
    Failed {
        /// How: one of the codes of [`Fault::failed`].
        code: String,
        /// In words.
        message: String,
    },
}

impl Fault {
    /// A failure. Codes: `timeout`, `connectFailed`, `dnsFailed`, `tlsFailed`, `protocol`, `responseTooLarge`, `requestTooLarge`, `tooManyRedirects`,
    /// `redirectForbidden`, `aborted`, `badEncoding`, `headersTooLarge`.
    pub(super) fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed { code: code.to_owned(), message: message.into() }
    }

    /// What a ledger row calls it.
    pub fn code(&self) -> &str {
        match self {
            Self::Denied(refusal) => refusal.code,
            Self::Failed { code, .. } => code,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Denied(Box::new(refusal))
    }
}
