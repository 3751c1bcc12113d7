//! Header lines, both ways: which of the guest's are sent, and which of the origin's the guest gets.

use super::Target;
use super::exchange::{Failure, Fault};
use super::refusal::{DEFAULT_DENY, Refusal, word};
use crate::model::Scheme;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Encodings that are taken off answers.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, deflate");

/// The same where nothing could be taken off.
pub(super) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// What a line has besides its name and value: a colon, a space and its end.
const LINE_BYTES: usize = 4;

/// Names that the guest's requests cannot have: those of the connection, those that say who asks on whose behalf, those that tie a request to a trace, a
/// run or a record, which their readers take for the host's word, and this server's own. They are left out without a word, as browsers leave out
/// "forbidden request-headers" (Fetch §2.2.2): code that sets `Host` or `Connection` means no harm and works without.
const OURS: [&str; 19] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-isolate-tier",
    "x-provenance",
    "x-real-ip",
    "x-run-id",
];

/// Beginnings of such names.
const OURS_BEGIN: [&str; 3] = ["proxy-", "x-forwarded-", "cordon-"];

/// Names of an answer that are about its connection and not for the guest (RFC 9110 §7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The guest's headers as they may be sent to `target`.
///
/// # Errors
/// A refusal: when a name or a value is none (a line break in it, for one), or all of them are longer than `bytes_max`.
pub(super) fn outgoing(target: &Target, headers: &[(String, String)], bytes_max: u64) -> Result<HeaderMap, Refusal> {
    let refuse = |reason: String, mend: &str| denied(target, reason, mend);
    check_asked(target, headers, bytes_max)?;
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        let shown = word(name);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refuse(format!("`{shown}` is not the name of a header"), "use letters, digits and `-`"))?;
        let value = line(value).ok_or_else(|| {
            refuse(
                format!("the value of the header `{name}` has a character that ends or breaks its line"),
                "encode the value, in base64 for example",
            )
        })?;
        if !is_ours(name.as_str()) && kept.try_append(name, value).is_err() {
            return Err(refuse("the request has too many headers".to_owned(), "send fewer headers"));
        }
    }
    Ok(kept)
}

fn denied(target: &Target, reason: String, mend: &str) -> Refusal {
    Refusal::new("headerDenied", DEFAULT_DENY, target.url.as_str(), reason, mend)
}

/// Refuses a request whose line and header lines are longer than `bytes_max` together. Asked before anything searches them: that costs time by their
/// length, which nobody counts against the run.
pub(super) fn check_asked(target: &Target, headers: &[(String, String)], bytes_max: u64) -> Result<(), Refusal> {
    let line = target.method.len() + target.url.as_str().len();
    let bytes = headers.iter().fold(line, |bytes, (name, value)| bytes.saturating_add(name.len() + value.chars().count() + LINE_BYTES));
    if bytes as u64 <= bytes_max {
        return Ok(());
    }
    Err(denied(target, format!("the request's headers are longer than {bytes_max} bytes"), "send long values in the request's body"))
}

/// A value whose characters stand for bytes, without white space around it; none when it cannot be one line.
fn line(value: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = value.trim_matches([' ', '\t', '\r', '\n']).chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

fn is_ours(name: &str) -> bool {
    OURS.contains(&name) || OURS_BEGIN.iter().any(|begin| name.starts_with(begin))
}

/// What `Host` says for `target`.
pub(super) fn host(target: &Target) -> Option<HeaderValue> {
    let default = match target.scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
    };
    let text = if target.port == default { target.host.clone() } else { format!("{}:{}", target.host, target.port) };
    HeaderValue::from_str(&text).ok()
}

/// Names in `after` whose values were others in `before`, and were there: where stand-ins of secrets were.
pub(super) fn changed(before: &HeaderMap, after: &HeaderMap) -> Vec<String> {
    let differ = |name: &&HeaderName| !before.get_all(*name).iter().eq(after.get_all(*name).iter());
    before.keys().filter(differ).map(|name| name.as_str().to_owned()).collect()
}

