//! `[egress]`: how the broker resolves and connects. Whom a run may reach is the profile's to say.

use super::reader::{Reader, Wrong};
use super::sections::path;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Shortest prefix of a range that may be allowed, for IPv4: 10.0.0.0/8 is the widest private range that there is.
const PREFIX_V4_LEAST: u8 = 8;

/// The same for IPv6: wider than any network that one operator has (RFC 6177 gives a site a /48).
const PREFIX_V6_LEAST: u8 = 16;

/// `[egress]`: names, addresses, trust and limits of outbound requests of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressSettings {
    /// `resolver`: DNS servers, as address and port. Default none: the system's.
    pub resolver: Vec<SocketAddr>,
    /// `allow_private_cidrs`: addresses that are not globally routable and may be reached all the same. Default none. At least /8 and /16 (IPv6).
    pub allow_private_cidrs: Vec<IpNet>,
    /// `extra_ca_file`: certificates in PEM, trusted besides the public roots. A relative path starts at the file's folder.
    pub extra_ca_file: Option<PathBuf>,
    /// `connect_ms`: name, connection and TLS together. Default 5 s; 1 ms to 1 min.
    pub connect: Duration,
    /// `first_byte_ms`: from the request's end to the answer's first byte. Default 15 s; 1 ms to 5 min.
    pub first_byte: Duration,
    /// `total_ms`: from a request's start to the answer's last byte, redirects included. Default 30 s; 1 ms to 10 min.
    pub total: Duration,
    /// `concurrent_per_run`: requests of one run at once; more of them wait. Default 8; 1 to 256.
    pub concurrent_per_run: u64,
    /// `redirects_max`: hops that one request may be sent on. Default 5; 0 follows none; at most 20, as browsers.
    pub redirects_max: u64,
    /// `request_bytes_max`: a request's body. Default 10 MiB; 0 allows no bodies; at most 1 GiB.
    pub request_bytes_max: u64,
    /// `header_bytes_max`: all header lines of a request, and of an answer. Default 64 KiB; 8 KiB (what hyper needs) to 1 MiB.
    pub header_bytes_max: u64,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            resolver: Vec::new(),
            allow_private_cidrs: Vec::new(),
            extra_ca_file: None,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            total: Duration::from_secs(30),
            concurrent_per_run: 8,
            redirects_max: 5,
            request_bytes_max: 10 << 20,
            header_bytes_max: 64 << 10,
        }
    }
}

impl EgressSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let mut ms = |key, most, default| reader.u64(key, 1..=most).map_or(default, Duration::from_millis);
        let (connect, first_byte, total) = (
            ms("connect_ms", 60_000, default.connect),
            ms("first_byte_ms", 300_000, default.first_byte),
            ms("total_ms", 600_000, default.total),
        );
        Self {
            resolver: reader.list("resolver", "write an IP address and a port, such as 10.0.0.2:53", server).unwrap_or_default(),
            allow_private_cidrs: reader.list("allow_private_cidrs", CIDR_MEND, cidr).unwrap_or_default(),
            extra_ca_file: reader.checked("extra_ca_file", "write the path of a PEM file", path),
            connect,
            first_byte,
            total,
            concurrent_per_run: reader.u64("concurrent_per_run", 1..=256).unwrap_or(default.concurrent_per_run),
            redirects_max: reader.u64("redirects_max", 0..=20).unwrap_or(default.redirects_max),
            request_bytes_max: reader.u64("request_bytes_max", 0..=1 << 30).unwrap_or(default.request_bytes_max),
            header_bytes_max: reader.u64("header_bytes_max", 8 << 10..=1 << 20).unwrap_or(default.header_bytes_max),
        }
    }
}

const CIDR_MEND: &str = "write the range that is needed and no more, such as 10.1.2.0/24; one address is 10.1.2.3/32";

/// A DNS server.
fn server(text: &str) -> Result<SocketAddr, String> {
    let server: Option<SocketAddr> = text.parse().ok();
    server.filter(|server| server.port() != 0).ok_or_else(|| format!("`{text}` is not an address with a port"))
}

/// A range of addresses, written by its first one, and not so wide that it allows a good part of the internet.
fn cidr(text: &str) -> Result<IpNet, Wrong> {
    let range: IpNet = text.parse().map_err(|_| format!("`{text}` is not a range of addresses"))?;
    let least = if range.addr().is_ipv4() { PREFIX_V4_LEAST } else { PREFIX_V6_LEAST };
    if range.prefix_len() < least {
        return Err(format!("`{text}` allows more than a /{least}").into());
    }
    if range.trunc() != range {
        return Err(Wrong { message: format!("`{text}` has bits past its prefix"), mend: Some(format!("write {}", range.trunc())) });
    }
    if let IpNet::V6(six) = range
        && six.addr().to_ipv4_mapped().is_some()
    {
        return Err(format!("`{text}` is a range of IPv4 in the clothes of IPv6, which is looked at as IPv4").into());
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_allowed_down_to_its_shortest_prefix_and_written_by_its_first_address() {
        for good in ["10.0.0.0/8", "127.0.9.0/24", "10.1.2.3/32", "fd00::/16", "fd00::1/128"] {
            assert!(cidr(good).is_ok(), "{good}");
        }
        for bad in [
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/7",
            "128.0.0.0/1",
            "fc00::/15",
            "fd00::/8",
            "::ffff:10.0.0.0/104",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0/8",
            "0x0a.0.0.0/8",
            "fd00::/129",
            "",
            "all",
            "10.0.0.0/8 ",
        ] {
            assert!(cidr(bad).is_err(), "{bad}");
        }
        let wrong = cidr("10.1.2.3/24").expect_err("bits past the prefix");
        assert_eq!(wrong.mend.as_deref(), Some("write 10.1.2.0/24"));
    }

    #[test]
    fn a_resolver_is_an_address_with_a_port() {
        for good in ["127.0.0.1:5300", "[::1]:53"] {
            assert!(server(good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "dns.example:53", "::1:53x", ""] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }
}
