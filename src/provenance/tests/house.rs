//! A log for a test, and runs to put into it.

use crate::model::{
    BuildIdentity, Digest, Durability, EgressTerms, Grant, Identity, Jit, Limits, Origin, Outcome, Principal, RunId, RunReport, Tier, Usage,
};
use crate::provenance::{Intended, Intent, Log, Sealed};
use crate::store::{Batch, Options, Store, wait};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn open_store(data: &Path) -> Store {
    Store::open(data, Options { cache_bytes: 1 << 20, ..Options::default() }).expect("opens").0
}

pub(super) fn open_log(data: &Path) -> Log {
    Log::open(open_store(data)).expect("opens").0
}

pub(super) fn intent(run: RunId) -> Intent {
    let limits = Limits {
        cpu_ms: 50,
        wall_ms: 2000,
        memory_mb: 64,
        sub_requests: 0,
        output_bytes: 1 << 20,
        log_bytes: 64 << 10,
        log_lines: 100,
        source_bytes: 1 << 20,
        modules: 64,
        input_bytes: 1 << 20,
    };
    let grant = Grant {
        profile: "untrusted".to_owned(),
        profile_digest: Digest::of(b"profile"),
        tier: Tier::Untrusted,
        limits,
        vars: BTreeMap::from([("REGION".to_owned(), "eu".to_owned())]),
        egress: std::sync::Arc::new(EgressTerms::default()),
        jit: Jit::On,
    }
    .recorded();
    let build = BuildIdentity {
        binary: Digest::of(b"binary"),
        host_javascript: Digest::of(b"javascript"),
        ops: Vec::new(),
        v8_version: "15".to_owned(),
        v8_flags: String::new(),
        hardening: BTreeMap::new(),
    };
    let artifact = Digest::of(b"artifact");
    Intent {
        right: Some(crate::model::Right::Untrusted),
        run,
        principal: Principal::local(),
        artifact,
        identity: Identity::of(artifact, &grant, build.digest()),
        grant,
        entrypoint: "default".to_owned(),
        input_digest: Digest::of(b"null"),
        origin: Origin { agent: Some("writer".to_owned()), prompt_id: Some("p1".to_owned()), ..Origin::default() },
        decision_id: None,
        traceparent: None,
    }
}

pub(super) fn report(intent: &Intent, outcome: Outcome) -> RunReport {
    RunReport {
        run: intent.run,
        outcome,
        result: RawValue::from_string("{\"b\": 1, \"a\": 2.50}".to_owned()).expect("JSON"),
        error: None,
        logs: Vec::new(),
        logs_truncated: 0,
        denials: Vec::new(),
        denials_truncated: 0,
        egress: Vec::new(),
        egress_truncated: 0,
        usage: Usage { cpu_ms: 1.25, ..Usage::default() },
        tier: intent.grant.tier,
        profile: intent.grant.profile.clone(),
        artifact: intent.artifact,
        identity: intent.identity,
        provenance: None,
    }
}

pub(super) fn intend(log: &Log, intent: &Intent) -> Intended {
    wait(log.intend(intent.clone(), crate::store::Batch::new(), Durability::Batched)).expect("stored")
}

/// A whole run.
pub(super) fn run(log: &Log, intent: &Intent, outcome: Outcome) -> Sealed {
    wait(intend(log, intent).seal(report(intent, outcome), None, Batch::new(), Durability::Batched)).expect("sealed")
}
