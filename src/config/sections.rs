//! The sections of `cordon.toml`: their fields, defaults and ranges. This page is the reference for operators.

use super::machine::Machine;
use super::reader::Reader;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

/// Mend for an address to listen on.
pub(super) const ADDRESS_MEND: &str = "write an IP address and a port, such as 127.0.0.1:8787; port 0 picks a free one";

/// `[server]`: listeners, folders and what a connection may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `listen`: the public listener. Default 127.0.0.1:8787. Anything but loopback needs keys (the app checks).
    pub listen: SocketAddr,
    /// `operator_listen`: metrics, health and operators' orders. Default 127.0.0.1:8788.
    pub operator_listen: SocketAddr,
    /// `data`: the store's folder. Default `./cordon-data`. A relative path in the file starts at the file's folder.
    pub data: PathBuf,
    /// `policies`: a folder of profiles. Default: the built-in ones. A relative path in the file starts at the file's folder.
    pub policies: Option<PathBuf>,
    /// `connections_max`: open connections of each listener. Default 1024; at most 65,536.
    pub connections_max: u64,
    /// `header_read_timeout_ms`: from a request's first byte to the end of its headers. Default 10 s; 100 ms to 2 min.
    pub header_read_timeout: Duration,
    /// `body_bytes_max`: a request's body. Default 4 MiB: the built-in profiles' sources and input together, doubled for JSON's escapes, rounded
    /// up. 1 KiB to 64 MiB.
    pub body_bytes_max: u64,
    /// `keep_alive_ms`: how long an idle connection stays open. Default 60 s; 0 closes after each answer; at most 1 h.
    pub keep_alive: Duration,
    /// `keep_alive_requests`: answers on one connection before it is closed, so that load spreads again. Default 10,000; 1 to 10 million.
    pub keep_alive_requests: u64,
    /// `drain_ms`: how long runs may finish once the server is told to stop; then they are canceled. Default 10 s; at most 10 min.
    pub drain: Duration,
    /// `allowed_hosts`: `Host` names accepted besides loopback names and the listen address, as `name` or `name:port`. Default none.
    pub allowed_hosts: Vec<String>,
    /// `allowed_origins`: `Origin` values accepted from browsers, as `https://name[:port]`. Default none.
    pub allowed_origins: Vec<String>,
}

/// `[admission]`: how much may go on at once. What does not fit is refused with 503 and Retry-After.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// `queue_max`: runs that wait for room. Default 256; 0 refuses at once; at most 65,536.
    pub queue_max: u64,
    /// `queue_wait_ms`: longest wait. Default 5 s; 1 ms to 1 min.
    pub queue_wait: Duration,
    /// `running_max`: runs at once. Default four per core (most of them wait for timers), at least 8; at most 4,096.
    pub running_max: u64,
    /// `memory_mb`: sum of the running runs' granted memory, in MiB. Default half of what this machine or control group has.
    /// 16 to 4,194,304 (4 TiB).
    pub memory_mb: u64,
}

/// `[rate]`: runs per principal. The defaults lie above what a small machine can do, so that admission speaks first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// `runs_per_second`: lasting rate. Default 10,000; 1 to 1,000,000.
    pub runs_per_second: u32,
    /// `burst`: runs at once after a rest. Default: as many as a second allows; 1 to 1,000,000.
    pub burst: u32,
}

/// `[pool]`: cells forked ahead, and the age of zygotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// `untrusted`: idle cells of tier 0. Default 8; 1 to 1,024.
    pub untrusted: u64,
    /// `validated`: idle cells of tier 1. Default 2; 1 to 1,024.
    pub validated: u64,
    /// `production`: idle cells of tier 2. Default 4; 1 to 1,024.
    pub production: u64,
    /// `intake`: idle intake cells. Default 4; 1 to 1,024.
    pub intake: u64,
    /// `replace_after_forks`: forks after which a zygote is replaced (its children share an address-space layout). Default 20,000; 1 to 10 million.
    pub replace_after_forks: u64,
    /// `replace_after_minutes`: age at which a zygote is replaced. Default 60 min; 1 to 10,080 (a week).
    pub replace_after: Duration,
    /// `huge_pages`: move a zygote's code, constants and data into huge pages, some 75 MiB each, for cheaper forks and starts. Default
    /// true on a machine with 4 GiB or more. Without effect where the kernel gives none.
    pub huge_pages: bool,
}

