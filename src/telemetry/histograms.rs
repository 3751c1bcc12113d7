//! Names and buckets of every histogram. A histogram without buckets would be rendered as a summary, which cannot be added up.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

pub(super) const RUN_DURATION: &str = "cordon_run_duration_seconds";
pub(super) const RUN_CPU: &str = "cordon_run_cpu_seconds";
pub(super) const ISOLATE_START: &str = "cordon_isolate_start_seconds";
pub(super) const POLICY_DECISION: &str = "cordon_policy_decision_seconds";
pub(super) const LIMIT_OVERSHOOT: &str = "cordon_limit_overshoot_seconds";
pub(super) const ADMISSION_WAIT: &str = "cordon_admission_wait_seconds";
pub(super) const HTTP_DURATION: &str = "cordon_http_request_duration_seconds";

/// From half a millisecond (a warm run) to the longest wall budget that is built in.
const RUN: [f64; 15] = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0];

/// Around the targets: a warm start takes tenths of a millisecond, a fork on demand a few.
const ISOLATE: [f64; 11] = [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1];

/// Around the budgets: 1 µs for a check of a profile, 50 µs for a decision.
const DECISION: [f64; 8] = [0.000_001, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.001, 0.01];

/// Around the promise: 5 ms where V8 can be interrupted, the grace and 10 ms where it cannot.
const OVERSHOOT: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];

/// Up to the longest wait that can be configured.
const WAIT: [f64; 10] = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0];

const HISTOGRAMS: [(&str, &[f64]); 7] = [
    (RUN_DURATION, &RUN),
    (RUN_CPU, &RUN),
    (ISOLATE_START, &ISOLATE),
    (POLICY_DECISION, &DECISION),
    (LIMIT_OVERSHOOT, &OVERSHOOT),
    (ADMISSION_WAIT, &WAIT),
    (HTTP_DURATION, &RUN),
];

/// Sets the buckets of every histogram.
pub(super) fn buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    HISTOGRAMS
        .iter()
        .try_fold(builder, |builder, (name, buckets)| builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets))
}