/// The one content coding of an answer; none when it is plain.
///
/// Several codings upon each other are returned as they stand, and match none that can be taken off.
pub(super) fn coding(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::CONTENT_ENCODING).iter().map(latin);
    let mut all = lines.next()?;
    for more in lines {
        all.push(',');
        all.push_str(&more);
    }
    let all = all.trim().to_ascii_lowercase();
    (!all.is_empty() && all != "identity").then_some(all)
}

/// Fails when all header lines of an answer are longer than `bytes_max`.
pub(super) fn check_size(headers: &HeaderMap, bytes_max: u64) -> Result<(), Fault> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + LINE_BYTES).sum();
    if bytes as u64 > bytes_max { Err(too_large()) } else { Ok(()) }
}

/// The answer's head is too long.
pub(super) fn too_large() -> Fault {
    Fault::failed(Failure::HeadersTooLarge, "the answer's headers are longer, or more, than answers' may be")
}

/// The answer's headers as the guest gets them: without those of the connection, and without `Content-Length` when the body's length changes here.
pub(super) fn incoming(headers: &HeaderMap, decoded: bool, length_changes: bool) -> Vec<(String, String)> {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| latin(line).split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>())
        .collect();
    let passes = |name: &HeaderName| {
        let of_the_connection = HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|other| other == name.as_str());
        let untrue_now = decoded && *name == header::CONTENT_ENCODING || length_changes && *name == header::CONTENT_LENGTH;
        !of_the_connection && !untrue_now
    };
    headers.iter().filter(|(name, _)| passes(name)).map(|(name, value)| (name.as_str().to_owned(), latin(value))).collect()
}

/// A value, each byte as a character.
pub(super) fn latin(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::parse("GET", "http://good.example:8080/").expect("a target")
    }

    fn send(headers: &[(&str, &str)]) -> Result<HeaderMap, Refusal> {
        let owned: Vec<(String, String)> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        outgoing(&target(), &owned, 1 << 10)
    }

    #[test]
    fn headers_of_the_connection_and_of_this_server_are_left_out_and_others_pass() {
        for name in OURS.into_iter().chain(["Proxy-Authorization", "X-Forwarded-For", "Cordon-Run", "HOST", "Proxy-"]) {
            assert!(send(&[(name, "a")]).expect("left out").is_empty(), "{name}");
        }
        for name in ["accept", "Authorization", "cookie", "x-forwarded", "hosts", "cordon"] {
            assert_eq!(send(&[(name, "a"), (name, "b")]).expect("passes").len(), 2, "{name}");
        }
    }

    #[test]
    fn a_value_is_bytes_in_one_line_and_nothing_else() {
        assert_eq!(send(&[("a", " \t\u{ff}\tx ")]).expect("latin")["a"].as_bytes(), b"\xff\tx");
        for value in ["a\r\nHost: evil.example", "a\nb", "a\rb", "a\0b", "\u{7f}", "\u{100}", "a\u{1b}"] {
            assert_eq!(send(&[("a", value)]).expect_err("refused").code, "headerDenied", "{value:?}");
        }
        for name in ["", "a b", "a:", "a\r\nb", ":authority", "ä", "a\0"] {
            assert_eq!(send(&[(name, "a")]).expect_err("refused").code, "headerDenied", "{name:?}");
        }
    }

    #[test]
    fn headers_fit_up_to_their_limit_and_not_past_it() {
        let room = (1 << 10) - "GET".len() - target().url.as_str().len() - 1 - LINE_BYTES;
        assert!(send(&[("a", &"x".repeat(room))]).is_ok());
        assert_eq!(send(&[("a", &"x".repeat(room + 1))]).expect_err("refused").code, "headerDenied");
        assert_eq!(send(&[("host", &"x".repeat(room))]).expect_err("counted before it is left out").code, "headerDenied");
    }

    #[test]
    fn names_that_connection_names_are_not_for_the_guest() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, X-Secret"), ("x-secret", "a"), ("x-open", "b"), ("set-cookie", "c=1"), ("set-cookie", "d=2")]
        {
            headers.append(name, HeaderValue::from_static(value));
        }
        let passed = incoming(&headers, false, false);
        let names: Vec<&str> = passed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-open", "set-cookie", "set-cookie"]);
    }
}