/// Memory of a machine, in bytes, from which `pool.huge_pages` is on by itself.
const HUGE_PAGES_MEMORY: u64 = 4 << 30;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// `[log]`: what is logged to stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `format`: `"pretty"` (default) or `"json"`. Also `CORDON_LOG_FORMAT`.
    pub format: LogFormat,
    /// `filter`: `"info"` (default), or levels per target such as `"warn,cordon=debug"`. Also `CORDON_LOG`.
    pub filter: String,
}

/// Words for [`LogFormat`].
pub(super) const LOG_FORMATS: [(&str, LogFormat); 2] = [("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];

/// Mend for a log filter.
pub(super) const FILTER_MEND: &str = "write error, warn, info, debug, trace or off, or levels per target such as \"warn,cordon=debug\"";

impl Server {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut ms = |key, range, default| Duration::from_millis(reader.u64(key, range).unwrap_or(default));
        let header_read_timeout = ms("header_read_timeout_ms", 100..=120_000, 10_000);
        let keep_alive = ms("keep_alive_ms", 0..=3_600_000, 60_000);
        let drain = ms("drain_ms", 0..=600_000, 10_000);
        let loopback = |port| SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        Self {
            listen: reader.parsed("listen", ADDRESS_MEND).unwrap_or(loopback(8787)),
            operator_listen: reader.parsed("operator_listen", ADDRESS_MEND).unwrap_or(loopback(8788)),
            data: folder(reader, "data").unwrap_or_else(|| PathBuf::from("cordon-data")),
            policies: folder(reader, "policies"),
            connections_max: reader.u64("connections_max", 1..=65_536).unwrap_or(1024),
            header_read_timeout,
            body_bytes_max: reader.u64("body_bytes_max", 1024..=64 << 20).unwrap_or(4 << 20),
            keep_alive,
            keep_alive_requests: reader.u64("keep_alive_requests", 1..=10_000_000).unwrap_or(10_000),
            drain,
            allowed_hosts: reader
                .texts("allowed_hosts", "write a lower-case name, or name:port, without a scheme", host)
                .unwrap_or_default(),
            allowed_origins: reader
                .texts("allowed_origins", "write a scheme, a lower-case name and perhaps a port, such as https://console.example", origin)
                .unwrap_or_default(),
        }
    }
}

impl Admission {
    pub(super) fn read(reader: &mut Reader<'_>, machine: Machine) -> Self {
        let half_mb = (machine.memory_bytes / 2) >> 20;
        Self {
            queue_max: reader.u64("queue_max", 0..=65_536).unwrap_or(256),
            queue_wait: Duration::from_millis(reader.u64("queue_wait_ms", 1..=60_000).unwrap_or(5_000)),
            running_max: reader.u64("running_max", 1..=RUNNING_MAX).unwrap_or((4 * machine.cores).clamp(8, RUNNING_MAX)),
            memory_mb: reader.u64("memory_mb", MEMORY_MB.0..=MEMORY_MB.1).unwrap_or(half_mb.clamp(MEMORY_MB.0, MEMORY_MB.1)),
        }
    }
}

/// Most runs at once: each is a process.
const RUNNING_MAX: u64 = 4096;

/// Least and most of `admission.memory_mb`; the least is the smallest grant there is.
const MEMORY_MB: (u64, u64) = (crate::model::Limits::MEMORY_MB_LEAST, 4 << 20);

impl Rate {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let runs_per_second = reader.u32("runs_per_second", 1..=1_000_000).unwrap_or(10_000);
        Self { runs_per_second, burst: reader.u32("burst", 1..=1_000_000).unwrap_or(runs_per_second) }
    }
}

