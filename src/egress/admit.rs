//! Decides on a hop, the first or a later one alike, before anything is opened for it: what the guest wrote, the run's counts, the grant's rules, and what
//! of its headers is sent.

use super::carrier::Misuse;
use super::exchange::Fault;
use super::payload::{self, Source};
use super::refusal::{DEFAULT_DENY, Refusal};
use super::trip::Trip;
use super::{Target, decide, fixture, head};
use crate::model::{EgressFixture, EgressMode, EgressRule, Enforcement};
use http::header::{self, HeaderMap, HeaderValue};

/// How a hop that was allowed is answered.
pub(super) enum Leave {
    Canned(EgressFixture),
    Wire { headers: HeaderMap, bytes_max: u64 },
}

impl Trip {
    /// Decides on a hop, by all that can be known before anything is opened.
    pub(super) fn admit(&mut self, target: &Target) -> Result<Leave, Fault> {
        let counter = self.case.counter.clone();
        let settings = &counter.settings;
        head::check_asked(target, &self.headers, counter.broker.settings.header_bytes_max)?;
        let asked_for = settings.carrier.inspect(target, &self.headers).map_err(|misuse| self.blame(target, misuse))?;
        self.inspect_body(target)?;
        counter.take_sub_request().ok_or_else(|| too_many(target, settings.sub_requests))?;
        match settings.grant.mode {
            EgressMode::Deny => {
                self.case.row.secrets(asked_for);
                Err(deny(target).into())
            }
            EgressMode::Synthetic => {
                self.case.row.secrets(asked_for);
                let (_, fixture) = fixture::find(&settings.grant, target)?;
                let fixture = fixture.clone();
                self.check_length()?;
                Ok(Leave::Canned(fixture))
            }
            EgressMode::Allowlist => {
                let permit = decide::decide(&settings.grant, target)?;
                let rule = permit.rule;
                counter.take_of_rule(permit.index, rule.max_requests).ok_or_else(|| exhausted(target, rule))?;
                self.case.row.write(|row| {
                    row.rule = Some(rule.name());
                    // Of a chain, one such hop is enough: without the rule the whole would have ended there.
                    row.would_deny |= rule.enforcement == Enforcement::Audit;
                });
                self.check_length()?;
                let headers = self.load(target, rule)?;
                Ok(Leave::Wire { headers, bytes_max: rule.max_response_bytes })
            }
        }
    }

    /// Fetch allows no body here (§5.4), and HTTP gives it no meaning: leaving it out would be a quiet surprise.
    pub(super) fn check_method(&self, target: &Target) -> Result<(), Refusal> {
        let none = match &self.body {
            Source::Empty | Source::Spent => true,
            Source::Whole(bytes) => bytes.is_empty(),
            Source::Stream(_) => false,
        };
        if none || !matches!(target.method.as_str(), "GET" | "HEAD") {
            return Ok(());
        }
        let reason = format!("a {} request has no body", target.method);
        Err(Refusal::new("badTarget", DEFAULT_DENY, target.url.as_str(), reason, "use a method such as POST, or leave the body out"))
    }

    /// Looks through a body that is here as a whole: in every mode, since the attempt says something by itself.
    fn inspect_body(&self, target: &Target) -> Result<(), Fault> {
        if let (Source::Whole(bytes), Some(mut guard)) = (&self.body, self.case.counter.settings.carrier.body_guard()) {
            guard.feed(bytes).and_then(|_| guard.finish()).map_err(|misuse| self.blame(target, misuse))?;
        }
        Ok(())
    }

    /// A misuse of this hop. Past the first, the origin chose where the request goes, so it is not held against the run.
    fn blame(&self, target: &Target, misuse: Misuse) -> Fault {
        let violation = misuse.violation && self.hops == 0;
        blame(target, Misuse { violation, ..misuse })
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
        // A part of a coded body cannot be decoded either (Fetch §4.6 asks for `identity` with a range too).
        let accepted = if headers.contains_key(header::RANGE) { head::IDENTITY } else { head::ACCEPTED };
        if carrier.scrubber().is_some() {
            headers.insert(header::ACCEPT_ENCODING, accepted);
        } else {
            headers.entry(header::ACCEPT_ENCODING).or_insert(accepted);
        }
        if let Ok(agent) = HeaderValue::from_str(&broker.user_agent) {
            headers.entry(header::USER_AGENT).or_insert(agent);
        }
        Ok(headers)
    }
}

pub(super) fn blame(target: &Target, misuse: Misuse) -> Fault {
    let Misuse { secret: _, rule, kind, message, remediation, violation } = misuse;
    let refusal = Refusal::new("secretDenied", rule, target.url.as_str(), message, remediation);
    Refusal { capability: "secret".to_owned(), violation: violation.then_some(kind), ..refusal }.into()
}

pub(super) fn deny(target: &Target) -> Refusal {
    Refusal::new(
        "egressDenied",
        DEFAULT_DENY,
        target.url.as_str(),
        "the profile lets nothing out",
        "send what the code needs as `input`, or ask the operator for a profile with an egress rule for this host",
    )
}

pub(super) fn too_many(target: &Target, most: u64) -> Refusal {
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
