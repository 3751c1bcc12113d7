//! Request bodies that a refusal left unread: a short one is taken and thrown away, so that the connection can go on.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;

/// Most bytes that are thrown away, and how long they may take. Past these a new connection costs less.
const THROWN_AWAY_MAX: usize = 64 << 10;
const THROW_AWAY_TIME: Duration = Duration::from_millis(50);

/// A request's body as its handler reads it.
pub(super) struct Watched(Arc<Mutex<Incoming>>);

/// What is left of it afterwards.
pub(super) struct Rest(Arc<Mutex<Incoming>>);

/// `body`, and what will be left of it.
pub(super) fn watch(body: Incoming) -> (Watched, Rest) {
    let shared = Arc::new(Mutex::new(body));
    (Watched(Arc::clone(&shared)), Rest(shared))
}

fn lock(body: &Mutex<Incoming>) -> MutexGuard<'_, Incoming> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rest {
    /// True when nothing is left.
    pub(super) fn is_end(&self) -> bool {
        lock(&self.0).is_end_stream()
    }

    /// Takes a short rest; true when nothing is left. Not from a peer that waits to be asked for it (`Expect`).
    pub(super) async fn take(self, waits_to_send: bool) -> bool {
        if self.is_end() {
            return true;
        }
        !waits_to_send && timeout(THROW_AWAY_TIME, self.throw_away()).await.unwrap_or(false)
    }

    async fn throw_away(&self) -> bool {
        let mut bytes = 0;
        while bytes <= THROWN_AWAY_MAX {
            let frame = poll_fn(|cx| Pin::new(&mut *lock(&self.0)).poll_frame(cx)).await;
            match frame {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
            }
        }
        false
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *lock(&self.0)).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).size_hint()
    }
}
