//! A request of a run on its way, redirects included: each hop is decided as if it were the first.

use super::body::{Filter, InBody, Origin};
use super::carrier::Misuse;
use super::desk::{Case, Counter};
use super::exchange::{Fault, Inbound, OutBody, Outbound};
use super::inflate::Inflate;
use super::ledger::Row;
use super::payload::{self, Guarded, Payload, Source};
use super::refusal::{DEFAULT_DENY, Refusal};
use super::wire::{self, Order, Wire};
use super::{Target, decide, fixture, head};
use crate::model::exchange::Redirect;
use crate::model::{EgressFixture, EgressMode, EgressRule, Scheme};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};

/// Headers that are for one origin: they do not go along to another.
const FOR_ONE_ORIGIN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Headers that tell of a body (Fetch "request-body-header name").
const OF_THE_BODY: [&str; 4] = ["content-encoding", "content-language", "content-location", "content-type"];

/// A request on its way.
pub(super) struct Trip {
    case: Arc<Case>,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Source,
    redirect: Redirect,
    hops: u64,
    /// Names of headers that stand-ins of secrets were in.
    bound: Vec<String>,
}

/// How a hop that was allowed is answered.
enum Leave {
    Canned(EgressFixture),
    Wire { headers: HeaderMap, bytes_max: u64 },
}

