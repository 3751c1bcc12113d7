//! Addresses that are not globally routable: the IANA special-purpose registries of IPv4 and IPv6 (RFC 6890 and its updates), read 2026-11, whose
//! column "Globally Reachable" is not "True"; multicast; and where clouds serve metadata.
//!
//! Left out, because the registries call them globally reachable: 192.31.196.0/24 and 192.175.48.0/24 (AS112, RFC 7535 and 7534),
//! 192.52.193.0/24 (AMT, RFC 7450), 2620:4f:8000::/48 (AS112, RFC 7534). Ranges that hold small exceptions of that kind (192.0.0.0/24,
//! 2001::/23) are refused as a whole: nobody serves an API at an anycast address of a relay.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range and what it is, in words that follow an address.
pub(super) struct Row {
    range: Range,
    pub(super) what: &'static str,
}

enum Range {
    Four(Ipv4Addr, u8),
    Six((Ipv6Addr, u8)),
}

const fn four(a: u8, b: u8, c: u8, d: u8, bits: u8, what: &'static str) -> Row {
    Row { range: Range::Four(Ipv4Addr::new(a, b, c, d), bits), what }
}

const fn six(range: (Ipv6Addr, u8), what: &'static str) -> Row {
    Row { range: Range::Six(range), what }
}

/// The range of IPv6 addresses that begins with these groups and zeros.
const fn from(groups: [u16; 5], bits: u8) -> (Ipv6Addr, u8) {
    let [a, b, c, d, e] = groups;
    (Ipv6Addr::new(a, b, c, d, e, 0, 0, 0), bits)
}

/// Teredo, RFC 4380.
pub(super) const TEREDO: (Ipv6Addr, u8) = from([0x2001, 0, 0, 0, 0], 32);
/// 6to4, RFC 3056.
pub(super) const SIX_TO_FOUR: (Ipv6Addr, u8) = from([0x2002, 0, 0, 0, 0], 16);
/// IPv4-IPv6 translation, RFC 6052.
pub(super) const NAT64: (Ipv6Addr, u8) = from([0x64, 0xff9b, 0, 0, 0], 96);
/// IPv4-compatible addresses, deprecated, RFC 4291 §2.5.5.1.
pub(super) const COMPATIBLE: (Ipv6Addr, u8) = from([0, 0, 0, 0, 0], 96);
/// IPv4-translated addresses, RFC 2765 §2.1.
pub(super) const TRANSLATED: (Ipv6Addr, u8) = (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96);

const METADATA: &str = "it is where a cloud serves metadata and credentials";

/// Refused whatever is allowed. Multicast is, besides (RFC 5771, RFC 4291 §2.7).
pub(super) static NEVER: [Row; 12] = [
    // "This network", RFC 791 §3.2: on Linux 0.0.0.0 is the machine itself.
    four(0, 0, 0, 0, 8, "it is of the network 0.0.0.0/8, which is this machine"),
    four(255, 255, 255, 255, 32, "it is the broadcast address"),
    // Link-local, RFC 3927: 169.254.169.254 in most clouds, 169.254.170.2 and .23 (ECS, EKS), 169.254.42.42 (Scaleway), 169.254.0.23 (Tencent).
    four(169, 254, 0, 0, 16, "it is link-local, where clouds serve metadata and credentials"),
    four(100, 100, 100, 200, 32, METADATA), // Alibaba Cloud
    four(192, 0, 0, 192, 32, METADATA),     // Oracle Cloud
    four(168, 63, 129, 16, 32, METADATA),   // Azure's wire server, in a range that is globally routable
    six((Ipv6Addr::UNSPECIFIED, 128), "it is the unspecified address, which is this machine"),
    // Link-local, RFC 4291 §2.5.6: it needs a zone, which URLs do not have.
    six(from([0xfe80, 0, 0, 0, 0], 10), "it is link-local"),
    six(from([0xfd00, 0xec2, 0, 0, 0], 32), METADATA), // AWS: ::254, ::23
    six((Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128), METADATA), // Google Cloud
    six((Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128), METADATA), // Scaleway
    // Local-use translation, RFC 8215: where in it an IPv4 address stands is known to its network only.
    six(from([0x64, 0xff9b, 1, 0, 0], 48), "it is of the local translation range 64:ff9b:1::/48"),
];

