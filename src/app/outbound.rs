//! The egress broker and the secrets as the configuration wants them.

use super::failure::Failure;
use crate::config::{Config, EgressSettings, VaultSettings};
use crate::egress::secrets::{Secrets, VaultSpec};
use crate::egress::{Broker, BrokerSettings};
use std::net::SocketAddr;
use std::sync::Arc;

/// Rows of a run's ledger. Past them a request is made, counted, and has no row; an estimate of what a record may grow by.
const LEDGER_ROWS_MAX: usize = 1000;

/// What requests say that sends them, where the guest says nothing.
const USER_AGENT: &str = "Cordon";

/// The broker. What does not work as it should is logged.
pub(super) fn broker(settings: &EgressSettings) -> Result<Arc<Broker>, Failure> {
    let extra_ca_pem = extra_ca(settings)?;
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

fn extra_ca(settings: &EgressSettings) -> Result<Option<Vec<u8>>, Failure> {
    let Some(file) = &settings.extra_ca_file else { return Ok(None) };
    std::fs::read(file).map(Some).map_err(|error| {
        Failure::bad_use(format!("egress.extra_ca_file {} cannot be read: {error}", file.display()), "name a file of certificates in PEM")
    })
}

/// Where this server itself listens; no run reaches it.
pub(super) fn keep_out(broker: &Broker, listeners: [SocketAddr; 2]) {
    broker.set_own_listeners(listeners.to_vec());
}

/// The values of secrets, read once; what has none is logged.
pub(super) async fn secrets(config: &Config) -> Result<Arc<Secrets>, Failure> {
    let vault = config.vault.as_ref().map(|vault| vault_spec(vault, &config.egress)).transpose()?;
    let secrets = Secrets::new(config.secrets.clone(), vault);
    secrets.read_all().await.iter().for_each(|problem| tracing::warn!(%problem, "a secret has no value: requests that need it are denied"));
    Ok(secrets)
}

fn vault_spec(vault: &VaultSettings, egress: &EgressSettings) -> Result<VaultSpec, Failure> {
    let VaultSettings { address, token, namespace, refresh } = vault.clone();
    Ok(VaultSpec { address, token, namespace, refresh, extra_ca_pem: extra_ca(egress)? })
}
