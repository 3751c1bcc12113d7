//! The egress broker as the configuration wants it.

use super::failure::Failure;
use crate::config::EgressSettings;
use crate::egress::{Broker, BrokerSettings};
use std::net::SocketAddr;
use std::sync::Arc;

/// Rows of a run's ledger. Past them a request is made, counted, and has no row; an estimate of what a record may grow by.
const LEDGER_ROWS_MAX: usize = 1000;

/// What requests say that sends them, where the guest says nothing.
const USER_AGENT: &str = "Cordon";

/// The broker. What does not work as it should is logged.
pub(super) fn broker(settings: &EgressSettings) -> Result<Arc<Broker>, Failure> {
    let extra_ca_pem = settings.extra_ca_file.as_deref().map(std::fs::read).transpose().map_err(|error| {
        let file = settings.extra_ca_file.as_deref().unwrap_or_else(|| std::path::Path::new(""));
        Failure::bad_use(format!("egress.extra_ca_file {} cannot be read: {error}", file.display()), "name a file of certificates in PEM")
    })?;
    let broker = Broker::new(BrokerSettings {
        resolver: settings.resolver.clone(),
        allowed: settings.allow_private_cidrs.clone(),
        extra_ca_pem,
        connect: settings.connect,
        first_byte: settings.first_byte,
        total: settings.total,
        concurrent_per_run: settings.concurrent_per_run,
        redirects_max: settings.redirects_max,
        request_bytes_max: settings.request_bytes_max,
        header_bytes_max: settings.header_bytes_max,
        ledger_rows_max: LEDGER_ROWS_MAX,
        user_agent: USER_AGENT.to_owned(),
    });
    let broker =
        broker.map_err(|why| Failure::bad_use(format!("outbound requests cannot be set up: {why}"), "mend [egress] in cordon.toml"))?;
    broker.problems().iter().for_each(|problem| tracing::warn!(problem, "outbound requests do not work as they should"));
    Ok(broker)
}

/// Where this server itself listens; no run reaches it.
pub(super) fn keep_out(broker: &Broker, listeners: [SocketAddr; 2]) {
    broker.set_own_listeners(listeners.to_vec());
}
