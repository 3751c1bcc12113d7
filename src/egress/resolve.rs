//! Names become addresses that passed the gate: one lookup per connection, and nothing but its vetted answer is connected to.
//!
//! There is no cache. One would be safe, as what is connected to is vetted each time it is used; but it would tell one principal which names another
//! has asked for, by the time an answer takes, and connections are kept alive anyway. Neither `/etc/hosts` nor search domains are looked at: a
//! name means the same on every machine.

use super::gate::Gate;
use crate::model::host::is_name;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Most addresses of a name, of both families: more than any honest answer of an API has, few enough to judge each.
const ADDRESSES_MAX: usize = 64;

/// Most records of an answer that are looked at, aliases included.
const RECORDS_MAX: usize = 256;

/// How long one server may take for one try. A third of what a connection may take by itself (5 s, `connect_ms`), so that a second try fits; the
/// whole lookup ends with its caller's clock.
const TRY: Duration = Duration::from_millis(1_600);

/// Tries after the first that failed.
const RETRIES: usize = 1;

/// Why a name has no address to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// One of its addresses does not pass the gate, and so the name does not, whatever its others are. Whoever answers for the name causes this.
    Refused {
        /// The address, as it was answered.
        address: IpAddr,
        /// Why, in words that follow it.
        why: &'static str,
    },
    /// It has none, or nobody could say: in words. Whoever answers for the name causes this, or the network.
    Failed(String),
}

/// Asks DNS servers.
pub(crate) struct Resolver(TokioResolver);

impl Resolver {
    /// A resolver that asks `servers`, or those of `/etc/resolv.conf` where none is given. The operator causes errors: there are no servers at all.
    pub(crate) fn new(servers: &[SocketAddr]) -> Result<Self, String> {
        let servers = if servers.is_empty() { system_servers()? } else { servers.iter().copied().map(server).collect() };
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        set(builder.options_mut());
        builder.build().map(Self).map_err(|error| format!("the resolver cannot be set up: {error}"))
    }

    /// Every address of `host`, a name as the WHATWG parser writes it, with `port`, as the gate lets it pass: those to connect to, IPv4 first.
    pub(crate) async fn vetted(&self, host: &str, port: u16, gate: &Gate) -> Result<Vec<SocketAddr>, Lookup> {
        let name = fully_qualified(host)?;
        // One family that fails makes the name fail: what could not be looked at was not vetted.
        let (four, six) = tokio::try_join!(self.addresses(&name, RecordType::A), self.addresses(&name, RecordType::AAAA))?;
        let addresses: Vec<IpAddr> = four.into_iter().chain(six).collect();
        if addresses.is_empty() {
            return Err(Lookup::Failed(format!("{host} has no address")));
        }
        if addresses.len() > ADDRESSES_MAX {
            return Err(Lookup::Failed(format!("{host} has {} addresses, more than {ADDRESSES_MAX}", addresses.len())));
        }
        let judge = |address| gate.judge(address, port).map_err(|why| Lookup::Refused { address, why });
        // In the order of the answers, by which servers spread their load.
        let vetted: Vec<SocketAddr> = addresses.into_iter().map(judge).collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        Ok(vetted.into_iter().filter(|socket| seen.insert(*socket)).collect())
    }

    /// Addresses of one family. None is an answer too.
    async fn addresses(&self, name: &Name, family: RecordType) -> Result<Vec<IpAddr>, Lookup> {
        match self.0.lookup(name.clone(), family).await {
            Ok(lookup) => of_name(name, lookup.answers()),
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Ok(Vec::new()),
            Err(error) => Err(Lookup::Failed(format!("{name} cannot be looked up: {error}"))),
        }
    }
}

fn fully_qualified(host: &str) -> Result<Name, Lookup> {
    let name = is_name(host).then(|| Name::from_ascii(format!("{host}.")).ok()).flatten();
    name.ok_or_else(|| Lookup::Failed(format!("`{}` is not a name that can be looked up", super::refusal::word(host))))
}

/// The addresses that `records` give for `name` or for what it is an alias of; records of other names that came along count for nothing.
fn of_name(name: &Name, records: &[Record]) -> Result<Vec<IpAddr>, Lookup> {
    if records.len() > RECORDS_MAX {
        return Err(Lookup::Failed(format!("the answer for {name} has {} records, more than {RECORDS_MAX}", records.len())));
    }
    let mut names = vec![name];
    // Aliases come in any order: each round finds those of the names known so far, and there are no more rounds than aliases.
    loop {
        let alias = |record: &Record| names.contains(&&record.name);
        let found = records.iter().filter(|record| alias(record)).filter_map(|record| match &record.data {
            RData::CNAME(target) => Some(&target.0),
            _ => None,
        });
        let new: Vec<&Name> = found.filter(|target| !names.contains(target)).collect();
        if new.is_empty() {
            break;
        }
        names.extend(new);
    }
    Ok(records.iter().filter(|record| names.contains(&&record.name)).filter_map(|record| record.data.ip_addr()).collect())
}

fn set(options: &mut ResolverOpts) {
    options.timeout = TRY;
    options.attempts = RETRIES;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    // Aliases are needed to tell which addresses are the name's.
    options.preserve_intermediates = true;
    // An answer that cannot be read over UDP, because it was cut or forged, is asked for over TCP.
    options.try_tcp_on_error = true;
}

fn server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .map(|mut connection| {
            connection.port = address.port();
            connection
        })
        .into();
    server
}

fn system_servers() -> Result<Vec<NameServerConfig>, String> {
    let (config, _) = read_system_conf().map_err(|error| format!("/etc/resolv.conf names no DNS server that can be used: {error}"))?;
    Ok(config.name_servers().to_vec())
}
