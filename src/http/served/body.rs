//! Bodies on their way between a client and the run that serves it. Neither side holds more than a few pieces.

use crate::http::link::Streaming;
use crate::run::{CancelGuard, ServedPiece};
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// The run ended before its answer did: the connection is cut, so that nobody takes the answer for whole.
#[derive(Debug, thiserror::Error)]
#[error("the run ended before its answer did")]
pub(super) struct CutOff;

/// The body of an answer. Dropping it before its end ends the run: the client went away.
pub(super) struct ServedBody {
    pieces: mpsc::Receiver<ServedPiece>,
    guard: Option<CancelGuard>,
    streaming: Option<Streaming>,
}

impl ServedBody {
    /// A body of `pieces`; `streaming` keeps the connection until its end.
    pub(super) fn new(pieces: mpsc::Receiver<ServedPiece>, guard: CancelGuard, streaming: Option<Streaming>) -> Self {
        Self { pieces, guard: Some(guard), streaming }
    }

    /// The body of an answer to HEAD: nobody knows how long it would have been, and no length may be told that is another (RFC 9110 §8.6).
    pub(super) fn left_out() -> Self {
        Self { pieces: mpsc::channel(1).1, guard: None, streaming: None }
    }

    /// Nothing more comes; `whole` when the client has all: what the run still does, it does without it.
    fn end(&mut self, whole: bool) {
        if let Some(guard) = self.guard.take() {
            guard.disarm();
        }
        if let Some(streaming) = self.streaming.take()
            && whole
        {
            streaming.end();
        }
    }
}

impl hyper::body::Body for ServedBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if self.guard.is_none() {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.pieces.poll_recv(cx)) {
            Some(ServedPiece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(ServedPiece::End) => {
                self.end(true);
                None
            }
            None => {
                self.end(false);
                Some(Err(CutOff))
            }
        })
    }
}

/// Passes a request's body on as it is taken, until the run needs no more of it.
pub(super) async fn pump(mut body: Body, into: mpsc::Sender<ServedPiece>) {
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = into.closed() => return,
        };
        let piece = match frame {
            None => ServedPiece::End,
            Some(Err(_cut_off)) => return,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) if !bytes.is_empty() => ServedPiece::Bytes(bytes),
                // Trailers are left out.
                Ok(_) | Err(_) => continue,
            },
        };
        let ended = piece == ServedPiece::End;
        if into.send(piece).await.is_err() || ended {
            return;
        }
    }
}
