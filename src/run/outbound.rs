//! A run's way out: its secrets, and the desk at the egress broker, for its grant, its principal and its record.

use super::conduct::{Inner, failed};
use super::verdict::Verdict;
use crate::cell::Execution;
use crate::egress::secrets::{RunSecrets, Values};
use crate::egress::{Before, CODES, Carrier, Desk, DeskSettings, Observer};
use crate::model::{EgressEntry, EgressMode, Grant, Principal, Problem, Tier};
use crate::store::Store;
use crate::telemetry::{EgressResult, Telemetry};
use serde_json::value::RawValue;
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

/// The secrets of a run under `grant`. Code of tier 0 has placeholders like any other, and never a value behind them.
pub(super) fn secrets(inner: &Inner, grant: &Grant) -> Result<Arc<RunSecrets>, Problem> {
    let may_send = grant.tier != Tier::Untrusted && grant.egress.mode == EgressMode::Allowlist;
    let values = if may_send { Values::Real } else { Values::Withheld };
    RunSecrets::new(&grant.egress.secrets, &inner.parts.secrets, values).map_err(|error| failed(&format!("no randomness: {error}")))
}

/// Takes real values out of what is answered and recorded, whatever way they came there.
pub(super) fn scrub(secrets: &RunSecrets, execution: &mut Execution, verdict: &mut Verdict) {
    let clean = |text: &mut String| {
        if let Some(scrubbed) = secrets.scrub_text(text) {
            *text = scrubbed;
        }
    };
    execution.logs.iter_mut().for_each(|line| clean(&mut line.message));
    for denial in &mut execution.denials {
        [&mut denial.target, &mut denial.reason, &mut denial.remediation].into_iter().for_each(clean);
    }
    if let Some(error) = &mut verdict.error {
        [&mut error.name, &mut error.message, &mut error.remediation].into_iter().chain(&mut error.stack).for_each(clean);
    }
    if let Some(result) = secrets.scrub_text(verdict.result.get()) {
        // The marks are plain words, so JSON stays JSON; what would not is not answered.
        verdict.result = RawValue::from_string(result).unwrap_or_else(|_| RawValue::NULL.to_owned());
    }
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
    Arc::new(move |row, code| {
        telemetry.egress_request(tier, result_of(row, code));
        if row.would_deny {
            telemetry.egress_would_deny(tier);
        }
    })
}

fn result_of(row: &EgressEntry, code: Option<&str>) -> EgressResult {
    match code {
        Some(code) if CODES.iter().any(|(denial, _)| *denial == code) => EgressResult::Denied,
        Some(_) => EgressResult::Failed,
        None if row.synthetic => EgressResult::Synthetic,
        None => EgressResult::Answered,
    }
}
