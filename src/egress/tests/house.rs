//! A broker whose every name is on loopback, and desks of it.

use super::dns::{Dns, Reply, at, of_type};
use crate::egress::{Broker, BrokerSettings, Carrier, Desk, DeskSettings, Fault, Inbound, NoSecrets, OutBody, Outbound};
use crate::model::exchange::Redirect;
use crate::model::{EgressEntry, EgressGrant, EgressMode, EgressRule, Enforcement, HostPattern, Scheme};
use bytes::Bytes;
use futures_util::FutureExt;
use hickory_resolver::proto::op::ResponseCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What observers were told.
pub(super) type Heard = Arc<Mutex<Vec<(EgressEntry, Option<String>)>>>;

/// A broker, and what its desks do.
pub(super) struct House {
    pub(super) broker: Arc<Broker>,
    pub(super) heard: Heard,
    /// How often an intent was made durable.
    pub(super) durable: Arc<AtomicUsize>,
    pub(super) carrier: Arc<dyn Carrier>,
    pub(super) sub_requests: u64,
}

/// Settings that no test waits for.
pub(super) fn settings() -> BrokerSettings {
    BrokerSettings {
        resolver: Vec::new(),
        allowed: vec!["127.0.0.0/8".parse().expect("a range")],
        extra_ca_pem: None,
        connect: Duration::from_secs(20),
        first_byte: Duration::from_secs(20),
        total: Duration::from_secs(60),
        concurrent_per_run: 8,
        redirects_max: 5,
        request_bytes_max: 1 << 20,
        header_bytes_max: 16 << 10,
        ledger_rows_max: 100,
        user_agent: "cordon-test".to_owned(),
    }
}

impl House {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings that `change` changes. `meta.example` leads to a metadata service, `gone.example` nowhere, every other name to loopback.
    pub(super) async fn with(change: impl FnOnce(&mut BrokerSettings)) -> Self {
        let dns = Dns::start(|name, kind, _| {
            if name == "gone.example" {
                return Reply::Code(ResponseCode::NXDomain);
            }
            let address = if name == "meta.example" { "169.254.169.254" } else { "127.0.0.1" };
            of_type(vec![at(name, address)], kind)
        })
        .await;
        let mut settings = settings();
        settings.resolver = vec![dns.address];
        change(&mut settings);
        let broker = Broker::new(settings).expect("a broker");
        Self { broker, heard: Heard::default(), durable: Arc::default(), carrier: Arc::new(NoSecrets), sub_requests: 1000 }
    }

    pub(super) fn desk(&self, rules: Vec<EgressRule>) -> Desk {
        self.desk_of("tenant", EgressGrant { mode: EgressMode::Allowlist, rules, ..EgressGrant::default() })
    }

    pub(super) fn desk_of(&self, principal: &str, grant: EgressGrant) -> Desk {
        let (heard, durable) = (self.heard.clone(), self.durable.clone());
        self.broker.desk(DeskSettings {
            grant: Arc::new(grant.into()),
            principal: principal.to_owned(),
            sub_requests: self.sub_requests,
            carrier: self.carrier.clone(),
            before_first_byte: Arc::new(move || {
                durable.fetch_add(1, Ordering::SeqCst);
                async { Ok(()) }.boxed()
            }),
            observer: Arc::new(move |row, code| heard.lock().expect("heard").push((row.clone(), code.map(str::to_owned)))),
        })
    }

    /// Codes that the observer was told, in order.
    pub(super) fn codes(&self) -> Vec<Option<String>> {
        self.heard.lock().expect("heard").iter().map(|(_, code)| code.clone()).collect()
    }
}

/// A rule that allows all of a host on some ports.
pub(super) fn rule(host: &str, ports: &[u16]) -> EgressRule {
    EgressRule {
        host: HostPattern::Name(host.to_owned()),
        ports: ports.to_vec(),
        schemes: vec![Scheme::Https, Scheme::Http],
        methods: ["GET", "HEAD", "POST", "PUT"].map(str::to_owned).to_vec(),
        path_prefix: "/".to_owned(),
        max_response_bytes: 1 << 20,
        max_requests: 1000,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "a test".to_owned(),
    }
}

pub(super) fn get(url: impl Into<String>) -> Outbound {
    Outbound { method: "GET".into(), url: url.into(), headers: Vec::new(), body: OutBody::Empty, redirect: Redirect::Follow }
}

pub(super) fn post(url: impl Into<String>, body: OutBody) -> Outbound {
    Outbound { method: "POST".into(), body, ..get(url) }
}

/// All of an answer's body.
pub(super) async fn read(answer: &mut Inbound) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    if let Some(body) = &mut answer.body {
        while let Some(piece) = body.next().await? {
            assert!((1..=64 << 10).contains(&piece.len()), "a piece of {} bytes", piece.len());
            all.extend_from_slice(&piece);
        }
    }
    Ok(all)
}

/// Fetches, and reads it all as text.
pub(super) async fn text(desk: &Desk, request: Outbound) -> Result<String, Fault> {
    let mut answer = desk.fetch(request).await?;
    Ok(String::from_utf8_lossy(&read(&mut answer).await?).into_owned())
}

/// The code of the fault that a fetch, or reading its answer, ends with.
pub(super) async fn code(desk: &Desk, request: Outbound) -> String {
    text(desk, request).await.expect_err("a fault").code().to_owned()
}

/// A header's values.
pub(super) fn header<'a>(answer: &'a Inbound, name: &str) -> Vec<&'a str> {
    answer.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

pub(super) fn whole(bytes: impl Into<Bytes>) -> OutBody {
    OutBody::Whole(bytes.into())
}