/// Refused unless they are allowed.
static SPECIAL: [Row; 26] = [
    four(10, 0, 0, 0, 8, "it is a private address (10.0.0.0/8, RFC 1918)"),
    four(100, 64, 0, 0, 10, "it is a shared address of carriers (100.64.0.0/10, RFC 6598)"),
    four(127, 0, 0, 0, 8, "it is a loopback address (127.0.0.0/8, RFC 1122)"),
    four(172, 16, 0, 0, 12, "it is a private address (172.16.0.0/12, RFC 1918)"),
    four(192, 0, 0, 0, 24, "it is of protocol assignments (192.0.0.0/24, RFC 6890)"),
    four(192, 0, 2, 0, 24, "it is of documentation (192.0.2.0/24, RFC 5737)"),
    four(192, 88, 99, 0, 24, "it is a 6to4 relay (192.88.99.0/24, RFC 7526)"),
    four(192, 168, 0, 0, 16, "it is a private address (192.168.0.0/16, RFC 1918)"),
    four(198, 18, 0, 0, 15, "it is of benchmarks (198.18.0.0/15, RFC 2544)"),
    four(198, 51, 100, 0, 24, "it is of documentation (198.51.100.0/24, RFC 5737)"),
    four(203, 0, 113, 0, 24, "it is of documentation (203.0.113.0/24, RFC 5737)"),
    four(240, 0, 0, 0, 4, "it is reserved (240.0.0.0/4, RFC 1112)"),
    six((Ipv6Addr::LOCALHOST, 128), "it is the loopback address (::1, RFC 4291)"),
    six(COMPATIBLE, "it carries an IPv4 address (::/96, RFC 4291)"),
    six(TRANSLATED, "it carries an IPv4 address (::ffff:0:0:0/96, RFC 2765)"),
    six(NAT64, "it carries an IPv4 address (64:ff9b::/96, RFC 6052)"),
    six(from([0x100, 0, 0, 0, 0], 64), "it is of the discard range (100::/64, RFC 6666)"),
    six(from([0x100, 0, 0, 1, 0], 64), "it is a dummy prefix (100:0:0:1::/64, RFC 9780)"),
    six(TEREDO, "it carries an IPv4 address (Teredo 2001::/32, RFC 4380)"),
    six(from([0x2001, 0, 0, 0, 0], 23), "it is of protocol assignments (2001::/23, RFC 2928)"),
    six(from([0x2001, 0xdb8, 0, 0, 0], 32), "it is of documentation (2001:db8::/32, RFC 3849)"),
    six(SIX_TO_FOUR, "it carries an IPv4 address (6to4 2002::/16, RFC 3056)"),
    six(from([0x3fff, 0, 0, 0, 0], 20), "it is of documentation (3fff::/20, RFC 9637)"),
    six(from([0x5f00, 0, 0, 0, 0], 16), "it is a segment identifier (5f00::/16, RFC 9602)"),
    six(from([0xfc00, 0, 0, 0, 0], 7), "it is a private address (fc00::/7, RFC 4193)"),
    six(from([0xfec0, 0, 0, 0, 0], 10), "it is site-local (fec0::/10, RFC 3879)"),
];

/// A form of the last eight bytes under any prefix, and so no range.
static ISATAP: Row = six((Ipv6Addr::UNSPECIFIED, 0), "it carries an IPv4 address (ISATAP, RFC 5214)");

/// Of IPv6, only this is given out as global unicast (IANA "IPv6 Address Space", RFC 4291 §2.4).
const UNICAST: (Ipv6Addr, u8) = from([0x2000, 0, 0, 0, 0], 3);
static UNASSIGNED: Row = six((Ipv6Addr::UNSPECIFIED, 0), "it is of a range that nobody has been given (outside of 2000::/3)");

impl Row {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (&self.range, address) {
            (Range::Four(start, bits), IpAddr::V4(four)) => {
                let shift = 32 - u32::from(*bits);
                u32::from(four).checked_shr(shift) == u32::from(*start).checked_shr(shift)
            }
            (Range::Six(range), IpAddr::V6(six)) => v6_in(six, *range),
            (Range::Four(..), IpAddr::V6(_)) | (Range::Six(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Why `address`, in its canonical form, is not globally routable; none when it is.
pub(super) fn row_of(address: IpAddr) -> Option<&'static Row> {
    SPECIAL.iter().find(|row| row.contains(address)).or_else(|| match address {
        IpAddr::V6(six) if !v6_in(six, UNICAST) => Some(&UNASSIGNED),
        IpAddr::V6(six) if is_isatap(six) => Some(&ISATAP),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    })
}

pub(super) fn v6_in(address: Ipv6Addr, (start, bits): (Ipv6Addr, u8)) -> bool {
    let shift = 128 - u32::from(bits);
    u128::from(address).checked_shr(shift) == u128::from(start).checked_shr(shift)
}

/// The interface identifier of ISATAP, RFC 5214 §6.1: `0000:5efe`, or `0200:5efe` for a globally unique IPv4 address, and that address.
pub(super) fn is_isatap(address: Ipv6Addr) -> bool {
    matches!(address.octets(), [_, _, _, _, _, _, _, _, 0 | 2, 0, 0x5e, 0xfe, ..])
}
