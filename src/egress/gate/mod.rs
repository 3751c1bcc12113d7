//! The gate that every address passes before it is connected to. It knows nothing of names: whatever a name leads to is judged here, and what is
//! connected to is what came out of here.

mod table;
#[cfg(test)]
mod tests;

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{PoisonError, RwLock};
use table::row_of;

/// Judges addresses.
#[derive(Debug, Default)]
pub struct Gate {
    allowed: Vec<IpNet>,
    own: RwLock<Vec<SocketAddr>>,
}

impl Gate {
    /// A gate that lets globally routable addresses pass, and those in `allowed` that are refused only for not being so.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed, own: RwLock::default() }
    }

    /// Says where the server itself listens; replaces what was said before.
    pub fn set_own_listeners(&self, listeners: Vec<SocketAddr>) {
        let canonical = listeners.into_iter().map(|listener| SocketAddr::new(listener.ip().to_canonical(), listener.port()));
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = canonical.collect();
    }

    /// The address to connect to, an IPv4 address in the clothes of IPv6 without them; or why there is none. Whoever named the address causes
    /// errors: the guest or a DNS server.
    pub fn judge(&self, address: IpAddr, port: u16) -> Result<SocketAddr, &'static str> {
        let address = address.to_canonical();
        if port == 0 {
            return Err("port 0 is none");
        }
        if let Some(why) = never(address) {
            return Err(why);
        }
        let row = row_of(address);
        self.not_ours(address, port, row.is_some())?;
        // What carries an IPv4 address is only as good as that: a translator may deliver to it.
        for carried in carried(address).into_iter().flatten() {
            self.judge(carried.into(), port).map_err(|_| "it carries an IPv4 address that is refused")?;
        }
        match row {
            Some(row) if !self.allows(address) => Err(row.what),
            Some(_) | None => Ok(SocketAddr::new(address, port)),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|range| range.contains(&address))
    }

    /// INVARIANT (own doors): no request of a run reaches a listener of this server, whatever is allowed.
    fn not_ours(&self, address: IpAddr, port: u16, special: bool) -> Result<(), &'static str> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut same_port = own.iter().filter(|listener| listener.port() == port);
        // A listener on the wildcard address may be reached by every address of this machine, of either family (a socket on `::` takes both), and
        // through translation by private ones that it does not have itself.
        let meets =
            |listener: &SocketAddr| listener.ip() == address || (listener.ip().is_unspecified() && (special || is_this_machine(address)));
        if same_port.any(meets) { Err("it is a listener of this server") } else { Ok(()) }
    }
}

/// True unless the system says that `address` is no address of this machine: it lets sockets be bound to its own only. Asked anew each time, as
/// interfaces come and go. Where the system lets sockets be bound to any (`ip_nonlocal_bind`), all are taken for its own.
fn is_this_machine(address: IpAddr) -> bool {
    match UdpSocket::bind((address, 0)) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::AddrNotAvailable,
    }
}

/// Why an address is refused even in an allowed range.
fn never(address: IpAddr) -> Option<&'static str> {
    let multicast = address.is_multicast().then_some("it is a multicast address");
    multicast.or_else(|| table::NEVER.iter().find(|row| row.contains(address)).map(|row| row.what))
}

/// The IPv4 addresses that an IPv6 address carries in the forms of translation and tunnels.
fn carried(address: IpAddr) -> [Option<Ipv4Addr>; 2] {
    let IpAddr::V6(six) = address else { return [None, None] };
    let bytes = six.octets();
    let at = |start: usize| bytes.get(start..start + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).map(Ipv4Addr::from);
    let is = |range: (Ipv6Addr, u8)| table::v6_in(six, range);
    if is(table::TEREDO) {
        // The server, and the client with every bit turned round (RFC 4380 §4).
        return [at(4), at(12).map(|client| Ipv4Addr::from(!u32::from(client)))];
    }
    if is(table::SIX_TO_FOUR) {
        return [at(2), None];
    }
    if [table::NAT64, table::COMPATIBLE, table::TRANSLATED].into_iter().any(is) && six != Ipv6Addr::LOCALHOST || table::is_isatap(six) {
        return [at(12), None];
    }
    [None, None]
}
