//! Single words of `[egress]` and `[[secret]]`: methods, paths, headers. Each check says what is wrong in words that follow the key.

use crate::config::Wrong;
use crate::model::path;
use url::Url;

/// Longest method, in bytes: more than any registered one has (`BASELINE-CONTROL`, `UPDATEREDIRECTREF`).
const METHOD_BYTES_MAX: usize = 32;

/// Methods that make a proxy or an echo of the other side: `fetch` forbids them (Fetch §2.2.1), and so do profiles.
const METHODS_NEVER: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Headers that are the broker's: of the connection (RFC 9110 §7.6.1), and what frames and addresses a message. `proxy-` anything besides.
const HEADERS_OURS: [&str; 8] = ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

pub(super) const METHODS_MEND: &str = "write methods in upper case, such as \"GET\"; CONNECT, TRACE and TRACK are never allowed";
pub(super) const PATH_MEND: &str =
    "write the path as it stands in a URL, from its first `/`, without `?`, `#`, `.` or `..`, or encoded `/`, `\\` or `.`";
pub(super) const HEADER_MEND: &str =
    "name a header that is not the connection's own: not host, content-length, connection, proxy-… or their like";

/// An HTTP method.
pub(super) fn method(text: &str) -> Result<String, Wrong> {
    let upper = text.to_ascii_uppercase();
    let plain = upper.starts_with(|c: char| c.is_ascii_uppercase())
        && upper.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    if !plain || upper.len() > METHOD_BYTES_MAX {
        return Err(format!("`{text}` is not a method").into());
    }
    if METHODS_NEVER.contains(&upper.as_str()) {
        return Err(format!("`{text}` is never sent for a run").into());
    }
    if upper != text {
        return Err(Wrong { message: format!("`{text}` is not in upper case"), mend: Some(format!("write `{upper}`")) });
    }
    Ok(upper)
}

/// The start of a URL's path, as the WHATWG parser writes it. No slash or dot is hidden in it.
pub(super) fn path_prefix(text: &str) -> Result<String, Wrong> {
    let lower = text.to_ascii_lowercase();
    if !text.starts_with('/') || text.contains(['?', '#', '\\']) || ["%2f", "%2e", "%5c"].iter().any(|hidden| lower.contains(hidden)) {
        return Err(format!("`{text}` is not the plain start of a path").into());
    }
    let url = Url::parse(&format!("https://host.example{text}")).map_err(|error| format!("`{text}` is not a path: {error}"))?;
    if url.path() != text {
        return Err(Wrong { message: format!("`{text}` is not written as it is compared"), mend: Some(format!("write `{}`", url.path())) });
    }
    if text != "/" && !path::is_plain(text) {
        let message = format!("`{text}` fits no path: it has a segment that readers of paths understand differently");
        return Err(Wrong { message, mend: Some("leave out empty segments, segments before a `;`, and escapes that are none".to_owned()) });
    }
    Ok(text.to_owned())
}

/// A header that may be set, in lower case.
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let lower = text.to_ascii_lowercase();
    if text.is_empty() || text.len() > 128 || !text.bytes().all(token) {
        return Err(format!("`{text}` is not the name of a header"));
    }
    if HEADERS_OURS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
        return Err(format!("`{text}` is set by the broker and nobody else"));
    }
    Ok(lower)
}

/// A header's value: visible ASCII with spaces inside.
pub(super) fn header_value(text: &str) -> Result<(), String> {
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if plain && text.trim() == text { Ok(()) } else { Err("a header's value is visible ASCII, with spaces only inside".to_owned()) }
}

/// Words for a reader: not empty.
pub(in crate::policy) fn sentence(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_upper_case_words_that_may_be_sent() {
        for good in ["GET", "POST", "M-SEARCH", "X1", &"A".repeat(32)] {
            assert_eq!(method(good), Ok(good.to_owned()));
        }
        for bad in ["", "get", "Get", "CONNECT", "connect", "TRACE", "TRACK", "G ET", "GET\r\n", "*", "1X", "-", "GÉT", &"A".repeat(33)] {
            assert!(method(bad).is_err(), "{bad:?}");
        }
        assert_eq!(method("patch").expect_err("lower case").mend.as_deref(), Some("write `PATCH`"));
    }

    #[test]
    fn a_prefix_of_a_path_hides_no_slash_or_dot_and_is_in_the_compared_form() {
        for good in ["/", "/v1", "/v1/", "/a.b/c-d_e~f", "/%41", "/a%20b", "/...", "/a:b@c", "/*"] {
            assert_eq!(path_prefix(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "v1",
            "*",
            "/a?b",
            "/a#b",
            "/../a",
            "/a/..",
            "/a/./b",
            "/.",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/a",
            "/%2E",
            "/a%5cb",
            "/a\\b",
            "\\a",
            "/a b",
            "/ä",
            "/a\tb",
            "/a\n",
            "//..",
            "/<a>",
            "https://good.example/",
            "/a//b",
            "//a",
            "/a/..;x/b",
            "/a/;x",
            "/%ff",
            "/%zz",
            "/%252e",
        ] {
            assert!(path_prefix(bad).is_err(), "{bad:?}");
        }
        assert_eq!(path_prefix("/a/../ä").expect_err("climbs").mend.as_deref(), Some("write `/%C3%A4`"));
    }

    #[test]
    fn headers_of_the_connection_and_its_framing_are_not_the_operators() {
        assert_eq!(header_name("X-Api-Key"), Ok("x-api-key".to_owned()));
        for good in ["authorization", "cookie", "x_1", &"a".repeat(128)] {
            assert!(header_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Host",
            "content-length",
            "Connection",
            "keep-alive",
            "TE",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "Proxy-Authorization",
            "proxy-x",
            "a b",
            "a:",
            "a\r",
            "ä",
            &"a".repeat(129),
        ] {
            assert!(header_name(bad).is_err(), "{bad:?}");
        }
        for (value, right) in
            [("", true), ("a b", true), (" a", false), ("a ", false), ("a\r\nb", false), ("a\tb", false), ("é", false), ("\u{7f}", false)]
        {
            assert_eq!(header_value(value).is_ok(), right, "{value:?}");
        }
    }
}
