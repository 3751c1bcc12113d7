//! A request's body on its way out: bounded, looked through, counted, and never complete unless the guest completed it.

use super::carrier::{BodyGuard, Misuse};
use super::exchange::{Fault, OutPiece};
use super::ledger::Meter;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::{Notify, mpsc, oneshot};

/// Longest piece that goes to a connection at once, so that what was counted as sent is near what left.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// Where a body's bytes come from.
pub(super) enum Source {
    Empty,
    Whole(Bytes),
    Stream(mpsc::Receiver<OutPiece>),
    /// It was a stream, and is on its way already.
    Spent,
}

/// Tells hyper to cut the request off. Why is in [`Tie`].
#[derive(Debug, thiserror::Error)]
#[error("the request's body was cut off")]
pub(super) struct Cut;

/// What a body and the exchange it belongs to know of each other.
#[derive(Default)]
pub(super) struct Tie {
    fault: Mutex<Option<Fault>>,
    sent: AtomicBool,
    bell: Notify,
}

impl Tie {
    /// Why the body was cut off, if it was.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when the connection was given all of the body.
    pub(super) fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Waits for the body's end. For one waiter.
    pub(super) async fn sent(&self) {
        if !self.is_sent() {
            self.bell.notified().await;
        }
    }

    fn finish(&self) {
        if !self.sent.swap(true, Ordering::AcqRel) {
            self.bell.notify_one();
        }
    }

    fn fail(&self, fault: Fault) -> Cut {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        Cut
    }
}

/// Makes the refusal of a secret's misuse.
pub(super) type Blame = Box<dyn Fn(Misuse) -> Fault + Send>;

/// What looks at a streamed body, and what it makes of a misuse.
pub(super) struct Guarded {
    pub(super) guard: Box<dyn BodyGuard>,
    pub(super) blame: Blame,
}

/// A request's body.
pub(super) struct Payload {
    source: Source,
    guard: Option<Guarded>,
    room: u64,
    held: VecDeque<Bytes>,
    free: usize,
    gone: usize,
    over: bool,
    tie: Arc<Tie>,
    meter: Meter,
    cut: Option<oneshot::Receiver<()>>,
}

/// Ends the body's way out when it is dropped.
pub(super) struct Scissors {
    _cut: oneshot::Sender<()>,
}

impl Payload {
    /// A body of at most `bytes_max` bytes.
    pub(super) fn new(source: Source, guard: Option<Guarded>, bytes_max: u64, meter: Meter) -> (Self, Arc<Tie>, Scissors) {
        let (keep, cut) = oneshot::channel();
        let tie = Arc::new(Tie::default());
        let over = match &source {
            Source::Empty | Source::Spent => true,
            Source::Whole(bytes) => bytes.is_empty(),
            Source::Stream(_) => false,
        };
        if over {
            tie.finish();
        }
        let payload =
            Self { source, guard, room: bytes_max, held: VecDeque::new(), free: 0, gone: 0, over, tie: tie.clone(), meter, cut: Some(cut) };
        (payload, tie, Scissors { _cut: keep })
    }

    /// No body, once more: for a request without one that has to be sent again.
    pub(super) fn again(tie: &Arc<Tie>, meter: Meter) -> Self {
        Self {
            source: Source::Empty,
            guard: None,
            room: 0,
            held: VecDeque::new(),
            free: 0,
            gone: 0,
            over: true,
            tie: tie.clone(),
            meter,
            cut: None,
        }
    }

    /// True when there is no body at all.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.source, Source::Empty | Source::Spent)
    }

    /// Takes the whole body and sends it nowhere.
    ///
    /// # Errors
    /// As if it had been sent.
    pub(super) async fn swallow(mut self) -> Result<(), Fault> {
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
            if piece.is_err() {
                return Err(self.tie.fault().unwrap_or_else(aborted));
            }
        }
        Ok(())
    }

    /// The next piece of the source; none at its end.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        match &mut self.source {
            Source::Empty | Source::Spent => Poll::Ready(Ok(None)),
            Source::Whole(bytes) if bytes.is_empty() => Poll::Ready(Ok(None)),
            Source::Whole(bytes) => Poll::Ready(Ok(Some(bytes.split_to(bytes.len().min(PIECE_BYTES_MAX))))),
            Source::Stream(pieces) => match ready!(pieces.poll_recv(cx)) {
                Some(OutPiece::Bytes(bytes)) => Poll::Ready(Ok(Some(bytes))),
                Some(OutPiece::End) => Poll::Ready(Ok(None)),
                None => Poll::Ready(Err(aborted())),
            },
        }
    }

    /// Takes a piece of the source, or its end.
    fn take(&mut self, piece: Option<Bytes>) -> Result<(), Fault> {
        let Some(piece) = piece else {
            if let Some(Guarded { guard, blame }) = &mut self.guard {
                guard.finish().map_err(blame)?;
            }
            self.over = true;
            return Ok(());
        };
        let length = piece.len() as u64;
        self.room = self.room.checked_sub(length).ok_or_else(too_large)?;
        if let Some(Guarded { guard, blame }) = &mut self.guard {
            self.free = guard.feed(&piece).map_err(blame)?;
        }
        if !piece.is_empty() {
            self.held.push_back(piece);
        }
        self.over = matches!(&self.source, Source::Whole(rest) if rest.is_empty()) && self.guard.is_none();
        Ok(())
    }

    /// The next bytes that may leave by now.
    fn release(&mut self) -> Option<Bytes> {
        let first = self.held.front_mut()?;
        let most = if self.over || self.guard.is_none() { first.len() } else { self.free.saturating_sub(self.gone).min(first.len()) };
        match most.min(PIECE_BYTES_MAX) {
            0 => None,
            some if some == first.len() => self.held.pop_front(),
            some => Some(first.split_to(some)),
        }
    }
}

/// The guest's body did not come to its end.
fn aborted() -> Fault {
    Fault::failed("aborted", "the request's body ended before it was complete")
}

/// The body is longer than a request's may be.
pub(super) fn too_large() -> Fault {
    Fault::failed("requestTooLarge", "the request's body is longer than requests may be")
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if this.cut.as_mut().is_some_and(|cut| Pin::new(cut).poll(cx).is_ready()) {
            return Poll::Ready(Some(Err(this.tie.fail(aborted()))));
        }
        loop {
            if let Some(piece) = this.release() {
                this.gone += piece.len();
                this.meter.sent(piece.len());
                if this.is_end_stream() {
                    this.tie.finish();
                }
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if this.over {
                this.tie.finish();
                return Poll::Ready(None);
            }
            let taken = ready!(this.poll_source(cx)).and_then(|piece| this.take(piece));
            if let Err(fault) = taken {
                return Poll::Ready(Some(Err(this.tie.fail(fault))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over && self.held.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty | Source::Spent => SizeHint::with_exact(0),
            Source::Whole(rest) => SizeHint::with_exact(rest.len() as u64 + self.held.iter().map(|piece| piece.len() as u64).sum::<u64>()),
            Source::Stream(_) => SizeHint::default(),
        }
    }
}
