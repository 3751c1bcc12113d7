//! Bodies of as many zeros as wanted: they cost their sender nothing but the sending.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes of one piece; the server's own pieces are as long at most (`PIECE_BYTES_MAX`).
const PIECE: usize = 64 << 10;

static ZEROS: [u8; PIECE] = [0; PIECE];

/// Whether the head says how long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Told,
    /// As for a stream of a guest: nobody knows before its end.
    Untold,
}

/// So many zeros.
#[derive(Debug)]
pub(crate) struct Zeros {
    left: u64,
    length: Length,
}

impl Zeros {
    pub(crate) fn new(left: u64, length: Length) -> Self {
        Self { left, length }
    }

    pub(crate) fn none() -> Self {
        Self::new(0, Length::Told)
    }
}

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let some = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        self.left -= some as u64;
        Poll::Ready((some > 0).then(|| Ok(Frame::data(Bytes::from_static(&ZEROS[..some])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Length::Told => SizeHint::with_exact(self.left),
            Length::Untold => SizeHint::default(),
        }
    }
}
