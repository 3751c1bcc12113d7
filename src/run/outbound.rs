//! A run's way out: the desk at the egress broker, for its grant, its principal and its record.

use super::conduct::Inner;
use crate::egress::{Before, CODES, Carrier, Desk, DeskSettings, Observer};
use crate::model::{EgressEntry, Grant, Principal, Tier};
use crate::store::Store;
use crate::telemetry::{EgressResult, Telemetry};
use std::sync::Arc;

/// The desk of a run of `principal` under `grant`, whose secrets are `carrier`'s.
pub(super) fn desk(inner: &Inner, principal: &Principal, grant: &Grant, carrier: Arc<dyn Carrier>) -> Desk {
    inner.parts.broker.desk(DeskSettings {
        grant: Arc::clone(&grant.egress),
        principal: principal.id.clone(),
        sub_requests: grant.limits.sub_requests,
        carrier,
        before_first_byte: durable(inner.parts.log.store()),
        observer: observer(&inner.parts.telemetry, grant.tier),
    })
}

/// INVARIANT (intent before effect): nothing leaves the machine for a run before the disk has its intent.
fn durable(store: &Store) -> Before {
    let store = store.clone();
    Arc::new(move || {
        let store = store.clone();
        Box::pin(async move { store.sync().await.map_err(|error| error.to_string()) })
    })
}

fn observer(telemetry: &Arc<Telemetry>, tier: Tier) -> Observer {
    let telemetry = Arc::clone(telemetry);
    Arc::new(move |row, code| telemetry.egress_request(tier, result_of(row, code)))
}

fn result_of(row: &EgressEntry, code: Option<&str>) -> EgressResult {
    match code {
        Some(code) if CODES.iter().any(|(denial, _)| *denial == code) => EgressResult::Denied,
        Some(_) => EgressResult::Failed,
        None if row.synthetic => EgressResult::Synthetic,
        None => EgressResult::Answered,
    }
}