/// An answer's head, and where its body comes from.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
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
        let target = Target::parse(&self.method, &self.url)?;
        self.case.row.target(&target.method, target.url.as_str());
        let leave = self.admit(&target)?;
        let slot = self.case.counter.slot().await?;
        let total = self.case.counter.broker.settings.total;
        let deadline = Instant::now() + total;
        let arrived = timeout_at(deadline, self.chase(target, leave)).await;
        let late = |_| Err(Fault::failed("timeout", format!("no answer within {} ms in all", total.as_millis())));
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
                wire.discard(&self.case).await;
            }
            let downgrade = target.scheme == Scheme::Https && next.scheme == Scheme::Http;
            leave = self.admit(&next).map_err(|fault| if downgrade { no_downgrade(fault) } else { fault })?;
            target = next;
        }
    }

    /// Decides on a hop, by all that can be known before anything is opened.
    fn admit(&mut self, target: &Target) -> Result<Leave, Fault> {
        let counter = self.case.counter.clone();
        let settings = &counter.settings;
        settings.carrier.inspect(target, &self.headers).map_err(|misuse| blame(target, misuse))?;
        self.inspect_body(target)?;
        counter.take_sub_request().ok_or_else(|| too_many(target, settings.sub_requests))?;
        match settings.grant.mode {
            EgressMode::Deny => Err(deny(target).into()),
            EgressMode::Synthetic => {
                let fixture = fixture::find(&settings.grant, target)?.clone();
                self.check_length()?;
                Ok(Leave::Canned(fixture))
            }
            EgressMode::Allowlist => {
                let permit = decide::decide(&settings.grant, target)?;
                let rule = permit.rule;
                counter.take_of_rule(permit.index, rule.max_requests).ok_or_else(|| exhausted(target, rule))?;
                self.case.row.write(|row| row.rule = Some(rule.name()));
                self.check_length()?;
                let headers = self.load(target, rule)?;
                Ok(Leave::Wire { headers, bytes_max: rule.max_response_bytes })
            }
        }
    }

    /// Looks through a body that is here as a whole: in every mode, since the attempt says something by itself.
    fn inspect_body(&self, target: &Target) -> Result<(), Fault> {
        if let (Source::Whole(bytes), Some(mut guard)) = (&self.body, self.case.counter.settings.carrier.body_guard()) {
            guard.feed(bytes).and_then(|_| guard.finish()).map_err(|misuse| blame(target, misuse))?;
        }
        Ok(())
    }

    fn check_length(&self) -> Result<(), Fault> {
        match &self.body {
            Source::Whole(bytes) if bytes.len() as u64 > self.case.counter.broker.settings.request_bytes_max => Err(payload::too_large()),
            Source::Whole(_) | Source::Empty | Source::Stream(_) | Source::Spent => Ok(()),
        }
    }

    /// The headers of a hop that `rule` allows, with what the run's secrets put there.
    fn load(&mut self, target: &Target, rule: &EgressRule) -> Result<HeaderMap, Fault> {
        let counter = &self.case.counter;
        let broker = &counter.broker.settings;
        let carrier = &counter.settings.carrier;
        let mut headers = head::outgoing(target, &self.headers, broker.header_bytes_max)?;
        let plain = headers.clone();
        let names = carrier.load(target, rule, &mut headers).map_err(|misuse| blame(target, misuse))?;
        self.bound.extend(head::changed(&plain, &headers));
        self.case.row.secrets(names);
        // What cannot be decoded cannot be scrubbed: with secrets about, only what is decoded here is asked for.
        if carrier.scrubber().is_some() {
            headers.insert(header::ACCEPT_ENCODING, head::ACCEPTED);
        } else {
            headers.entry(header::ACCEPT_ENCODING).or_insert(head::ACCEPTED);
        }
        if let Ok(agent) = HeaderValue::from_str(&broker.user_agent) {
            headers.entry(header::USER_AGENT).or_insert(agent);
        }
        Ok(headers)
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

    /// Where an answer sends the request on to; none when it is the last.
    fn follow(&mut self, target: &Target, answer: &Answer) -> Result<Option<Target>, Fault> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        match self.redirect {
            Redirect::Manual => return Ok(None),
            Redirect::Error => return Err(Fault::failed("redirectForbidden", "the answer is a redirect, which the request forbids")),
            Redirect::Follow => {}
        }
        let Some(url) = location(target, &answer.headers)? else { return Ok(None) };
        let most = self.case.counter.broker.settings.redirects_max;
        if self.hops >= most {
            return Err(Fault::failed("tooManyRedirects", format!("the request was redirected more than {most} times")));
        }
        self.hops += 1;
        self.case.row.hop(&url);
        let method = self.rewrite(target, answer.status)?;
        let next = Target::parse(&method, &url)?;
        if next.origin() != target.origin() {
            self.forget();
        }
        Ok(Some(next))
    }

    /// The method of the next hop; the body and its headers go where the method changes (Fetch §4.4, steps 11 and 12 of "HTTP-redirect fetch").
    fn rewrite(&mut self, target: &Target, status: StatusCode) -> Result<String, Fault> {
        let to_get = match status.as_u16() {
            301 | 302 => target.method == "POST",
            303 => target.method != "GET" && target.method != "HEAD",
            _ => false,
        };
        if to_get {
            self.body = Source::Empty;
            self.headers.retain(|(name, _)| !OF_THE_BODY.iter().any(|other| name.eq_ignore_ascii_case(other)));
            return Ok("GET".to_owned());
        }
        if matches!(self.body, Source::Spent) {
            return Err(Fault::failed("redirectForbidden", "the answer is a redirect, and a streamed body cannot be sent a second time"));
        }
        Ok(target.method.clone())
    }

    /// Leaves behind what was for the origin before.
    fn forget(&mut self) {
        let bound = std::mem::take(&mut self.bound);
        self.headers.retain(|(name, _)| {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            !FOR_ONE_ORIGIN.into_iter().any(is) && !bound.iter().any(|other| is(other))
        });
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
                let filter = self.filter(&headers, bytes_max)?;
                let (decoded, changes) = (filter.inflate.is_some(), filter.inflate.is_some() || filter.scrubber.is_some());
                let headers = head::incoming(&headers, decoded, changes);
                (filter, headers)
            }
        };
        let body = if null_body {
            self.end(origin);
            None
        } else {
            Some(InBody::new(self.case.clone(), origin, filter, slot, deadline))
        };
        Ok(Inbound {
            status: status.as_u16(),
            status_text: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: headers.into_iter().map(|(name, value)| (name, counter.clean(value))).collect(),
            url: counter.clean(target.url.to_string()),
            redirected: self.hops > 0,
            body,
        })
    }

    /// How the body of an answer with `headers` is read.
    fn filter(&self, headers: &HeaderMap, bytes_max: u64) -> Result<Filter, Fault> {
        let coding = head::coding(headers);
        let inflate = coding.as_deref().and_then(Inflate::for_coding);
        let scrubber = self.case.counter.settings.carrier.scrubber();
        if coding.is_some() && inflate.is_none() && scrubber.is_some() {
            return Err(Fault::failed(
                "badEncoding",
                "the answer is encoded in a way that was not asked for and cannot be looked through for secrets",
            ));
        }
        Ok(Filter { inflate, scrubber, bytes_max })
    }

    /// The answer has no body: the exchange is over.
    fn end(&self, origin: Origin) {
        if let Origin::Wire(wire) = origin
            && wire.is_empty()
        {
            Wire::give_back(*wire, &self.case);
        }
        self.case.row.end(None);
    }
}

