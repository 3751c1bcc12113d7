//! Tests of names, against a DNS server that says what a test wants.

use super::dns::{Dns, Reply, alias, at, of_type};
use crate::egress::resolve::Resolver;
use crate::egress::{Gate, Lookup};
use crate::model::host::is_name;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Record, RecordType};
use std::net::SocketAddr;
use std::time::Duration;

const HOST: &str = "api.example";

type Vetted = Result<Vec<SocketAddr>, Lookup>;

fn gate() -> Gate {
    Gate::new(Vec::new())
}

async fn vet(dns: &Dns, host: &str) -> Vetted {
    Resolver::new(&[dns.address]).expect("a resolver").vetted(host, 443, &gate()).await
}

/// What becomes of [`HOST`] where a server answers with those of `records` that were asked for.
async fn vetted(records: Vec<Record>) -> Vetted {
    vet(&Dns::start(move |_, asked, _| of_type(records.clone(), asked)).await, HOST).await
}

fn sockets(addresses: &[&str]) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), 443)).collect()
}

fn refused(verdict: &Vetted) -> Option<String> {
    match verdict {
        Err(Lookup::Refused { address, .. }) => Some(address.to_string()),
        Err(Lookup::Failed(_)) | Ok(_) => None,
    }
}

fn failed(verdict: &Vetted) -> &str {
    match verdict {
        Err(Lookup::Failed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn addresses_of_both_families_are_asked_for_and_given_by_the_full_name() {
    let dns = Dns::start(|_, asked, _| of_type(vec![at(HOST, "1.1.1.1"), at(HOST, "2606:4700::1111"), at(HOST, "1.0.0.1")], asked)).await;
    assert_eq!(vet(&dns, HOST).await, Ok(sockets(&["1.1.1.1", "1.0.0.1", "2606:4700::1111"])));
    let mut asked = dns.asked.lock().expect("the list").clone();
    asked.sort();
    assert_eq!(asked, [(HOST.to_owned(), RecordType::A), (HOST.to_owned(), RecordType::AAAA)]);
}

#[tokio::test]
async fn one_address_that_is_not_reached_refuses_the_whole_name() {
    for (public, private) in
        [("1.1.1.1", "10.0.0.1"), ("1.1.1.1", "::1"), ("1.1.1.1", "::ffff:127.0.0.1"), ("2606:4700::1111", "169.254.169.254")]
    {
        for records in [vec![at(HOST, public), at(HOST, private)], vec![at(HOST, private), at(HOST, public)]] {
            assert_eq!(refused(&vetted(records).await).as_deref(), Some(private));
        }
    }
}

#[tokio::test]
async fn an_ipv4_address_in_an_ipv6_record_is_judged_and_given_as_ipv4_once() {
    assert_eq!(vetted(vec![at(HOST, "::ffff:1.1.1.1"), at(HOST, "1.1.1.1"), at(HOST, "1.1.1.1")]).await, Ok(sockets(&["1.1.1.1"])));
    assert_eq!(vetted(vec![at(HOST, "::ffff:1.1.1.1")]).await, Ok(sockets(&["1.1.1.1"])));
    for private in ["::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "::10.0.0.1"] {
        assert!(refused(&vetted(vec![at(HOST, private)]).await).is_some(), "{private}");
    }
}

#[tokio::test]
async fn a_name_that_is_bound_anew_is_looked_up_and_judged_anew() {
    // Each lookup asks for two families.
    let dns = Dns::start(|_, asked, count| of_type(vec![at(HOST, if count < 2 { "1.1.1.1" } else { "127.0.0.1" })], asked)).await;
    let (resolver, gate) = (Resolver::new(&[dns.address]).expect("a resolver"), gate());
    assert_eq!(resolver.vetted(HOST, 443, &gate).await, Ok(sockets(&["1.1.1.1"])));
    assert_eq!(refused(&resolver.vetted(HOST, 443, &gate).await).as_deref(), Some("127.0.0.1"));
    assert_eq!(dns.asked.lock().expect("the list").len(), 4);
}

#[tokio::test]
async fn an_alias_is_followed_to_addresses_that_are_judged_like_others() {
    let to = |target: &'static str, address: &'static str| vec![alias(HOST, target), at(target, address)];
    assert_eq!(vetted(to("cdn.example", "1.1.1.1")).await, Ok(sockets(&["1.1.1.1"])));
    assert_eq!(refused(&vetted(to("intranet.example", "10.0.0.1")).await).as_deref(), Some("10.0.0.1"));
    // The resolver answers for `localhost` itself and leaves out how it came there: an address without a link to the name.
    failed(&vetted(vec![alias(HOST, "localhost")]).await);
    // Records in no order, and an alias whose target is asked for by itself.
    let backwards = vec![at("c.example", "1.1.1.1"), alias("b.example", "c.example"), alias(HOST, "b.example")];
    assert_eq!(vetted(backwards).await, Ok(sockets(&["1.1.1.1"])));
    let split =
        |host: &str, asked| of_type(if host == HOST { vec![alias(HOST, "c.example")] } else { vec![at("c.example", "10.0.0.1")] }, asked);
    assert_eq!(refused(&vet(&Dns::start(move |host, asked, _| split(host, asked)).await, HOST).await).as_deref(), Some("10.0.0.1"));
}

#[tokio::test]
async fn aliases_that_lead_round_or_nowhere_have_no_address() {
    for records in [vec![alias(HOST, HOST)], vec![alias(HOST, "b.example"), alias("b.example", HOST)], vec![alias(HOST, "gone.example")]] {
        failed(&vetted(records).await);
    }
}

#[tokio::test]
async fn records_of_another_name_are_not_this_names() {
    assert_eq!(vetted(vec![at("evil.example", "9.9.9.9"), at(HOST, "1.1.1.1")]).await, Ok(sockets(&["1.1.1.1"])));
    failed(&vetted(vec![at("evil.example", "9.9.9.9")]).await);
    failed(&vetted(vec![alias("evil.example", "c.example"), at("c.example", "9.9.9.9")]).await);
}

#[tokio::test]
async fn localhost_passes_the_gate_like_any_name_and_no_server_is_asked() {
    let dns = Dns::start(|host, asked, _| of_type(vec![at(host, "1.1.1.1")], asked)).await;
    for host in ["localhost", "a.localhost"] {
        assert_eq!(refused(&vet(&dns, host).await).as_deref(), Some("127.0.0.1"), "{host}");
    }
    assert!(dns.asked.lock().expect("the list").is_empty());
    let allowing = Gate::new(["127.0.0.0/8", "::1/128"].map(|range| range.parse().expect("a range")).to_vec());
    let resolver = Resolver::new(&[dns.address]).expect("a resolver");
    assert_eq!(resolver.vetted("localhost", 443, &allowing).await, Ok(sockets(&["127.0.0.1", "::1"])));
}

#[test]
fn a_resolver_is_set_up_without_a_runtime() {
    assert!(Resolver::new(&["127.0.0.1:53".parse().expect("a server")]).is_ok());
}

#[tokio::test]
async fn neither_the_machines_hosts_nor_its_search_domains_are_looked_at() {
    // Names that this machine's file has, and one that those of others have; `localhost` never gets as far as that.
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let names = hosts.lines().filter_map(|line| line.split('#').next()).flat_map(|line| line.split_whitespace().skip(1));
    for host in names.chain(["ip6-loopback"]).filter(|name| is_name(name) && !name.ends_with("localhost")) {
        let dns = Dns::start(|host, asked, _| of_type(vec![at(host, "1.1.1.1")], asked)).await;
        assert_eq!(vet(&dns, host).await, Ok(sockets(&["1.1.1.1"])), "{host}");
        assert!(dns.asked.lock().expect("the list").iter().all(|(asked, _)| asked == host));
    }
}

#[tokio::test]
async fn names_of_local_networks_are_what_dns_says_and_judged() {
    for host in ["printer.local", "api.internal", "metadata.google.internal"] {
        let dns = Dns::start(|host, asked, _| of_type(vec![at(host, "169.254.169.254")], asked)).await;
        assert_eq!(refused(&vet(&dns, host).await).as_deref(), Some("169.254.169.254"), "{host}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_one_without_addresses_fail() {
    for code in [ResponseCode::NXDomain, ResponseCode::NoError] {
        let dns = Dns::start(move |_, _, _| Reply::Code(code)).await;
        assert!(failed(&vet(&dns, HOST).await).contains("no address"), "{code}");
    }
}

#[tokio::test]
async fn a_family_that_cannot_be_looked_up_makes_the_name_fail() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused, ResponseCode::FormErr] {
        let answer = move |asked| if asked == RecordType::AAAA { Reply::Code(code) } else { of_type(vec![at(HOST, "1.1.1.1")], asked) };
        let dns = Dns::start(move |_, asked, _| answer(asked)).await;
        assert!(failed(&vet(&dns, HOST).await).contains("cannot be looked up"), "{code}");
    }
}

#[tokio::test]
async fn answers_that_are_none_fail_and_silence_ends_with_the_callers_clock() {
    failed(&vet(&Dns::start(|_, _, _| Reply::Garbage).await, HOST).await);
    let silent = Dns::start(|_, _, _| Reply::Silence).await;
    assert!(tokio::time::timeout(Duration::from_millis(50), vet(&silent, HOST)).await.is_err());
}

#[tokio::test]
async fn an_answer_too_long_for_udp_comes_by_tcp_and_has_its_most_addresses() {
    let many = |count: usize| (0..count).map(|at| self::at(HOST, &format!("1.1.{}.{}", at / 250, at % 250))).collect::<Vec<_>>();
    assert_eq!(vetted(many(64)).await.map(|addresses| addresses.len()), Ok(64));
    assert!(failed(&vetted(many(65)).await).contains("65 addresses"));
    assert!(failed(&vetted(many(1000)).await).contains("1000 records"));
}

#[tokio::test]
async fn addresses_and_what_is_no_name_are_not_looked_up() {
    let dns = Dns::start(|host, asked, _| of_type(vec![at(host, "1.1.1.1")], asked)).await;
    for host in ["127.0.0.1", "[::1]", "::1", "", ".", "a..b", "api.example.", "API.example", "a b", "a\\.b", "*.example", "a\0b"] {
        failed(&vet(&dns, host).await);
    }
    assert!(dns.asked.lock().expect("the list").is_empty());
}
