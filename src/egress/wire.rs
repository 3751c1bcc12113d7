//! One request and its answer on a connection.

use super::Target;
use super::desk::Case;
use super::dial::Opened;
use super::exchange::{Failure, Fault};
use super::head;
use super::link::Link;
use super::payload::{Payload, Scissors, Tie};
use super::pool::Key;
use super::refusal::{DEFAULT_DENY, Refusal};
use crate::model::Scheme;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Heads of status 1xx before an answer's own. More are a way to keep a connection busy.
const INFORMATIONAL_MAX: u32 = 16;

/// Longest body of a redirect that is read to keep its connection, in bytes.
const DISCARD_BYTES_MAX: u64 = 16 << 10;

/// How long such a body may take.
const DISCARD_TIME_MAX: Duration = Duration::from_millis(500);

/// A request as it is sent, without its body.
pub(super) struct Order {
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
}

/// An exchange whose answer's head is here. Dropping it ends the exchange; the connection goes back to the pool only by [`Wire::give_back`].
pub(super) struct Wire {
    link: Link,
    key: Key,
    body: Incoming,
    tie: Arc<Tie>,
    _scissors: Scissors,
}

/// Sends `order` and waits for the head of its answer.
///
/// # Errors
/// By the network, by the origin, by an address that is not reached, or by the request's own body.
pub(super) async fn send(case: &Case, order: &Order, body: (Payload, Arc<Tie>, Scissors)) -> Result<(http::response::Parts, Wire), Fault> {
    let counter = &case.counter;
    let (payload, tie, scissors) = body;
    let key = Key::new(&counter.settings.principal, &order.target);
    counter.durable().await?;
    let mut payload = Some(payload);
    let mut idle = take_idle(case, &key).await;
    while let Some(body) = payload.take() {
        let was_idle = idle.is_some();
        let mut link = match idle.take() {
            Some(link) => link,
            None => open(case, order, &key).await?,
        };
        let address = link.address().to_string();
        case.row.write(|row| row.address = Some(address));
        match answer(case, order, &mut link, body, &tie).await? {
            Sent::Answer(response) => {
                let (parts, body) = response.into_parts();
                check(&parts, counter.broker.settings.header_bytes_max)?;
                return Ok((parts, Wire { link, key, body, tie, _scissors: scissors }));
            }
            // The connection closed while it was idle: the request may be sent by a new one.
            Sent::Nothing(body) if was_idle => payload = Some(body),
            Sent::Nothing(_) => return Err(Fault::failed(Failure::Protocol, "the host closed the connection before it answered")),
        }
    }
    Err(Fault::failed(Failure::Protocol, "the request was not sent"))
}

/// What came of sending.
enum Sent {
    Answer(Response<Incoming>),
    /// None of it was written, or it does no harm twice; here is the body again.
    Nothing(Payload),
}

/// An idle connection that takes a request now.
async fn take_idle(case: &Case, key: &Key) -> Option<Link> {
    let broker = &case.counter.broker;
    while let Some(mut link) = broker.pool.take(key) {
        // This server may listen there since it was opened.
        if broker.dialer.gate.judge(link.address().ip(), link.address().port()).is_err() {
            continue;
        }
        // Its last exchange is over, so that this is at most the time its task needs to notice.
        if timeout(broker.settings.connect, link.ready()).await == Ok(true) {
            return Some(link);
        }
    }
    None
}

async fn open(case: &Case, order: &Order, key: &Key) -> Result<Link, Fault> {
    let broker = &case.counter.broker;
    match broker.dialer.open(&order.target).await? {
        Opened::One(one) => Ok(Link::One(one)),
        Opened::Two(two) => {
            let link = two.lease();
            broker.pool.share(key, two);
            Ok(link)
        }
    }
}

/// Sends by `link`, and waits.
async fn answer(case: &Case, order: &Order, link: &mut Link, body: Payload, tie: &Arc<Tie>) -> Result<Sent, Fault> {
    let mut request = request(order, link, body)?;
    let flood = Arc::new(Notify::new());
    let (count, bell) = (AtomicU32::new(0), flood.clone());
    hyper::ext::on_informational(&mut request, move |_| {
        if count.fetch_add(1, Ordering::Relaxed) >= INFORMATIONAL_MAX {
            bell.notify_one();
        }
    });
    let limit = case.counter.broker.settings.first_byte;
    // RFC 9112 §9.3.1: a request that changes nothing may be sent again when its connection closed under it.
    let safe = request.body().is_none() && request.method().is_safe();
    let late = async {
        tie.sent().await;
        sleep(limit).await;
    };
    let sent = tokio::select! {
        biased;
        () = flood.notified() => return Err(Fault::failed(Failure::Protocol, format!("the host sent more than {INFORMATIONAL_MAX} heads of status 1xx"))),
        sent = link.send(request) => sent,
        () = late => return Err(Fault::failed(Failure::Timeout, format!("no answer within {} ms", limit.as_millis()))),
    };
    match sent {
        Ok(response) => Ok(Sent::Answer(response)),
        Err(mut error) => match (tie.fault(), error.take_message()) {
            (Some(fault), _) => Err(fault),
            (None, Some(request)) => Ok(Sent::Nothing(request.into_body())),
            (None, None) if safe && closed(error.error()) => Ok(Sent::Nothing(Payload::again(tie, case.row.meter()))),
            (None, None) => Err(failure(error.error())),
        },
    }
}

