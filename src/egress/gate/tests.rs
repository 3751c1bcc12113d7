//! Tests of the gate.

use super::*;
use proptest::prelude::*;

fn gate(allowed: &[&str]) -> Gate {
    Gate::new(allowed.iter().map(|range| range.parse().expect("a range")).collect())
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// True when `gate` lets `text` pass on port 443.
fn passes(gate: &Gate, text: &str) -> bool {
    gate.judge(address(text), 443).is_ok()
}

#[test]
fn each_special_range_is_refused_from_its_first_to_its_last_address_and_no_further() {
    let gate = gate(&[]);
    // Range's first and last address, and the neighbours outside where they are globally routable.
    for (before, first, last, after) in [
        ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
        ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
        ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("2003::", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
        ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
        ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
        ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ] {
        assert!(!passes(&gate, first) && !passes(&gate, last), "{first} to {last}");
        assert!(before.is_empty() || passes(&gate, before), "{before}");
        assert!(after.is_empty() || passes(&gate, after), "{after}");
    }
}

#[test]
fn globally_routable_addresses_pass_as_they_are() {
    let gate = gate(&[]);
    for text in
        ["1.1.1.1", "8.8.8.8", "93.184.216.34", "192.31.196.1", "192.52.193.1", "192.175.48.1", "2606:4700::1111", "2620:4f:8000::1"]
    {
        assert_eq!(gate.judge(address(text), 443), Ok(SocketAddr::new(address(text), 443)), "{text}");
    }
    assert!(gate.judge(address("1.1.1.1"), 0).is_err());
}

#[test]
fn ipv4_in_the_clothes_of_ipv6_is_judged_and_connected_to_as_ipv4() {
    let gate = gate(&["127.0.0.0/8"]);
    assert_eq!(gate.judge(address("::ffff:1.1.1.1"), 443), Ok(SocketAddr::new(address("1.1.1.1"), 443)));
    assert_eq!(gate.judge(address("::ffff:127.0.0.1"), 443), Ok(SocketAddr::new(address("127.0.0.1"), 443)));
    for text in ["::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:224.0.0.1"] {
        assert!(!passes(&gate, text), "{text}");
    }
}

#[test]
fn forms_that_carry_an_ipv4_address_are_refused_even_if_that_is_fine() {
    let gate = gate(&[]);
    for text in ["::1.1.1.1", "::ffff:0:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b:1::1.1.1.1", "2002:101:101::1", "2001:0:101:101::fefe:fefe"]
    {
        assert!(!passes(&gate, text), "{text}");
    }
    assert!(!passes(&gate, "2606:4700::5efe:101:101") && !passes(&gate, "2606:4700::200:5efe:101:101"));
    assert!(passes(&gate, "2606:4700::100:5efe:101:101") && passes(&gate, "2606:4700::5eff:101:101"));
}

#[test]
fn where_such_a_form_is_allowed_what_it_carries_must_be_fine_too() {
    let gate = gate(&["64:ff9b::/96", "2002::/16", "2001::/32", "2606:4700::/64", "::/96", "64:ff9b:1::/48"]);
    for text in ["64:ff9b::1.1.1.1", "2002:101:101::1", "2001:0:101:101::fefe:fefe", "2606:4700::5efe:101:101", "::1.1.1.1"] {
        assert!(passes(&gate, text), "{text}");
    }
    for text in [
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        "2001:0:7f00:1::fefe:fefe",
        "2001:0:101:101::80ff:fffe",
        "2606:4700::5efe:7f00:1",
        "::127.0.0.1",
        "64:ff9b:1::1.1.1.1",
    ] {
        assert!(!passes(&gate, text), "{text}");
    }
}

#[test]
fn an_allowed_range_opens_itself_and_no_neighbour() {
    let gate = gate(&["127.0.0.0/24", "10.1.2.3/32", "fd00:1::/32", "::1/128"]);
    for text in ["127.0.0.1", "127.0.0.255", "10.1.2.3", "fd00:1::1", "::1"] {
        assert!(passes(&gate, text), "{text}");
    }
    for text in ["127.0.1.0", "10.1.2.2", "10.1.2.4", "fd00:2::1", "::2", "192.168.0.1"] {
        assert!(!passes(&gate, text), "{text}");
    }
}

#[test]
fn metadata_multicast_broadcast_and_the_unspecified_are_refused_whatever_is_allowed() {
    let gate = gate(&["0.0.0.0/0", "::/0"]);
    for text in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.42.42",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:42::42",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "ff02::1",
        "fe80::1",
        "64:ff9b:1::1",
    ] {
        assert!(!passes(&gate, text), "{text}");
    }
    assert!(passes(&gate, "127.0.0.1") && passes(&gate, "10.0.0.1") && passes(&gate, "::1") && passes(&gate, "240.0.0.1"));
}

#[test]
fn own_listeners_are_refused_whatever_is_allowed_and_other_ports_are_not() {
    let gate = gate(&["0.0.0.0/0", "::/0"]);
    gate.set_own_listeners(vec!["127.0.0.1:8787".parse().expect("a listener"), "[::ffff:127.0.0.2]:8788".parse().expect("a listener")]);
    for (text, port, right) in [
        ("127.0.0.1", 8787, false),
        ("::ffff:127.0.0.1", 8787, false),
        ("64:ff9b::127.0.0.1", 8787, false),
        ("127.0.0.2", 8788, false),
        ("127.0.0.1", 8788, true),
        ("127.0.0.2", 8787, true),
        ("::1", 8787, true),
        ("1.1.1.1", 8787, true),
    ] {
        assert_eq!(gate.judge(address(text), port).is_ok(), right, "{text} {port}");
    }
    gate.set_own_listeners(Vec::new());
    assert!(gate.judge(address("127.0.0.1"), 8787).is_ok());
}

#[test]
fn a_listener_on_the_wildcard_address_is_met_at_every_address_that_may_be_this_machines() {
    for wildcard in ["0.0.0.0:8787", "[::]:8787"] {
        let gate = gate(&["0.0.0.0/0", "::/0"]);
        gate.set_own_listeners(vec![wildcard.parse().expect("a listener")]);
        for text in ["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "64:ff9b::127.0.0.1"] {
            assert!(gate.judge(address(text), 8787).is_err(), "{wildcard} {text}");
            assert!(gate.judge(address(text), 8788).is_ok(), "{wildcard} {text}");
        }
        assert!(gate.judge(address("1.1.1.1"), 8787).is_ok(), "{wildcard}");
    }
}

#[test]
fn this_machines_addresses_are_known_and_those_of_others_too() {
    assert!(is_this_machine(address("127.0.0.1")) && is_this_machine(address("127.3.4.5")));
    assert!(!is_this_machine(address("1.1.1.1")));
}

proptest! {
    #[test]
    fn what_passes_is_canonical_passes_again_and_is_the_same_in_the_clothes_of_ipv6(bits in any::<u32>(), port in 1..=u16::MAX) {
        let (gate, four) = (gate(&["10.0.0.0/8"]), Ipv4Addr::from(bits));
        let verdict = gate.judge(four.into(), port);
        prop_assert_eq!(verdict, gate.judge(four.to_ipv6_mapped().into(), port));
        if let Ok(socket) = verdict {
            prop_assert_eq!(gate.judge(socket.ip(), socket.port()), Ok(socket));
            prop_assert!(!four.is_loopback() && !four.is_link_local() && !four.is_multicast() && !four.is_unspecified() && !four.is_broadcast());
        }
    }
}
