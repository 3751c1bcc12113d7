//! The typed functions that record what happens. Names and labels are in one place only, the constructor.

use super::family::Metric;
use super::{
    Capability, CellExit, CellKind, CellState, CodeCache, DenialReason, EgressResult, LayerState, Listener, OTHER_ROUTE, Overshoot, Start,
    StatusClass, Syscall, Telemetry, ZygoteReplacement,
};
use crate::model::{Denial, Outcome, ProblemCode, Rule, Tier};
use metrics::{Counter, Gauge, Histogram, Label as KeyLabel};
use std::collections::BTreeMap;
use std::time::Duration;

impl Telemetry {
    /// A run ended.
    pub fn run_finished(&self, tier: Tier, outcome: Outcome, wall: Duration, cpu: Duration) {
        add_one(self.runs.of(tier, outcome));
        record(self.run_duration.of(tier), wall);
        record(self.run_cpu.of(tier), cpu);
    }

    /// A cell began guest code, `took` after it got the order, or, when it had to be forked first, after it was asked for.
    pub fn isolate_started(&self, state: Start, took: Duration) {
        record(self.isolate_start.of(state), took);
    }

    /// Something happened to the code cache of an artifact.
    pub fn code_cache(&self, result: CodeCache) {
        add_one(self.code_caches.of(result));
    }

    /// Policy decided by `rule`.
    pub fn policy_decision(&self, rule: Rule, took: Duration) {
        add_one(self.decisions.of(rule));
        self.decision_duration.record(took);
    }

    /// A guest was refused something.
    pub fn denial(&self, capability: Capability, reason: DenialReason) {
        add_one(self.denials.of(capability, reason));
    }

    /// A guest was refused something, in the words of a cell: what is not a known word counts as `other`.
    pub fn denial_told(&self, denial: &Denial) {
        self.denial(Capability::of(&denial.capability), DenialReason::of(&denial.rule));
    }

    /// An outbound request of a run is over.
    pub fn egress_request(&self, tier: Tier, result: EgressResult) {
        add_one(self.egress.of(tier, result));
    }

    /// An outbound request of a run was let through that only a rule on trial allows.
    pub fn egress_would_deny(&self, tier: Tier) {
        add_one(self.egress_would_deny.of(tier));
    }

    /// A run went past a limit by `by` before it was stopped.
    pub fn limit_overshoot(&self, limit: Overshoot, by: Duration) {
        record(self.overshoot.of(limit), by);
    }

    /// How many cells of this kind are in this state.
    pub fn cells(&self, kind: CellKind, state: CellState, count: usize) {
        set(self.cells.of(kind, state), count as f64);
    }

    /// A cell's process ended.
    pub fn cell_exit(&self, kind: CellKind, cause: CellExit) {
        add_one(self.cell_exits.of(kind, cause));
    }

    /// A zygote was replaced.
    pub fn zygote_replaced(&self, kind: CellKind, reason: ZygoteReplacement) {
        add_one(self.zygote_replacements.of(kind, reason));
    }

    /// A cell's system call was refused.
    pub fn seccomp_refusal(&self, syscall: Syscall) {
        add_one(self.seccomp_refusals.of(syscall));
    }

    /// The log has this many provenance records.
    pub fn provenance_records(&self, records: u64) {
        self.provenance_records.absolute(records);
    }

    /// Of `intents` (those of runs under way left out), `sealed` have their end on record. Without any, nothing is missing.
    pub fn trace_complete(&self, sealed: u64, intents: u64) {
        self.trace_complete.set(if intents == 0 { 1.0 } else { sealed as f64 / intents as f64 });
    }

    /// The hardening layers as probed, once at the start. Their names are those of `cordon doctor`, a closed list.
    pub fn hardening(&self, layers: &BTreeMap<String, String>) {
        for (layer, words) in layers {
            let labels = vec![KeyLabel::new("layer", layer.clone()), KeyLabel::from_static_parts("state", LayerState::of(words).as_str())];
            Gauge::register(&self.recorder, "cordon_hardening_layer_info", "State of each hardening layer as probed; always 1", labels)
                .set(1.0);
        }
    }

    /// A request was refused before anything ran.
    pub fn refusal(&self, code: ProblemCode) {
        add_one(self.refusals.of(code));
    }

    /// What admission holds now: runs that wait, runs that were admitted, and the memory granted to these in bytes.
    pub fn admission(&self, waiting: usize, running: usize, memory_bytes: u64) {
        self.admission_waiting.set(waiting as f64);
        self.admission_running.set(running as f64);
        self.admission_memory.set(memory_bytes as f64);
    }

    /// A run was admitted after waiting for `waited`.
    pub fn admitted(&self, waited: Duration) {
        self.admission_wait.record(waited);
    }

    /// An answer was sent on the route with this template; a template that is not known counts as `other`.
    pub fn http_request(&self, route: &str, status: u16, took: Duration) {
        let named = |template: &str| self.routes.iter().find(|route| route.template == template);
        let Some(route) = named(route).or_else(|| named(OTHER_ROUTE)) else { return };
        let class = StatusClass::of(status);
        add_one(route.requests.iter().find(|(other, _)| *other == class).map(|(_, counter)| counter));
        route.duration.record(took);
    }

    /// How many connections this listener has open.
    pub fn connections(&self, listener: Listener, count: usize) {
        set(self.connections.of(listener), count as f64);
    }
}

fn add_one(counter: Option<&Counter>) {
    if let Some(counter) = counter {
        counter.increment(1);
    }
}

fn set(gauge: Option<&Gauge>, value: f64) {
    if let Some(gauge) = gauge {
        gauge.set(value);
    }
}

fn record(histogram: Option<&Histogram>, value: Duration) {
    if let Some(histogram) = histogram {
        histogram.record(value);
    }
}
