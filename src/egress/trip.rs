//! A request of a run on its way, redirects included: each hop is decided as if it were the first.

use super::Target;
use super::admit::{Leave, blame};
use super::body::{Filter, InBody, Origin};
use super::desk::{Case, Counter};
use super::exchange::{Failure, Fault, Inbound, OutBody, Outbound};
use super::head;
use super::inflate::Inflate;
use super::ledger::Row;
use super::payload::{self, Guarded, Payload, Source};
use super::redirect::no_downgrade;
use super::wire::{self, Order, Wire};
use crate::model::exchange::Redirect;
use crate::model::{EgressFixture, Scheme};
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};

/// A request on its way.
pub(super) struct Trip {
    pub(super) case: Arc<Case>,
    method: String,
    url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Source,
    pub(super) redirect: Redirect,
    pub(super) hops: u64,
    /// Names of headers that stand-ins of secrets were in.
    pub(super) bound: Vec<String>,
}

/// An answer's head, and where its body comes from.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    origin: Origin,
    bytes_max: u64,
}

impl Trip {
    pub(super) fn new(counter: Arc<Counter>, row: Row, request: Outbound) -> Self {
        let Outbound { method, url, headers, body, redirect } = request;
        let body = match body {
            OutBody::Empty => Source::Empty,
            OutBody::Whole(bytes) => Source::Whole(bytes),
            OutBody::Stream(pieces) => Source::Stream(pieces),
        };
        Self { case: Arc::new(Case { counter, row }), method, url, headers, body, redirect, hops: 0, bound: Vec::new() }
    }

    /// Ends the row with `fault`.
    pub(super) fn fail(&self, fault: Fault) -> Fault {
        self.case.fail(fault)
    }

    /// Goes all the way to the head of the last answer.
    pub(super) async fn run(&mut self) -> Result<Inbound, Fault> {
        let target = Target::parse(&self.method, &self.url).inspect_err(|refusal| self.case.row.target(&self.method, &refusal.target))?;
        self.check_method(&target)?;
        self.case.row.target(&target.method, target.url.as_str());
        let leave = self.admit(&target)?;
        let slot = self.case.counter.slot().await?;
        let total = self.case.counter.broker.settings.total;
        let deadline = Instant::now() + total;
        let arrived = timeout_at(deadline, self.chase(target, leave)).await;
        let late = |_| Err(Fault::failed(Failure::Timeout, format!("no answer within {} ms in all", total.as_millis())));
        let (target, answer) = arrived.unwrap_or_else(late)?;
        self.deliver(&target, answer, slot, deadline)
    }

    /// Sends, and follows redirects.
    async fn chase(&mut self, mut target: Target, mut leave: Leave) -> Result<(Target, Answer), Fault> {
        loop {
            let answer = self.hop(&target, leave).await?;
            self.case.row.write(|row| row.status = answer.status.as_u16());
            let Some(next) = self.follow(&target, &answer)? else { return Ok((target, answer)) };
            if let Origin::Wire(wire) = answer.origin {
                wire.check_request()?;
                wire.discard(&self.case).await;
            }
            let downgrade = target.scheme == Scheme::Https && next.scheme == Scheme::Http;
            leave = self.admit(&next).map_err(|fault| if downgrade { no_downgrade(fault) } else { fault })?;
            target = next;
        }
    }

    /// One answer.
    async fn hop(&mut self, target: &Target, leave: Leave) -> Result<Answer, Fault> {
        let (payload, tie, scissors) = self.payload(target);
        match leave {
            Leave::Canned(fixture) => {
                self.case.row.write(|row| row.synthetic = true);
                payload.swallow().await?;
                sleep(Duration::from_millis(fixture.latency_ms)).await;
                canned(fixture)
            }
            Leave::Wire { headers, bytes_max } => {
                let order = Order { target: target.clone(), headers };
                let (parts, wire) = wire::send(&self.case, &order, (payload, tie, scissors)).await?;
                Ok(Answer { status: parts.status, headers: parts.headers, origin: Origin::Wire(Box::new(wire)), bytes_max })
            }
        }
    }

