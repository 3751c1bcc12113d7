//! The broker: one for the whole server. It has the resolver, the address gate, the trust in origins and the idle connections; runs get desks from it.

use super::desk::{Desk, DeskSettings};
use super::dial::Dialer;
use super::pool::Pool;
use super::resolve::Resolver;
use super::{Gate, trust};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What hyper needs at least for the head of an answer, in bytes.
const HEADER_BYTES_LEAST: u64 = 8 << 10;

/// How the broker resolves, connects and bounds the requests of all runs. The defaults and limits are `[egress]`'s in the configuration.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// DNS servers; none: the system's.
    pub resolver: Vec<SocketAddr>,
    /// Ranges that may be reached although they are not globally routable.
    pub allowed: Vec<IpNet>,
    /// Certificates in PEM that are trusted besides the system's.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Name, connection and TLS together.
    pub connect: Duration,
    /// From the request's end to the answer's head.
    pub first_byte: Duration,
    /// From a request's start, which is when the run has a slot for it, to the answer's last byte, redirects included.
    pub total: Duration,
    /// Requests of one run at once; more of them wait.
    pub concurrent_per_run: u64,
    /// Hops that one request may be sent on.
    pub redirects_max: u64,
    /// Longest body of a request.
    pub request_bytes_max: u64,
    /// All header lines of a request, and of an answer; not less than 8 KiB.
    pub header_bytes_max: u64,
    /// Rows of a run's ledger; requests beyond them are counted instead.
    pub ledger_rows_max: usize,
    /// `User-Agent` of requests that have none.
    pub user_agent: String,
}

/// Sends what runs may send.
pub struct Broker {
    pub(super) settings: BrokerSettings,
    pub(super) dialer: Dialer,
    pub(super) pool: Arc<Pool>,
    problems: Vec<String>,
}

impl Broker {
    /// A broker. Opens nothing yet.
    ///
    /// # Errors
    /// When the resolver or TLS cannot be set up, or `extra_ca_pem` has no certificate: the operator's configuration.
    pub fn new(mut settings: BrokerSettings) -> Result<Arc<Self>, String> {
        settings.header_bytes_max = settings.header_bytes_max.max(HEADER_BYTES_LEAST);
        let (tls, problems) = trust::client(settings.extra_ca_pem.as_deref())?;
        let dialer = Dialer {
            resolver: Resolver::new(&settings.resolver)?,
            gate: Gate::new(settings.allowed.clone()),
            tls,
            connect: settings.connect,
            header_bytes_max: usize::try_from(settings.header_bytes_max).unwrap_or(usize::MAX),
        };
        Ok(Arc::new(Self { settings, dialer, pool: Arc::new(Pool::default()), problems }))
    }

    /// Where this server itself listens: never reached, whatever is allowed.
    pub fn set_own_listeners(&self, listeners: Vec<SocketAddr>) {
        self.dialer.gate.set_own_listeners(listeners);
        self.pool.clear();
    }

    /// What does not work as it should, for the operator. Empty when all is well.
    pub fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    /// A desk for one run.
    pub fn desk(self: &Arc<Self>, settings: DeskSettings) -> Desk {
        Desk::new(self.clone(), settings)
    }
}
