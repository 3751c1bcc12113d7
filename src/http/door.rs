//! What happens to every request of a listener: gate, route, log line, metrics; and to a handler that panics.

use super::gate;
use super::link::Link;
use super::reply;
use super::served::Streams;
use super::service::Service;
use super::settings::Settings;
use super::unread;
use crate::model::{Problem, ProblemCode};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{Method, Request};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Instant;
use tokio::sync::Semaphore;
use tower::Service as _;

/// What the log and the metrics call a request that the gate refused.
const GATE: &str = "gate";
/// The status they give a request whose client went away before its answer. Source: nginx's custom.
const CLIENT_GONE: u16 = 499;

/// What the handlers of a listener share.
pub(super) struct Shared {
    /// Which listener it is.
    pub(super) listener: crate::model::Door,
    pub(super) service: Arc<dyn Service>,
    pub(super) settings: Settings,
    /// The common budget of request bodies, in KiB.
    pub(super) bodies: Arc<Semaphore>,
    /// True once the server is stopping; both listeners have the same.
    pub(super) draining: Arc<AtomicBool>,
}

/// One listener's way in.
pub(super) struct Door {
    /// `public` or `operator`, for the log.
    pub(super) name: &'static str,
    pub(super) shared: Arc<Shared>,
    pub(super) router: Router,
}

impl Door {
    /// Answers one request of the connection `link`, whose requests so far `taken` counts.
    pub(super) async fn answer(self: Arc<Self>, link: Arc<Link>, taken: Arc<AtomicU32>, request: Request<Incoming>) -> Response {
        link.request_begins();
        let mut line = Line {
            door: Arc::clone(&self),
            link: Arc::clone(&link),
            method: request.method().clone(),
            begun: Instant::now(),
            ended: false,
        };
        let (mut parts, body) = request.into_parts();
        let waits_to_send = parts.headers.contains_key(EXPECT);
        let (body, rest) = unread::watch(body);
        let mut reply = match gate::check(&parts, link.local(), &self.shared.settings) {
            Ok(()) => {
                parts.extensions.insert(Arc::clone(&link));
                self.route(Request::from_parts(parts, Body::new(body))).await
            }
            Err(problem) => {
                link.routed(GATE);
                self.shared.service.refused(None, GATE, &problem);
                reply::problem(&problem)
            }
        };
        let last = taken.fetch_add(1, Ordering::Relaxed) + 1 >= self.shared.settings.requests_per_connection_max;
        let streams = reply.extensions_mut().remove::<Streams>().is_some();
        let is_read = if streams { rest.is_end() } else { rest.take(waits_to_send).await };
        // hyper closes a connection whose request body nobody read to its end; the peer must hear of it, or it sends the next request in vain.
        if last || !is_read {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        line.ended = true;
        line.write(reply.status().as_u16());
        link.answer_begins();
        reply
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let mut router = self.router.clone();
        match caught(async move { router.call(request).await }).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(never)) => match never {},
            Err(message) => {
                tracing::error!(listener = self.name, message, "a request handler panicked");
                reply::problem(&Problem::new(
                    ProblemCode::InternalError,
                    "the server failed while it answered; other requests are not affected",
                    "try again; if it happens again, report it with the server's log",
                ))
            }
        }
    }
}

/// The future's output, or what it panicked with.
async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    // A future that panicked is never polled again, so nobody sees what it left half done.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(message_of(panic.as_ref()))),
    })
    .await
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").chars().take(500).collect()
}

/// One line of the access log and one observation, written when the answer is ready or, if that never happens, when it is dropped.
struct Line {
    door: Arc<Door>,
    link: Arc<Link>,
    method: Method,
    begun: Instant,
    ended: bool,
}

impl Line {
    fn write(&self, status: u16) {
        let route = self.link.route();
        let seconds = self.begun.elapsed().as_secs_f64();
        let method = match self.method {
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::OPTIONS | Method::PATCH => {
                self.method.as_str()
            }
            _ => "other",
        };
        tracing::info!(target: "cordon::access", listener = self.door.name, method, route, status, ms = (seconds * 1e6).round() / 1e3);
        self.door.shared.service.observed(route, status, seconds);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            self.write(CLIENT_GONE);
        }
    }
}