    /// The body for one hop: a whole one again and again, a stream once.
    fn payload(&mut self, target: &Target) -> (Payload, Arc<payload::Tie>, payload::Scissors) {
        let source = match &mut self.body {
            Source::Empty => Source::Empty,
            Source::Spent => Source::Spent,
            Source::Whole(bytes) => Source::Whole(bytes.clone()),
            stream @ Source::Stream(_) => std::mem::replace(stream, Source::Spent),
        };
        let counter = &self.case.counter;
        let guard = match &source {
            Source::Stream(_) => counter.settings.carrier.body_guard().map(|guard| {
                let target = target.clone();
                Guarded { guard, blame: Box::new(move |misuse| blame(&target, misuse)) }
            }),
            Source::Empty | Source::Whole(_) | Source::Spent => None,
        };
        Payload::new(source, guard, counter.broker.settings.request_bytes_max, self.case.row.meter())
    }

    /// The answer as the guest gets it.
    fn deliver(&self, target: &Target, answer: Answer, slot: OwnedSemaphorePermit, deadline: Instant) -> Result<Inbound, Fault> {
        let Answer { status, headers, origin, bytes_max } = answer;
        let counter = &self.case.counter;
        let null_body = matches!(status.as_u16(), 204 | 205 | 304) || target.method == "HEAD";
        let (filter, headers) = match &origin {
            Origin::Canned(_) => (Filter { inflate: None, scrubber: None, bytes_max: u64::MAX }, head::incoming(&headers, false, false)),
            Origin::Wire(_) if null_body => (Filter { inflate: None, scrubber: None, bytes_max }, head::incoming(&headers, false, false)),
            Origin::Wire(_) => {
                let filter = self.filter(status, &headers, bytes_max)?;
                let (decoded, changes) = (filter.inflate.is_some(), filter.inflate.is_some() || filter.scrubber.is_some());
                let headers = head::incoming(&headers, decoded, changes);
                (filter, headers)
            }
        };
        let body = if null_body {
            self.end(origin)?;
            None
        } else {
            Some(InBody::new(self.case.clone(), origin, filter, slot, deadline))
        };
        Ok(Inbound {
            status: status.as_u16(),
            status_text: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: counter.clean_headers(headers),
            url: counter.clean(target.url.to_string()),
            redirected: self.hops > 0,
            body,
        })
    }

    /// How the body of an answer with `headers` is read.
    fn filter(&self, status: StatusCode, headers: &HeaderMap, bytes_max: u64) -> Result<Filter, Fault> {
        let coding = head::coding(headers);
        // A part of a coded body is not a coded body.
        let inflate = coding.as_deref().filter(|_| status != StatusCode::PARTIAL_CONTENT).and_then(Inflate::for_coding);
        let scrubber = self.case.counter.settings.carrier.scrubber();
        if coding.is_some() && inflate.is_none() && scrubber.is_some() {
            return Err(Fault::failed(
                Failure::BadEncoding,
                "the answer is encoded in a way that was not asked for and cannot be looked through for secrets",
            ));
        }
        Ok(Filter { inflate, scrubber, bytes_max })
    }

    /// The answer has no body: the exchange is over.
    fn end(&self, origin: Origin) -> Result<(), Fault> {
        if let Origin::Wire(wire) = origin {
            wire.check_request()?;
            if wire.is_empty() {
                Wire::give_back(*wire, &self.case);
            }
        }
        self.case.row.end(None);
        Ok(())
    }
}

fn canned(fixture: EgressFixture) -> Result<Answer, Fault> {
    let odd = |what: &str| Fault::failed(Failure::Protocol, format!("the profile's fixture has {what} that cannot be sent"));
    let mut headers = HeaderMap::new();
    for (name, value) in &fixture.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd("a header"))?;
        let value = HeaderValue::from_str(value).map_err(|_| odd("a header"))?;
        headers.try_append(name, value).map_err(|_| odd("so many headers"))?;
    }
    let status = StatusCode::from_u16(fixture.status).map_err(|_| odd("a status"))?;
    Ok(Answer { status, headers, origin: Origin::Canned(fixture.body), bytes_max: u64::MAX })
}
