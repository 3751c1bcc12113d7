//! What operators see: metrics with typed functions instead of names all over the house, logging, and trace context.

mod family;
mod histograms;
mod labels;
mod logging;
mod recording;
#[cfg(test)]
mod tests;
mod trace;

pub use labels::{
    Capability, CellExit, CellKind, CellState, CodeCache, DenialReason, EgressResult, LayerState, Listener, Overshoot, Start, StatusClass,
    Syscall, ZygoteReplacement,
};
pub use logging::{LoggingError, init_logging};
pub use trace::{TraceError, Traceparent};

use crate::model::{Outcome, ProblemCode, Rule, Tier};
use family::{Family, Family2, Metric, single};
use metrics::{Counter, Gauge, Histogram, Label as KeyLabel};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// The build, for the `cordon_build_info` metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Cordon's version.
    pub version: String,
    /// V8's version.
    pub v8_version: String,
}

/// Caused by a defect in the table of buckets.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be set up: {0}; report this as a defect")]
pub struct TelemetryError(#[from] BuildError);

/// Every metric of this server. Each instance has its own numbers: nothing is global.
#[derive(Debug)]
pub struct Telemetry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    runs: Family2<Tier, Outcome, Counter>,
    run_duration: Family<Tier, Histogram>,
    run_cpu: Family<Tier, Histogram>,
    isolate_start: Family<Start, Histogram>,
    code_caches: Family<CodeCache, Counter>,
    decision_duration: Histogram,
    decisions: Family<Rule, Counter>,
    denials: Family2<Capability, DenialReason, Counter>,
    egress: Family2<Tier, EgressResult, Counter>,
    egress_would_deny: Family<Tier, Counter>,
    overshoot: Family<Overshoot, Histogram>,
    cells: Family2<CellKind, CellState, Gauge>,
    cell_exits: Family2<CellKind, CellExit, Counter>,
    zygote_replacements: Family2<CellKind, ZygoteReplacement, Counter>,
    seccomp_refusals: Family<Syscall, Counter>,
    provenance_records: Counter,
    trace_complete: Gauge,
    refusals: Family<ProblemCode, Counter>,
    admission_waiting: Gauge,
    admission_running: Gauge,
    admission_memory: Gauge,
    admission_wait: Histogram,
    connections: Family<Listener, Gauge>,
    routes: Vec<Route>,
}

/// The metrics of one route.
#[derive(Debug)]
struct Route {
    template: &'static str,
    requests: Vec<(StatusClass, Counter)>,
    duration: Histogram,
}

/// The route of whatever is none of the routes.
const OTHER_ROUTE: &str = "other";

impl Telemetry {
    /// Registers every metric. `routes` are the templates of the HTTP listeners (`/v1/runs/{run}`); whatever is none of them counts as `other`.
    pub fn new(build: &Build, routes: &[&'static str]) -> Result<Self, TelemetryError> {
        let recorder = histograms::buckets(PrometheusBuilder::new())?.build_recorder();
        let r = &recorder;
        build_info(r, build);
        let trace_complete: Gauge =
            single(r, "cordon_trace_complete_ratio", "Share of run intents whose end is recorded, runs under way left out");
        trace_complete.set(1.0);
        Ok(Self {
            handle: recorder.handle(),
            runs: Family2::new(r, "cordon_runs_total", "Runs that ended, by tier and outcome", ["tier", "outcome"]),
            run_duration: Family::new(r, histograms::RUN_DURATION, "Time from a run's start to its end", "tier"),
            run_cpu: Family::new(r, histograms::RUN_CPU, "CPU time of a run by the kernel's account", "tier"),
            isolate_start: Family::new(r, histograms::ISOLATE_START, "Time from an order to the first instruction of guest code", "state"),
            code_caches: Family::new(r, "cordon_code_cache_total", "Code caches of artifacts that are large enough for one", "result"),
            decision_duration: single(r, histograms::POLICY_DECISION, "Time that a policy decision took"),
            decisions: decisions(r),
            denials: Family2::new(r, "cordon_denials_total", "What guests tried and policy refused", ["capability", "reason"]),
            egress: Family2::new(
                r,
                "cordon_egress_requests_total",
                "Outbound requests of runs, by what became of them",
                ["tier", "result"],
            ),
            egress_would_deny: Family::new(
                r,
                "cordon_egress_would_deny_total",
                "Outbound requests of runs that only a rule on trial let through",
                "tier",
            ),
            overshoot: Family::new(r, histograms::LIMIT_OVERSHOOT, "Time by which a run went past a limit before it was stopped", "limit"),
            cells: Family2::new(r, "cordon_cells", "Cells alive, by tier (or intake) and state", ["tier", "state"]),
            cell_exits: Family2::new(r, "cordon_cell_exits_total", "Cells that ended, by tier (or intake) and cause", ["tier", "cause"]),
            zygote_replacements: Family2::new(r, "cordon_zygote_replacements_total", "Zygotes that were replaced", ["tier", "reason"]),
            seccomp_refusals: Family::new(
                r,
                "cordon_seccomp_refusals_total",
                "System calls refused to cells, as far as they are seen",
                "syscall",
            ),
            provenance_records: single(r, "cordon_provenance_records_total", "Provenance records appended"),
            trace_complete,
            refusals: Family::new(r, "cordon_refusals_total", "Requests refused before anything ran, by code", "code"),
            admission_waiting: single(r, "cordon_admission_waiting", "Runs that wait for room"),
            admission_running: single(r, "cordon_admission_running", "Runs that have been admitted and have not ended"),
            admission_memory: single(r, "cordon_admission_memory_bytes", "Memory granted to admitted runs"),
            admission_wait: single(r, histograms::ADMISSION_WAIT, "Time that admitted runs waited for room"),
            connections: Family::new(r, "cordon_http_connections", "Open connections, by listener", "listener"),
            routes: routes.iter().copied().chain([OTHER_ROUTE]).map(|template| Route::new(r, template)).collect(),
            recorder,
        })
    }

    /// The metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds samples into histograms, so that memory stays bounded when nobody scrapes. To be called every 5 s or so.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl Route {
    fn new(recorder: &PrometheusRecorder, template: &'static str) -> Self {
        let route = || KeyLabel::from_static_parts("route", template);
        let requests = |class: StatusClass| {
            let labels = vec![route(), KeyLabel::from_static_parts("status", class.as_str())];
            (class, Counter::register(recorder, "cordon_http_requests_total", "HTTP answers, by route and class of status", labels))
        };
        Self {
            template,
            requests: StatusClass::ALL.iter().copied().map(requests).collect(),
            duration: Histogram::register(
                recorder,
                histograms::HTTP_DURATION,
                "Time from a request's headers to its answer's",
                vec![route()],
            ),
        }
    }
}

/// Decisions have two labels, and the rule fixes both.
fn decisions(recorder: &PrometheusRecorder) -> Family<Rule, Counter> {
    Family::with_labels(recorder, "cordon_policy_decisions_total", "Policy decisions, by their rule", |rule: Rule| {
        let decision = if rule.allows() { "allow" } else { "deny" };
        vec![KeyLabel::from_static_parts("decision", decision), KeyLabel::from_static_parts("reason", rule.as_str())]
    })
}

fn build_info(recorder: &PrometheusRecorder, build: &Build) {
    let labels = vec![KeyLabel::new("version", build.version.clone()), KeyLabel::new("v8_version", build.v8_version.clone())];
    Gauge::register(recorder, "cordon_build_info", "The build that is running; always 1", labels).set(1.0);
}
