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

/// How a request that was not refused can fail. Guests see the codes: none is ever renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// `timeout`: connection, first byte or whole answer took longer than the settings allow.
    Timeout,
    /// `connectFailed`: no vetted address took a connection.
    ConnectFailed,
    /// `dnsFailed`: the name has no address, or no server said so.
    DnsFailed,
    /// `tlsFailed`: the origin does not speak TLS, or is not who the URL says.
    TlsFailed,
    /// `protocol`: the origin does not speak HTTP, or broke off.
    Protocol,
    /// `responseTooLarge`: the body is longer than the rule's `max_response_bytes`, as it came or decoded.
    ResponseTooLarge,
    /// `requestTooLarge`: the body is longer than the settings allow.
    RequestTooLarge,
    /// `tooManyRedirects`: more hops than the settings allow.
    TooManyRedirects,
    /// `redirectForbidden`: the request forbids redirects, or its body was a stream and cannot be sent again.
    RedirectForbidden,
    /// `aborted`: the guest did not finish the body or dropped the exchange, or the run's intent could not be made durable.
    Aborted,
    /// `badEncoding`: the body is not encoded as its head says, or in a way that cannot be looked through for secrets.
    BadEncoding,
    /// `headersTooLarge`: the answer's headers are longer, or more, than the settings allow.
    HeadersTooLarge,
}

impl Failure {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::Timeout,
        Self::ConnectFailed,
        Self::DnsFailed,
        Self::TlsFailed,
        Self::Protocol,
        Self::ResponseTooLarge,
        Self::RequestTooLarge,
        Self::TooManyRedirects,
        Self::RedirectForbidden,
        Self::Aborted,
        Self::BadEncoding,
        Self::HeadersTooLarge,
    ];

    /// What guests and ledgers call it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ConnectFailed => "connectFailed",
            Self::DnsFailed => "dnsFailed",
            Self::TlsFailed => "tlsFailed",
            Self::Protocol => "protocol",
            Self::ResponseTooLarge => "responseTooLarge",
            Self::RequestTooLarge => "requestTooLarge",
            Self::TooManyRedirects => "tooManyRedirects",
            Self::RedirectForbidden => "redirectForbidden",
            Self::Aborted => "aborted",
            Self::BadEncoding => "badEncoding",
            Self::HeadersTooLarge => "headersTooLarge",
        }
    }
}

/// Why a request has no answer, or an answer no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It was refused.
    Denied(Box<Refusal>),
    /// It failed on its way.
    Failed {
        /// How: one of [`Failure::ALL`].
        code: String,
        /// In words.
        message: String,
    },
}

impl Fault {
    pub(super) fn failed(how: Failure, message: impl Into<String>) -> Self {
        Self::Failed { code: how.code().to_owned(), message: message.into() }
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
