//! Opens connections: resolves, has every address vetted, connects to those addresses and no others, speaks TLS, and settles the protocol.

use super::exchange::Fault;
use super::link::{One, Two};
use super::refusal::Refusal;
use super::resolve::{Lookup, Resolver};
use super::{Gate, Target};
use crate::model::Scheme;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// The rule of refusals by address.
const ADDRESS_GATE: &str = "egress.address-gate";

/// Opens connections.
pub(super) struct Dialer {
    pub(super) resolver: Resolver,
    pub(super) gate: Gate,
    pub(super) tls: TlsConnector,
    pub(super) connect: Duration,
    pub(super) header_bytes_max: usize,
}

/// A new connection.
pub(super) enum Opened {
    One(One),
    Two(Two),
}

impl Dialer {
    /// Opens a connection to `target`, within the time for name, connection and TLS together.
    ///
    /// # Errors
    /// When its name leads to an address that is not reached (a refusal), cannot be resolved, or nobody there speaks as the URL says.
    pub(super) async fn open(&self, target: &Target) -> Result<Opened, Fault> {
        let deadline = Instant::now() + self.connect;
        let opened = timeout_at(deadline, self.dial(target, deadline)).await;
        opened.unwrap_or_else(|_| Err(Fault::failed("timeout", format!("no connection within {} ms", self.connect.as_millis()))))
    }

    async fn dial(&self, target: &Target, deadline: Instant) -> Result<Opened, Fault> {
        let addresses = self.resolver.vetted(&target.host, target.port, &self.gate).await.map_err(|lookup| unreachable(target, lookup))?;
        let (stream, address) = connect(&addresses, deadline).await?;
        let most = self.header_bytes_max;
        match target.scheme {
            Scheme::Http => One::open(stream, address, most).await.map(Opened::One).map_err(protocol),
            Scheme::Https => {
                let name = ServerName::try_from(target.host.clone()).map_err(|error| tls(&error))?;
                let stream = self.tls.connect(name, stream).await.map_err(|error| tls(&error))?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    Two::open(stream, address, most).await.map(Opened::Two).map_err(protocol)
                } else {
                    One::open(stream, address, most).await.map(Opened::One).map_err(protocol)
                }
            }
        }
    }
}

/// Connects to the first of `addresses` that answers. Each gets an even share of what is left of the time, so that a silent one does not use it up.
async fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), Fault> {
    let mut last = "the name has no address".to_owned();
    for (at, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match timeout_at(now + deadline.saturating_duration_since(now) / left, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Only a hint to the kernel: a connection without it is slower and no less right.
                stream.set_nodelay(true).ok();
                return Ok((stream, *address));
            }
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => "it does not answer".clone_into(&mut last),
        }
    }
    Err(Fault::failed("connectFailed", format!("no connection to the host: {last}")))
}

fn unreachable(target: &Target, lookup: Lookup) -> Fault {
    match lookup {
        Lookup::Refused { address, why } => Refusal::new(
            "addressDenied",
            ADDRESS_GATE,
            target.url.as_str(),
            format!("`{}` leads to {address}, which is not reached: {why}", target.host),
            "use a host with public addresses; ranges of private ones are the operator's to allow, in `allow_private_cidrs`",
        )
        .into(),
        Lookup::Failed(why) => Fault::failed("dnsFailed", format!("`{}` cannot be resolved: {why}", target.host)),
    }
}

fn tls(error: &dyn std::fmt::Display) -> Fault {
    Fault::failed("tlsFailed", format!("no TLS with the host: {error}"))
}

fn protocol(error: hyper::Error) -> Fault {
    Fault::failed("protocol", format!("the host does not speak HTTP: {error}"))
}
