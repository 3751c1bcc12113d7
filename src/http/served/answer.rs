//! What a handler's Response becomes on the wire, and what is sent in its place when there is none.

use super::ask::{is_of_the_connection, options};
use crate::model::{Problem, ProblemCode, RunReport};
use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};

/// Names the run that answers.
pub(super) const RUN: HeaderName = HeaderName::from_static("cordon-run");

/// Keeps pages that guests send apart from this server's own origin, from which they could ask for runs in their reader's name.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts");

/// Longest part of a guest's message that a problem repeats, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// An answer without a body yet; none when a header cannot be sent. Framing is ours, so lengths and headers of the connection are left out.
pub(super) fn head(status: u16, headers: &[(String, String)]) -> Option<Response> {
    let lists = headers.iter().filter(|(name, _)| name == "connection").map(|(_, value)| value.as_str());
    let connection = options(lists);
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let bytes: Vec<u8> = value.chars().map(|c| u8::try_from(c).ok()).collect::<Option<_>>()?;
        let value = HeaderValue::from_bytes(&bytes).ok()?;
        let is_ours = name == CONTENT_LENGTH || name.as_str().starts_with("cordon-");
        if !is_ours && !is_of_the_connection(name.as_str(), &connection) {
            reply.headers_mut().try_append(name, value).ok()?;
        }
    }
    reply.headers_mut().try_append(CONTENT_SECURITY_POLICY, SANDBOX).ok()?;
    Some(reply)
}

/// Why the run of this report gave no answer.
pub(super) fn failure(report: &[u8]) -> Problem {
    let Ok(report) = serde_json::from_slice::<RunReport>(report) else {
        return Problem::new(ProblemCode::InternalError, "the run's report cannot be read", "report it with the server's log");
    };
    let said = report.error.as_ref().map(|error| format!(": {}: {}", error.name, error.message)).unwrap_or_default();
    let detail: String = format!("the handler ended as {}{said}", report.outcome).chars().take(MESSAGE_CHARS_MAX).collect();
    let remediation = format!("read the run's report, with its logs and the error's place: GET /v1/runs/{}", report.run);
    Problem { run: Some(report.run), ..Problem::new(ProblemCode::HandlerFailed, detail, remediation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(headers: &[(&str, &str)]) -> Option<Vec<String>> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = head(200, &headers)?;
        Some(reply.headers().keys().map(|name| name.as_str().to_owned()).collect())
    }

    #[test]
    fn framing_and_the_connection_are_ours_and_a_sandbox_is_added() {
        let headers =
            [("content-length", "3"), ("transfer-encoding", "chunked"), ("connection", "x-hop"), ("x-hop", "1"), ("cordon-run", "forged")];
        assert_eq!(sent(&headers).expect("sent"), ["content-security-policy"]);
        let two = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("content-security-policy", "default-src 'none'"), ("x", "\u{e9}")];
        let reply = head(404, &two.map(|(name, value)| (name.to_owned(), value.to_owned()))).expect("sent");
        let count = |name| reply.headers().get_all(name).iter().count();
        assert_eq!((reply.status().as_u16(), count("set-cookie"), count("content-security-policy")), (404, 2, 2));
        assert_eq!(reply.headers()["x"].as_bytes(), [0xe9]);
    }

    #[test]
    fn many_headers_beside_many_connection_options_cost_no_more_than_both_have() {
        // Each option looked at for each header would be 10^10 comparisons.
        let mut headers: Vec<(String, String)> = (0..20_000).map(|number| (format!("x{number}"), String::new())).collect();
        headers.push(("connection".to_owned(), "q,".repeat(500_000)));
        assert_eq!(head(200, &headers).expect("sent").headers().len(), 20_001);
        // More than a map of headers holds.
        headers.extend((0..40_000).map(|number| (format!("y{number}"), String::new())));
        assert!(head(200, &headers).is_none());
    }

    #[test]
    fn what_http_cannot_carry_is_no_answer() {
        for bad in [("x", "a\r\nset-cookie: b"), ("x", "a\0"), ("x y", "a"), ("", "a"), ("x", "\u{20ac}")] {
            assert_eq!(sent(&[bad]), None, "{bad:?}");
        }
        assert!(head(42, &[]).is_none());
    }
}
