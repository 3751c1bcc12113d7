//! The limits of the door. Nothing here is unbounded.

use std::time::Duration;

/// How the listeners behave. Both have the same limits, each with counters of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Open connections of one listener; one more is answered 503 and closed.
    pub connections_max: u32,
    /// Requests of one connection, after which it is closed.
    pub requests_per_connection_max: u32,
    /// How long a connection may wait between two requests.
    pub idle_time: Duration,
    /// How long a request's head may take, from its first byte (on a new connection: from the accept) to its last.
    pub head_time: Duration,
    /// How long a request's body may take from the head's end.
    pub body_time: Duration,
    /// How long a client may leave an answer without taking a byte of it.
    pub stall_time: Duration,
    /// Bytes of a request's head; one more is answered 431.
    pub head_bytes_max: usize,
    /// Bytes of a run request's body; one more is answered 413.
    pub body_bytes_max: usize,
    /// Bytes of all request bodies that one listener holds at once, in KiB; beyond it, 503.
    pub bodies_kib_max: u32,
    /// Deepest nesting of a run's `input`.
    pub input_depth_max: usize,
    /// Names and addresses that `Host` may carry besides `localhost`, loopback addresses and the address of the connection.
    pub allowed_hosts: Vec<String>,
    /// Values that `Origin` may carry besides the request's own `Host`, such as `https://console.example`.
    pub allowed_origins: Vec<String>,
}

impl Default for Settings {
    /// Sources: times as in common reverse proxies; the body holds the built-in profiles' source and input budgets (1 MiB
    /// each), each byte escaped as JSON in twice its size.
    fn default() -> Self {
        Self {
            connections_max: 1024,
            requests_per_connection_max: 100_000,
            idle_time: Duration::from_secs(75),
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(30),
            head_bytes_max: 32 << 10,
            body_bytes_max: 4 << 20,
            bodies_kib_max: 256 << 10,
            input_depth_max: 512,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}
