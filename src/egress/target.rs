//! What a request asks for, parsed once. Everything is decided on this form, and this form is sent.

use super::refusal::{DEFAULT_DENY, Refusal, word};
use crate::model::Scheme;
use std::net::IpAddr;
use url::{Host, Url};

/// Longest URL in bytes, as asked and as parsed: what servers commonly take (RFC 9110 §4.1 wants 8000 octets at least).
const URL_BYTES_MAX: usize = 8 << 10;

/// Longest method, in bytes: no rule can name a longer one.
const METHOD_BYTES_MAX: usize = 32;

/// Methods that are the same in any case (Fetch §2.2.1 "normalize"); all others stay as they are.
const METHODS_NORMALIZED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// Methods that make a proxy or an echo of the other side (Fetch §2.2.1 "forbidden method").
const METHODS_NEVER: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Where a request goes and with which method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL without its fragment, which is never sent.
    pub url: Url,
    /// The method. `get` and the like have become `GET`.
    pub method: String,
    /// The scheme.
    pub scheme: Scheme,
    /// The host as the WHATWG parser wrote it: lower case, A-labels; an address as `127.0.0.1` or `[::1]`.
    pub host: String,
    /// The port, the scheme's own where the URL names none.
    pub port: u16,
}

impl Target {
    /// Parses a request's target. The guest causes refusals: of a URL that is none, is not http or https, is longer than 8 KiB, has a user, a
    /// password, the port 0, no host or one with a final dot, and of a method that is none or never sent.
    pub fn parse(method: &str, url: &str) -> Result<Self, Refusal> {
        let bad = |reason: &str, mend: &str| bad(url, reason, mend);
        if url.len() > URL_BYTES_MAX {
            return Err(bad("the URL is longer than 8 KiB", SHORTEN));
        }
        let mut parsed = Url::parse(url).map_err(|error| bad(&format!("the URL cannot be parsed: {error}"), "send a whole URL"))?;
        parsed.set_fragment(None);
        let (scheme, host, port) = place(&parsed).map_err(|(reason, mend)| self::bad(anonymous(&parsed).as_str(), reason, mend))?;
        let method = normalized(method, &parsed)?;
        Ok(Self { url: parsed, method, scheme, host, port })
    }

    /// The path, from its first `/`, without the query.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Scheme, host and port: what redirects compare (RFC 6454 §4).
    pub fn origin(&self) -> (Scheme, String, u16) {
        (self.scheme, self.host.clone(), self.port)
    }

    /// The address, where the host is one instead of a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }
}

/// `url` without user and password, which no record needs. A URL that cannot have them has none.
fn anonymous(url: &Url) -> Url {
    let mut url = url.clone();
    let (_, _) = (url.set_username(""), url.set_password(None));
    url
}

const SHORTEN: &str = "send long values in the request's body";

type Wrong = (&'static str, &'static str);