/// `order` in the form of the link's protocol.
fn request(order: &Order, link: &Link, body: Payload) -> Result<Request<Payload>, Fault> {
    let target = &order.target;
    let odd = |what: &str| {
        Refusal::new(
            "badTarget",
            DEFAULT_DENY,
            target.url.as_str(),
            format!("the {what} cannot be sent"),
            "percent-encode the odd characters in it",
        )
    };
    let method = Method::from_bytes(target.method.as_bytes()).map_err(|_| odd("method"))?;
    let query = target.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", target.path());
    let host = head::host(target).ok_or_else(|| odd("host"))?;
    let mut headers = order.headers.clone();
    length(&mut headers, &method, &body);
    let uri = match link {
        Link::One(_) => {
            headers.insert(header::HOST, host);
            Uri::try_from(path).map_err(|_| odd("path"))?
        }
        Link::Two(..) => {
            let scheme = match target.scheme {
                Scheme::Https => "https",
                Scheme::Http => "http",
            };
            Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(path).build().map_err(|_| odd("path"))?
        }
    };
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
    Ok(request)
}

/// Says how long the body is, where it is known; a POST or PUT without a body says that it has none (Fetch §4.6, step "contentLength").
fn length(headers: &mut HeaderMap, method: &Method, body: &Payload) {
    match body.size_hint().exact() {
        Some(0) if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) => {}
        Some(bytes) => drop(headers.insert(header::CONTENT_LENGTH, bytes.into())),
        None => {}
    }
}

fn check(parts: &http::response::Parts, bytes_max: u64) -> Result<(), Fault> {
    head::check_size(&parts.headers, bytes_max)?;
    match parts.status.as_u16() {
        200..=599 => Ok(()),
        101 => Err(Fault::failed(Failure::Protocol, "the host changes the protocol, which was not asked for")),
        // Guests cannot have it either (Fetch §5.5, "initialize a response").
        status => Err(Fault::failed(Failure::Protocol, format!("the host answers with the status {status}, which is none"))),
    }
}

/// True when the connection closed before an answer was there.
fn closed(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let broken =
        |error: &std::io::Error| matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe);
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || source.is_some_and(broken)
}

/// What hyper's error says of the origin.
fn failure(error: &hyper::Error) -> Fault {
    if error.is_parse_too_large() {
        return head::too_large();
    }
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Fault::failed(Failure::Protocol, format!("the exchange with the host broke off: {error}{why}"))
}

impl Wire {
    /// The next piece of the answer's body; none at its end. Trailers are left out.
    ///
    /// # Errors
    /// When the body breaks off: the origin's doing, or that of the request's own body.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            match self.body.frame().await {
                None => return self.check_request().and_then(|()| self.check_end()).map(|()| None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(error)) => return Err(self.tie.fault().unwrap_or_else(|| failure(&error))),
            }
        }
    }

    /// Fails when the request's own body went wrong after the answer's head was there.
    pub(super) fn check_request(&self) -> Result<(), Fault> {
        self.tie.fault().map_or(Ok(()), Err)
    }

    /// Fails when the answer did not end where its body did. hyper takes a stream that was reset with `NO_ERROR` for one that ended, whatever has come of
    /// it; RFC 9113 §8.1 allows such a reset after a complete answer only, and origins that shut down send it in the middle.
    fn check_end(&self) -> Result<(), Fault> {
        match self.link {
            Link::Two(..) if !self.body.is_end_stream() => {
                Err(Fault::failed(Failure::Protocol, "the host broke off its answer before the end"))
            }
            Link::One(_) | Link::Two(..) => Ok(()),
        }
    }

    /// True when there is no body.
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_end_stream()
    }

    /// The answer was read to its end: others may use the connection, if the request was sent to its end too.
    pub(super) fn give_back(self, case: &Case) {
        if self.tie.is_sent() && self.tie.fault().is_none() {
            case.counter.broker.pool.give_back(&self.key, self.link);
        }
    }

    /// Reads a short rest of the answer to keep the connection, or else closes it.
    pub(super) async fn discard(mut self, case: &Case) {
        if self.is_empty() {
            return self.give_back(case);
        }
        if self.body.size_hint().exact().is_some_and(|bytes| bytes <= DISCARD_BYTES_MAX) {
            let rest = async { while let Ok(Some(_)) = self.next().await {} };
            if timeout(DISCARD_TIME_MAX, rest).await.is_ok() && self.is_empty() {
                self.give_back(case);
            }
        }
    }
}
