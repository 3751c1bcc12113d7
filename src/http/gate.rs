//! Keeps web pages out: a page that a browser shows must not reach a listener, neither across origins nor by DNS rebinding.

use super::settings::Settings;
use crate::model::{Problem, ProblemCode};
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use std::net::{IpAddr, Ipv6Addr};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request whose `Host`, target or origin is not this server's. `local` is the address the peer connected to.
pub(super) fn check(request: &Parts, local: IpAddr, settings: &Settings) -> Result<(), Problem> {
    let host = only(&request.headers, &HOST)?.ok_or_else(|| malformed_host("the request has no Host header"))?;
    let host = host.to_str().map_err(|_| malformed_host("the Host header is not text"))?;
    check_authority(host, local, settings)?;
    if let Some(authority) = request.uri.authority() {
        check_authority(authority.as_str(), local, settings)?;
    }
    check_origin(&request.headers, host, settings)
}

/// The header's value; `None` when absent. Caused by the caller: more than one.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Problem::new(
            ProblemCode::InvalidRequest,
            format!("the request has more than one `{name}` header"),
            format!("send exactly one `{name}` header"),
        )),
    }
}

fn malformed_host(detail: &str) -> Problem {
    Problem::new(
        ProblemCode::InvalidRequest,
        detail,
        "send one Host header with the name or address of this server, such as `localhost:8787`",
    )
}

/// What a `Host` names.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// The host of `name[:port]`, `address[:port]` or `[address][:port]`; `None` when it is none of these.
fn parse_authority(text: &str) -> Option<Host> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), rest)
        }
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            if name.is_empty() || name.len() > 253 || !name.bytes().all(plain) {
                return None;
            }
            (name.parse().map_or_else(|_| Host::Name(name.to_ascii_lowercase()), Host::Address), rest)
        }
    };
    let port_is_one = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    port_is_one.then_some(host)
}

fn check_authority(text: &str, local: IpAddr, settings: &Settings) -> Result<(), Problem> {
    let host = parse_authority(text).ok_or_else(|| malformed_host("the Host header is not a host with an optional port"))?;
    let listed = |wanted: &str| settings.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(wanted));
    let ours = match &host {
        Host::Address(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address == local || listed(&address.to_string())
        }
        Host::Name(name) => name == "localhost" || listed(name),
    };
    if ours {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::ForeignOrigin,
        format!("`{text}` is not a name of this server"),
        "reach the server by its address or as `localhost`, or let its operator add the name to `allowed_hosts`",
    ))
}

/// A page of another origin is refused whatever it asks for; a browser cannot hide it: it sends `Origin` with every
/// cross-origin POST, and `Sec-Fetch-Site` with every request.
fn check_origin(headers: &HeaderMap, host: &str, settings: &Settings) -> Result<(), Problem> {
    if let Some(origin) = only(headers, &ORIGIN)? {
        let origin = origin.to_str().unwrap_or("null");
        let own = ["http://", "https://"].iter().any(|scheme| {
            let split = origin.split_at_checked(scheme.len());
            split.is_some_and(|(start, rest)| start.eq_ignore_ascii_case(scheme) && rest.eq_ignore_ascii_case(host))
        });
        let listed = settings.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin));
        return if own || listed { Ok(()) } else { Err(foreign(format!("the request comes from a page of `{}`", brief(origin)))) };
    }
    match only(headers, &SEC_FETCH_SITE)?.map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_other) => Err(foreign("a page of another site made the browser send this request".to_owned())),
    }
}

fn foreign(detail: String) -> Problem {
    Problem::new(
        ProblemCode::ForeignOrigin,
        detail,
        "call the server from a program instead of a page, or let its operator add the page's origin to `allowed_origins`",
    )
}

fn brief(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            allowed_hosts: vec!["Cordon.Example".to_owned(), "203.0.113.9".to_owned()],
            allowed_origins: vec!["https://console.example".to_owned()],
            ..Settings::default()
        }
    }

    fn status(target: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = hyper::Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        check(&parts, "192.0.2.1".parse().expect("an address"), &settings()).map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn only_names_and_addresses_of_this_server_are_let_in() {
        let own = [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8787",
            "127.9.9.9",
            "[::1]:8787",
            "[::ffff:127.0.0.1]",
            "192.0.2.1",
            "[::ffff:192.0.2.1]:1",
        ];
        for host in own.into_iter().chain(["cordon.example", "CORDON.example:443", "203.0.113.9:1"]) {
            assert_eq!(status("/", &[("host", host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "192.0.2.2",
            "0.0.0.0",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "a.cordon.example",
        ] {
            assert_eq!(status("/", &[("host", host)]), 403, "{host}");
        }
        let malformed = [
            "",
            "localhost:",
            "localhost:x",
            "localhost:65536",
            "localhost:+80",
            "a@localhost",
            "[::1",
            "[::1]x",
            "[fe80::1%eth0]",
            "::1",
            "localhost:80:80",
            "local host",
        ];
        for host in malformed {
            assert_eq!(status("/", &[("host", host)]), 400, "{host}");
        }
        assert_eq!(status("/", &[]), 400);
        assert_eq!(status("/", &[("host", "localhost"), ("host", "localhost")]), 400);
    }

    #[test]
    fn an_absolute_target_must_name_this_server_too() {
        assert_eq!(status("http://localhost:8787/v1/runs", &[("host", "localhost:8787")]), 200);
        assert_eq!(status("http://evil.example/v1/runs", &[("host", "localhost:8787")]), 403);
        assert_eq!(status("http://localhost/v1/runs", &[("host", "evil.example")]), 403);
        assert_eq!(status("http://u@localhost/v1/runs", &[("host", "localhost")]), 400);
    }

    #[test]
    fn a_page_of_another_origin_is_refused_and_a_program_or_an_own_page_is_not() {
        let with = |name: &str, value: &str| status("/", &[("host", "localhost:8787"), (name, value)]);
        for own in ["http://localhost:8787", "https://LOCALHOST:8787", "https://console.example"] {
            assert_eq!(with("origin", own), 200, "{own}");
        }
        let pages = [
            "null",
            "http://evil.example",
            "http://localhost:3000",
            "http://localhost",
            "file://",
            "",
            "localhost:8787",
            "http://localhost:8787/",
            "http://localhost:8787.evil.example",
        ];
        for foreign in pages {
            assert_eq!(with("origin", foreign), 403, "{foreign}");
        }
        for site in ["cross-site", "same-site", "other"] {
            assert_eq!(with("sec-fetch-site", site), 403, "{site}");
        }
        for site in ["same-origin", "none"] {
            assert_eq!(with("sec-fetch-site", site), 200, "{site}");
        }
        assert_eq!(status("/", &[("host", "localhost"), ("origin", "http://localhost"), ("origin", "null")]), 400);
    }
}
