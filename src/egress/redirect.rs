//! Redirects, as the Fetch standard has them (§4.4, "HTTP-redirect fetch"): where the next hop goes, with which method, and what does not go along.

use super::exchange::{Failure, Fault};
use super::payload::Source;
use super::refusal::{DEFAULT_DENY, Refusal};
use super::trip::{Answer, Trip};
use super::{Target, head};
use crate::model::exchange::Redirect;
use http::StatusCode;
use http::header::{self, HeaderMap};

/// Headers that are for one origin: they do not go along to another.
const FOR_ONE_ORIGIN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Headers that tell of a body (Fetch "request-body-header name").
const OF_THE_BODY: [&str; 4] = ["content-encoding", "content-language", "content-location", "content-type"];

impl Trip {
    /// Where an answer sends the request on to; none when it is the last.
    pub(super) fn follow(&mut self, target: &Target, answer: &Answer) -> Result<Option<Target>, Fault> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        match self.redirect {
            Redirect::Manual => return Ok(None),
            Redirect::Error => {
                return Err(Fault::failed(Failure::RedirectForbidden, "the answer is a redirect, which the request forbids"));
            }
            Redirect::Follow => {}
        }
        let Some(url) = location(target, &answer.headers)? else { return Ok(None) };
        let most = self.case.counter.broker.settings.redirects_max;
        if self.hops >= most {
            return Err(Fault::failed(Failure::TooManyRedirects, format!("the request was redirected more than {most} times")));
        }
        self.hops += 1;
        let method = self.rewrite(target, answer.status)?;
        let next = Target::parse(&method, &url);
        self.case.row.hop(next.as_ref().map_or_else(|refusal| refusal.target.as_str(), |next| next.url.as_str()));
        let next = next?;
        if next.origin() != target.origin() {
            self.forget();
            // Its origin knows the secret anyhow; it gets no help to tell others, and their logs.
            if self.case.counter.settings.carrier.scrub_text(next.url.as_str()).is_some() {
                return Err(spills(&next).into());
            }
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
            return Err(Fault::failed(
                Failure::RedirectForbidden,
                "the answer is a redirect, and a streamed body cannot be sent a second time",
            ));
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
}

/// The URL of an answer's `Location`; none when it has none.
fn location(target: &Target, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut all = headers.get_all(header::LOCATION).iter();
    let Some(first) = all.next() else { return Ok(None) };
    if all.any(|other| other != first) {
        return Err(Fault::failed(Failure::Protocol, "the answer is a redirect to several places"));
    }
    let text = std::str::from_utf8(first.as_bytes()).map_or_else(|_| head::latin(first), str::to_owned);
    match target.url.join(&text) {
        Ok(url) => Ok(Some(url.into())),
        Err(error) => Err(Fault::failed(Failure::Protocol, format!("the answer is a redirect to no URL: {error}"))),
    }
}

fn spills(target: &Target) -> Refusal {
    let reason = "the answer sends the request on to another origin, with the value of a secret in the URL";
    Refusal::new("redirectDenied", DEFAULT_DENY, target.url.as_str(), reason, "ask for the redirect itself, with `redirect: \"manual\"`")
}

/// A redirect from https to http that no rule allows is refused as a redirect: the guest did not ask for http.
pub(super) fn no_downgrade(fault: Fault) -> Fault {
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