impl Pool {
    pub(super) fn read(reader: &mut Reader<'_>, machine: Machine) -> Self {
        let mut idle = |key, default| reader.u64(key, 1..=1024).unwrap_or(default);
        let (untrusted, validated, production, intake) =
            (idle("untrusted", 8), idle("validated", 2), idle("production", 4), idle("intake", 4));
        Self {
            untrusted,
            validated,
            production,
            intake,
            replace_after_forks: reader.u64("replace_after_forks", 1..=10_000_000).unwrap_or(20_000),
            replace_after: Duration::from_secs(60 * reader.u64("replace_after_minutes", 1..=10_080).unwrap_or(60)),
            huge_pages: reader.bool("huge_pages").unwrap_or(machine.memory_bytes >= HUGE_PAGES_MEMORY),
        }
    }
}

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            format: reader.choice("format", &LOG_FORMATS).unwrap_or(LogFormat::Pretty),
            filter: reader.checked("filter", FILTER_MEND, filter).unwrap_or_else(|| "info".to_owned()),
        }
    }
}

fn folder(reader: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
    reader.checked(key, "write a folder's path", path)
}

/// A path of a file or a folder: not empty.
pub fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// A log filter: levels, or `target=level`, separated by commas.
pub(super) fn filter(text: &str) -> Result<String, String> {
    let level = |word: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&word);
    let target = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    let wrong = text.split(',').find(|part| match part.split_once('=') {
        Some((name, word)) => !(target(name) && level(word)),
        None => !level(part),
    });
    wrong.map_or_else(|| Ok(text.to_owned()), |part| Err(format!("`{part}` is not a level")))
}

/// A `Host` value: a lower-case name or address with an optional port.
fn host(text: &str) -> Result<(), String> {
    let (name, port) = match text.rsplit_once(':').filter(|(name, _)| !name.ends_with(':') && (!name.contains(':') || name.ends_with(']')))
    {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let address =
        name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        !label.is_empty() && label.len() <= 63 && plain
    };
    let named = name.len() <= 253 && name.split('.').all(label);
    let ported = port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0));
    if (address || named) && ported { Ok(()) } else { Err(format!("`{text}` is not a host name with an optional port")) }
}

/// An `Origin` value: `http` or `https`, a host, nothing after it.
fn origin(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.filter(|rest| host(rest).is_ok()).map(|_| ()).ok_or_else(|| format!("`{text}` is not an origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins_are_exact_names_and_nothing_wider() {
        for good in ["a.example", "localhost:8787", "10.0.0.1", "[::1]", "[::1]:80", "a_b"] {
            assert_eq!(host(good), Ok(()), "{good}");
            assert_eq!(origin(&format!("https://{good}")), Ok(()), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.example",
            "A.example",
            "a..b",
            "a.example:",
            "a.example:0",
            "a:65536",
            "a:+1",
            "http://a",
            "a/b",
            "::1",
            "[::1",
            "a b",
            "null",
        ] {
            assert_eq!(host(bad).is_ok(), bad == "null", "{bad}");
            assert!(origin(bad).is_err() || bad == "http://a", "{bad}");
        }
        assert!(origin("https://a.example/").is_err() && origin("ftp://a").is_err());
        assert!(host(&"a".repeat(63)).is_ok() && host(&"a".repeat(64)).is_err());
    }

    #[test]
    fn a_filter_names_levels_and_nothing_else() {
        for good in ["info", "off", "warn,cordon=debug", "cordon::run=trace,error"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["", "loud", "cordon=", "=info", "cordon=loud", "info,", "[span]=info", "INFO"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
