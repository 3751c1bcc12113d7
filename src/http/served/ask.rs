//! The run that a request for an artifact asks for.

use crate::http::gate::only;
use crate::http::trace::{TRACEPARENT, Trace};
use crate::model::exchange::ServedRequest;
use crate::model::{AliasName, Door, LimitsRequest, Origin, Principal, Problem, ProblemCode, RunRequest, RunSource};
use axum::body::Body;
use hyper::HeaderMap;
use hyper::body::Body as _;
use hyper::header::{AUTHORIZATION, EXPECT, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use std::collections::HashSet;

/// Names the profile that the run is to have.
const PROFILE: HeaderName = HeaderName::from_static("cordon-profile");

/// Tells the guest which part of the path is not its own, without a slash at the end.
const PREFIX: &str = "cordon-prefix";

/// Headers that are about one connection and not about the exchange (RFC 9110 §7.6.1), in lower case.
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The options of `Connection` headers, in lower case. Taken once: one for each header would be work that whoever wrote both can multiply.
pub(super) fn options<'a>(lists: impl Iterator<Item = &'a str>) -> HashSet<String> {
    lists.flat_map(|list| list.split(',')).map(|option| option.trim().to_ascii_lowercase()).collect()
}

/// Whether `name`, in lower case, is about one connection, either always or because it is one of the connection's options.
pub(super) fn is_of_the_connection(name: &str, connection: &HashSet<String>) -> bool {
    OF_THE_CONNECTION.contains(&name) || connection.contains(name)
}

/// The run that `parts` ask for. Caused by the caller: no digest in the path, a profile that is no name, an input that cannot be told.
pub(super) fn request(parts: &Parts, body: &Body, principal: &Principal, trace: Option<&Trace>) -> Result<RunRequest, Problem> {
    let (artifact, below) = place(parts.uri.path());
    let prefix = format!("/w/{artifact}");
    let source = source(artifact)?;
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = only(&parts.headers, &HOST)?.map(text).unwrap_or_default();
    let mut headers = headers(&parts.headers, principal);
    headers.push((PREFIX.to_owned(), prefix));
    let served = ServedRequest {
        method: parts.method.as_str().to_owned(),
        url: format!("http://{host}{below}{query}"),
        headers,
        body: !body.is_end_stream(),
    };
    let input = serde_json::value::to_raw_value(&served).map_err(|error| refuse(error.to_string(), "send fewer headers"))?;
    Ok(RunRequest {
        door: Door::Public,
        source,
        input,
        entrypoint: "default".to_owned(),
        profile: profile(&parts.headers)?,
        limits: LimitsRequest::default(),
        origin: Origin::default(),
        traceparent: trace.map(|trace| trace.recorded.clone()),
        served: true,
    })
}

fn refuse(detail: String, remediation: &str) -> Problem {
    Problem::new(ProblemCode::InvalidRequest, detail, remediation)
}

/// The artifact's id, whose colon may be escaped, or an alias.
fn source(text: &str) -> Result<RunSource, Problem> {
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let wrong = |detail: String| refuse(detail, "use the `artifact` of a run's answer, /w/sha256:…/, or an alias");
    if text.contains(':') {
        return text.parse().map(RunSource::Stored).map_err(|error: crate::model::DigestError| wrong(error.to_string()));
    }
    AliasName::try_from(text).map(RunSource::Alias).map_err(|error| wrong(error.to_string()))
}

/// The artifact's part of `/w/{artifact}/…`, and the path that is the guest's.
fn place(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix("/w/").unwrap_or_default();
    let end = rest.find('/').unwrap_or(rest.len());
    (&rest[..end], if end == rest.len() { "/" } else { &rest[end..] })
}

fn profile(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = only(headers, &PROFILE)? else { return Ok(None) };
    let name = value.to_str().map_err(|_| refuse(format!("the {PROFILE} header is not text"), "name a profile, such as `validated`"))?;
    Ok(Some(name.to_owned()))
}

/// The headers that are the guest's: not those of the connection, not ours, and not the key that the request was let in with.
fn headers(all: &HeaderMap, principal: &Principal) -> Vec<(String, String)> {
    let connection = options(all.get_all("connection").iter().filter_map(|value| value.to_str().ok()));
    let is_ours = |name: &HeaderName| {
        let key = name == AUTHORIZATION && *principal != Principal::local();
        key || name == EXPECT || name == TRACEPARENT || name.as_str().starts_with("cordon-")
    };
    let mut theirs: Vec<_> = all
        .iter()
        .filter(|(name, _)| !is_ours(name) && !is_of_the_connection(name.as_str(), &connection))
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    theirs.extend(all.get(TRACEPARENT).map(|value| (TRACEPARENT.as_str().to_owned(), text(value))));
    theirs
}

/// A value's bytes as the characters that stand for them.
fn text(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Role};

    fn asked(request: hyper::http::request::Builder, principal: &Principal) -> Result<ServedRequest, Problem> {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let run = request_of(&parts, principal)?;
        assert!(run.served);
        Ok(serde_json::from_str(run.input.get()).expect("a served request"))
    }

    fn request_of(parts: &Parts, principal: &Principal) -> Result<RunRequest, Problem> {
        request(parts, &Body::empty(), principal, None)
    }

    fn under(path: &str) -> String {
        format!("/w/{}{path}", Digest::of(b"x"))
    }

    #[test]
    fn the_guest_sees_what_follows_the_artifact_as_it_was_sent() {
        for (sent, seen) in [("", "/"), ("/", "/"), ("/a%2Fb/../c?d=%20&e", "/a%2Fb/../c?d=%20&e"), ("//x", "//x"), ("?q", "/?q")] {
            let request = hyper::Request::get(under(sent)).header("host", "localhost:8787");
            assert_eq!(asked(request, &Principal::local()).expect("served").url, format!("http://localhost:8787{seen}"), "{sent}");
        }
    }

    #[test]
    fn a_path_without_a_digest_is_refused_and_an_escaped_colon_is_none_the_worse() {
        let escaped = under("/x").replace(':', "%3A");
        assert!(asked(hyper::Request::get(escaped).header("host", "h"), &Principal::local()).is_ok());
        for bad in ["/w/Latest/x", "/w//x", "/w/sha256:00/x", "/w/a.b/x"] {
            let refused = asked(hyper::Request::get(bad).header("host", "h"), &Principal::local()).expect_err(bad);
            assert_eq!(refused.code, ProblemCode::InvalidRequest);
        }
    }

    #[test]
    fn headers_of_the_connection_and_the_key_stay_at_the_door() {
        let request = || {
            let request =
                hyper::Request::get(under("/")).header("host", "h").header("authorization", "Bearer key").header("x-own", "\u{e9}");
            let request = request.header("connection", "close, X-Named").header("x-named", "1").header("te", "trailers");
            request.header("cordon-profile", "validated").header("cordon-prefix", "/forged").header("upgrade", "h2c")
        };
        let names = |principal: &Principal| {
            let headers = asked(request(), principal).expect("served").headers;
            assert!(headers.iter().filter(|(name, _)| name == PREFIX).all(|(_, value)| *value == under("")));
            headers.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let keyed = Principal { id: "key:1".to_owned(), name: "k".to_owned(), role: Role::Agent };
        assert_eq!(names(&keyed), ["host", "x-own", "cordon-prefix"]);
        assert_eq!(names(&Principal::local()), ["host", "authorization", "x-own", "cordon-prefix"]);
    }
}