/// The URL of an answer's `Location`; none when it has none.
fn location(target: &Target, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut all = headers.get_all(header::LOCATION).iter();
    let Some(first) = all.next() else { return Ok(None) };
    if all.any(|other| other != first) {
        return Err(Fault::failed("protocol", "the answer is a redirect to several places"));
    }
    let text = std::str::from_utf8(first.as_bytes()).map_or_else(|_| head::latin(first), str::to_owned);
    match target.url.join(&text) {
        Ok(url) => Ok(Some(url.into())),
        Err(error) => Err(Fault::failed("protocol", format!("the answer is a redirect to no URL: {error}"))),
    }
}

fn canned(fixture: EgressFixture) -> Result<Answer, Fault> {
    let odd = |what: &str| Fault::failed("protocol", format!("the profile's fixture has {what} that cannot be sent"));
    let mut headers = HeaderMap::new();
    for (name, value) in &fixture.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd("a header"))?;
        let value = HeaderValue::from_str(value).map_err(|_| odd("a header"))?;
        headers.try_append(name, value).map_err(|_| odd("so many headers"))?;
    }
    let status = StatusCode::from_u16(fixture.status).map_err(|_| odd("a status"))?;
    Ok(Answer { status, headers, origin: Origin::Canned(fixture.body), bytes_max: u64::MAX })
}

fn blame(target: &Target, misuse: Misuse) -> Fault {
    let Misuse { secret: _, rule, kind, message, remediation, violation } = misuse;
    let refusal = Refusal::new("secretDenied", rule, target.url.as_str(), message, remediation);
    Refusal { capability: "secret".to_owned(), violation: violation.then_some(kind), ..refusal }.into()
}

fn deny(target: &Target) -> Refusal {
    Refusal::new(
        "egressDenied",
        DEFAULT_DENY,
        target.url.as_str(),
        "the profile lets nothing out",
        "send what the code needs as `input`, or ask the operator for a profile with an egress rule for this host",
    )
}

fn too_many(target: &Target, most: u64) -> Refusal {
    let reason = format!("the run made as many requests as it may: {most}, each redirect counted");
    Refusal::new(
        "tooManyRequests",
        DEFAULT_DENY,
        target.url.as_str(),
        reason,
        "make fewer requests, or ask for a higher limit of sub-requests",
    )
}

fn exhausted(target: &Target, rule: &EgressRule) -> Refusal {
    let reason = format!("the run made as many requests under this rule as it allows: {}, each redirect counted", rule.max_requests);
    Refusal::new(
        "ruleExhausted",
        rule.name(),
        target.url.as_str(),
        reason,
        "make fewer requests to this host, or ask the operator to raise the rule's `max_requests`",
    )
}

/// A redirect from https to http that no rule allows is refused as a redirect: the guest did not ask for http.
fn no_downgrade(fault: Fault) -> Fault {
    match fault {
        Fault::Denied(mut refusal)
            if matches!(refusal.code, "egressDenied" | "schemeDenied" | "portDenied" | "methodDenied" | "pathDenied") =>
        {
            refusal.reason = format!("the answer sends the request on from https to http, which no rule allows: {}", refusal.reason);
            refusal.code = "redirectDenied";
            Fault::Denied(refusal)
        }
        other => other,
    }
}
