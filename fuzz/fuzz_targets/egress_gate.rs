//! Any address: what passes the gate is globally routable or was allowed, is no door of the server, and passes again as it came out.
//!
//! The input: 16 bytes of an address, 2 of a port, 1 of switches (allowed ranges; what the server listens on), 18 of a listener.
#![no_main]

#[allow(dead_code, unused_imports)]
mod egress;
#[path = "../../src/model/mod.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use egress::gate::Gate;
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Ranges that the switches allow, one bit each.
const RANGES: [&str; 7] = ["127.0.0.0/8", "10.0.0.0/8", "::1/128", "fd00::/16", "64:ff9b::/96", "0.0.0.0/0", "::/0"];

fuzz_target!(|bytes: &[u8]| {
    let Some((address, rest)) = bytes.split_first_chunk::<16>() else { return };
    let Some((port, rest)) = rest.split_first_chunk::<2>() else { return };
    let Some((switches, rest)) = rest.split_first() else { return };
    let (address, port) = (Ipv6Addr::from(*address), u16::from_be_bytes(*port));
    let allowed: Vec<IpNet> =
        RANGES.iter().enumerate().filter(|(at, _)| switches >> at & 1 == 1).filter_map(|(_, range)| range.parse().ok()).collect();
    let gate = Gate::new(allowed.clone());
    let listener = listener(rest);
    gate.set_own_listeners(listener.into_iter().collect());
    let last_four = Ipv4Addr::from_bits(address.to_bits() as u32);
    let verdict = gate.judge(IpAddr::V4(last_four), port);
    assert_eq!(verdict, gate.judge(last_four.to_ipv6_mapped().into(), port), "{last_four}");
    for verdict in [verdict, gate.judge(IpAddr::V6(address), port)] {
        let Ok(socket) = verdict else { continue };
        assert_eq!(gate.judge(socket.ip(), socket.port()), Ok(socket));
        assert_eq!((socket.ip().to_canonical(), socket.port()), (socket.ip(), port));
        assert!(is_reached(socket.ip(), &allowed), "{socket}");
        if let Some(listener) = listener {
            assert!(!is_door(socket, listener), "{socket} {listener}");
        }
    }
});

fn listener(bytes: &[u8]) -> Option<SocketAddr> {
    let (address, rest) = bytes.split_first_chunk::<16>()?;
    Some(SocketAddr::new(Ipv6Addr::from(*address).into(), u16::from_be_bytes(*rest.first_chunk::<2>()?)))
}

/// What may be connected to, by the standard library's own knowledge of ranges.
fn is_reached(address: IpAddr, allowed: &[IpNet]) -> bool {
    let special = match address {
        IpAddr::V4(four) => {
            if four.is_unspecified() || four.is_multicast() || four.is_broadcast() || four.is_link_local() || four.octets()[0] == 0 {
                return false;
            }
            if [[100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]].contains(&four.octets()) {
                return false;
            }
            let shared = four.octets()[0] == 100 && four.octets()[1] & 0xc0 == 64;
            shared || four.is_private() || four.is_loopback() || four.is_documentation() || four.octets()[0] >= 240
        }
        IpAddr::V6(six) => {
            let first = six.segments()[0];
            if six.is_unspecified() || six.is_multicast() || six.is_unicast_link_local() || (first == 0xfd00 && six.segments()[1] == 0xec2)
            {
                return false;
            }
            let documentation = first == 0x2001 && six.segments()[1] == 0xdb8;
            six.is_loopback() || six.is_unique_local() || documentation || first == 0x2002 || first & 0xe000 != 0x2000
        }
    };
    !special || allowed.iter().any(|range| range.contains(&address))
}

/// True when `listener` would take a connection to `socket`.
fn is_door(socket: SocketAddr, listener: SocketAddr) -> bool {
    let (ip, own) = (socket.ip(), listener.ip().to_canonical());
    socket.port() == listener.port() && (ip == own || (own.is_unspecified() && ip.is_loopback()))
}
