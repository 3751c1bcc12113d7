//! Connections to origins. One owns every task that serves it: when it is dropped, its socket is closed.

use super::payload::Payload;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Header lines of one answer. Browsers and servers stop between 100 and 1000; hyper's own bound of 100 is met by honest origins.
const HEADERS_MAX: usize = 256;

/// What an origin may send ahead of the guest's reading, per stream of HTTP/2.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;

/// Requests at once on one connection of HTTP/2; the next one opens another.
pub(super) const STREAMS_MAX: usize = 16;

/// What an origin may send ahead on a whole connection: all streams' windows, so that a guest that does not read holds up nobody else.
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * STREAMS_MAX as u32;

/// Runs the tasks of one connection.
#[derive(Clone)]
struct Crew(Arc<Mutex<Option<JoinSet<()>>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Crew {
    fn execute(&self, task: F) {
        if let Some(tasks) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }
}

/// One connection.
pub(super) struct Line {
    crew: Crew,
    /// Where it leads.
    pub(super) address: SocketAddr,
    /// Since when.
    pub(super) born: Instant,
    streams: AtomicUsize,
}

impl Line {
    fn new(address: SocketAddr) -> Self {
        let crew = Crew(Arc::new(Mutex::new(Some(JoinSet::new()))));
        Self { crew, address, born: Instant::now(), streams: AtomicUsize::new(0) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The tasks have the crew too: only taking the set out of it ends them.
        drop(self.crew.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A connection of HTTP/1.1, for one exchange at a time.
pub(super) struct One {
    pub(super) line: Line,
    sender: http1::SendRequest<Payload>,
}

/// A connection of HTTP/2, for several.
#[derive(Clone)]
pub(super) struct Two {
    pub(super) line: Arc<Line>,
    sender: http2::SendRequest<Payload>,
}

/// One use of a connection.
pub(super) enum Link {
    /// All of it.
    One(One),
    /// A stream of it.
    Two(Two, Lease),
}

/// Counts a stream of a connection for as long as it lives.
pub(super) struct Lease(Arc<Line>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

impl One {
    /// Speaks HTTP/1.1 on `io`.
    pub(super) async fn open<T>(io: T, address: SocketAddr, header_bytes_max: usize) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let line = Line::new(address);
        let (sender, connection) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_header_size(header_bytes_max)
            .max_buf_size(header_bytes_max.max(64 << 10))
            .handshake(TokioIo::new(io))
            .await?;
        // Its errors reach whoever waits for an answer.
        line.crew.execute(async move { drop(connection.await) });
        Ok(Self { line, sender })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Two {
    /// Speaks HTTP/2 on `io`.
    pub(super) async fn open<T>(io: T, address: SocketAddr, header_bytes_max: usize) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let line = Line::new(address);
        let (sender, connection) = http2::Builder::new(line.crew.clone())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(header_bytes_max).unwrap_or(u32::MAX))
            .max_send_buf_size(64 << 10)
            .handshake(TokioIo::new(io))
            .await?;
        line.crew.execute(async move { drop(connection.await) });
        Ok(Self { line: Arc::new(line), sender })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Streams that are in use.
    pub(super) fn streams(&self) -> usize {
        self.line.streams.load(Ordering::Acquire)
    }

    /// One more stream.
    pub(super) fn lease(&self) -> Link {
        self.line.streams.fetch_add(1, Ordering::AcqRel);
        Link::Two(self.clone(), Lease(self.line.clone()))
    }
}

impl Link {
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::One(one) => one.line.address,
            Self::Two(two, _) => two.line.address,
        }
    }

    /// Waits until it takes a request; false when it is closed.
    pub(super) async fn ready(&mut self) -> bool {
        match self {
            Self::One(one) => one.sender.ready().await.is_ok(),
            Self::Two(two, _) => two.sender.ready().await.is_ok(),
        }
    }

    /// Sends a request; the error has it back when none of it was sent.
    pub(super) async fn send(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, Box<TrySendError<Request<Payload>>>> {
        match self {
            Self::One(one) => one.sender.try_send_request(request).await.map_err(Box::new),
            Self::Two(two, _) => two.sender.try_send_request(request).await.map_err(Box::new),
        }
    }
}