/// Scheme, host and port of a URL that may be sent at all.
fn place(url: &Url) -> Result<(Scheme, String, u16), Wrong> {
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return Err(("the URL's scheme is neither https nor http", "use an https URL")),
    };
    if url.as_str().len() > URL_BYTES_MAX {
        return Err(("the URL is longer than 8 KiB once its characters are encoded", SHORTEN));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("the URL has a user or a password", "take them out of the URL; credentials go into a header, as a granted secret"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(("the URL has no host", "send a whole URL"))?;
    if host.ends_with('.') {
        return Err(("the URL's host ends in a dot", "write the host without its final dot"));
    }
    match url.port_or_known_default() {
        Some(port) if port != 0 => Ok((scheme, host.to_owned(), port)),
        Some(_) | None => Err(("the URL's port is 0", "name the port that the server listens on")),
    }
}

fn normalized(method: &str, url: &Url) -> Result<String, Refusal> {
    let upper = method.to_ascii_uppercase();
    if METHODS_NEVER.contains(&upper.as_str()) {
        let reason = format!("the method `{upper}` is never sent for a run");
        return Err(Refusal::new("methodDenied", DEFAULT_DENY, url.as_str(), reason, "use another method"));
    }
    if method.is_empty() || method.len() > METHOD_BYTES_MAX || !method.bytes().all(is_token) {
        let reason = format!("`{}` is not a method of at most {METHOD_BYTES_MAX} letters", word(method));
        return Err(bad(url.as_str(), &reason, "use a method such as GET"));
    }
    Ok(if METHODS_NORMALIZED.contains(&upper.as_str()) { upper } else { method.to_owned() })
}

/// A letter of a token (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn bad(url: &str, reason: &str, mend: &str) -> Refusal {
    Refusal::new("badTarget", DEFAULT_DENY, url, reason, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> String {
        Target::parse("GET", url).expect("a target").host
    }

    fn code(method: &str, url: &str) -> &'static str {
        Target::parse(method, url).expect_err("a refusal").code
    }

    #[test]
    fn a_target_has_the_parsers_spelling_and_the_schemes_own_port() {
        let target = Target::parse("get", "HTTPS://GOOD.example:443/a/../b?c=d#e").expect("a target");
        assert_eq!(target.url.as_str(), "https://good.example/b?c=d");
        assert_eq!((target.method.as_str(), target.path()), ("GET", "/b"));
        assert_eq!(target.origin(), (Scheme::Https, "good.example".to_owned(), 443));
        assert_eq!(Target::parse("GET", "http://good.example").expect("a target").port, 80);
        assert_eq!(Target::parse("GET", "https://good.example:65535/").expect("a target").port, 65535);
    }

    #[test]
    fn hostile_spellings_of_hosts_are_what_the_parser_makes_of_them() {
        for spelling in ["127.1", "0x7f.1", "0X7F000001", "2130706433", "0177.0.0.1", "１２７。０．０.1", "%31%32%37.0.0.1", "127.0.0.1"]
        {
            let target = Target::parse("GET", &format!("http://{spelling}/")).expect("a target");
            assert_eq!((target.host.as_str(), target.address()), ("127.0.0.1", Some(IpAddr::from([127, 0, 0, 1]))), "{spelling}");
        }
        assert_eq!(host("http://[::ffff:127.0.0.1]/"), "[::ffff:7f00:1]");
        assert_eq!(host("http://[0:0::1]/"), "[::1]");
        for spelling in ["GOOD.example", "ｇood.example", "good。example", "good%2eexample", "go\u{ad}od.example", "go\tod.exam\nple"] {
            assert_eq!(host(&format!("https://{spelling}/")), "good.example", "{spelling}");
        }
        assert_eq!(host("https://bücher.example/"), "xn--bcher-kva.example");
        assert_eq!(host("https:\\\\good.example\\@evil.example/"), "good.example");
        assert_eq!(host("https://good.example#@evil.example/"), "good.example");
        assert_eq!(host("https:good.example"), "good.example");
    }

    #[test]
    fn what_is_never_sent_is_refused_before_any_rule_is_looked_at() {
        for url in [
            "",
            "/a",
            "good.example",
            "//good.example/",
            "ftp://good.example/",
            "file:///etc/passwd",
            "data:,x",
            "javascript:1",
            "ws://good.example/",
            "blob:https://good.example/1",
            "https://",
            "https:///",
            "https://a@good.example/",
            "https://:b@good.example/",
            "https://a:b@good.example/",
            "https://good.example@evil.example/",
            "https://good.example./",
            "https://good.example../",
            "https://good.example%2e/",
            "https://./",
            "https://good.example:0/",
            "https://good.example:65536/",
            "https://good.example:x/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://256.1.1.1/",
            "https://1.2.3.4.5/",
            "https://a b/",
            "https://a%00b/",
            "https://xn--a/",
            "https://127.0.0.1./x",
        ] {
            let refused = Target::parse("GET", url).err().map(|refusal| refusal.code);
            // The parser takes the final dot of an address away.
            let expected = if url.starts_with("https://127") { None } else { Some("badTarget") };
            assert_eq!(refused, expected, "{url:?}");
        }
    }

    #[test]
    fn a_refusal_shows_no_password_of_a_url() {
        let refusal = Target::parse("GET", "https://user:hunter2@good.example/a").expect_err("a refusal");
        assert_eq!(refusal.target, "https://good.example/a");
    }

    #[test]
    fn a_url_may_be_8_kib_long_both_as_asked_and_as_encoded() {
        let url = |path: String| format!("https://good.example/{path}");
        let room = URL_BYTES_MAX - url(String::new()).len();
        assert!(Target::parse("GET", &url("a".repeat(room))).is_ok());
        assert_eq!(code("GET", &url("a".repeat(room + 1))), "badTarget");
        assert!(Target::parse("GET", &url("ä".repeat(room / 6))).is_ok());
        assert_eq!(code("GET", &url("ä".repeat(room / 6 + 1))), "badTarget");
    }

    #[test]
    fn methods_are_normalised_as_fetch_does_and_proxies_are_not_asked_for() {
        let method = |method: &str| Target::parse(method, "https://good.example/").expect("a target").method;
        assert_eq!((method("dElEtE").as_str(), method("patch").as_str(), method("PATCH").as_str()), ("DELETE", "patch", "PATCH"));
        for never in ["CONNECT", "connect", "Trace", "TRACK"] {
            assert_eq!(code(never, "https://good.example/"), "methodDenied");
        }
        let longest = "A".repeat(METHOD_BYTES_MAX);
        assert_eq!(method(&longest), longest);
        for odd in ["", "G ET", "GET\r\nHost: evil.example", "GET\0", "GÉT", "GET/", &format!("{longest}A")] {
            assert_eq!(code(odd, "https://good.example/"), "badTarget", "{odd:?}");
        }
    }
}
