//! Who conducts runs: holds what they need, and makes each run a task of its own that always seals.

use super::admission::Admission;
use super::errands::Serving;
use super::idempotency::{Claim, First, Idempotency, Keys, await_answer};
use super::noted::Noted;
use super::noting;
use super::signals::{CancelSignal, Running, UnderWay};
use super::steps::{self, Refused};
use crate::artifact::Artifacts;
use crate::cell::{Cells, ZygoteKind};
use crate::egress::Broker;
use crate::egress::secrets::Secrets;
use crate::model::{Digest, Durability, Labels, Principal, Problem, ProblemCode, Profile, Right, RunRequest, Tier};
use crate::policy::{Machine, Policies};
use crate::provenance::{Log, Refusal};
use crate::store::Batch;
use crate::telemetry::Telemetry;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What conducting runs needs.
pub struct Parts {
    /// The cells.
    pub cells: Cells,
    /// The policy in force.
    pub policy: Policies,
    /// The log.
    pub log: Log,
    /// The artifacts.
    pub artifacts: Artifacts,
    /// The way out.
    pub broker: Arc<Broker>,
    /// The values of secrets.
    pub secrets: Arc<Secrets>,
    /// The gate.
    pub admission: Admission,
    /// The metrics.
    pub telemetry: Arc<Telemetry>,
    /// Digest of the build's identity, by the zygote that runs it.
    pub builds: BTreeMap<ZygoteKind, Digest>,
    /// Hardening layers and their state, by zygote.
    pub hardening: BTreeMap<ZygoteKind, BTreeMap<String, String>>,
}

/// Conducts runs. Clones share it.
#[derive(Clone)]
pub struct Conduct {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) parts: Parts,
    keys: Keys,
    under_way: UnderWay,
    noted: Noted,
    alias_turn: tokio::sync::Mutex<()>,
    ladder_turn: tokio::sync::Mutex<()>,
    pub(super) labels: Labels,
    compile_turn: Arc<tokio::sync::Mutex<()>>,
}

/// Under what a run is asked for.
pub(super) enum Under {
    /// The policy in force.
    Policy,
    /// A profile that was made for a contract case, and the right that the run's intent names.
    Contract(Arc<Profile>, Right),
}

/// A run that is asked for.
struct Asked {
    principal: Principal,
    request: RunRequest,
    under: Under,
    serving: Option<Serving>,
}

impl Asked {
    fn plain(principal: Principal, request: RunRequest) -> Self {
        Self { principal, request, under: Under::Policy, serving: None }
    }
}

/// The answer to a run that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The report as JSON text.
    pub body: Bytes,
    /// True when an earlier request with the same key had this answer first.
    pub replayed: bool,
}

impl Conduct {
    /// Conducts runs with `parts`.
    pub fn new(parts: Parts) -> Self {
        let keys = Keys::new(parts.log.store().clone());
        Self {
            inner: Arc::new(Inner {
                parts,
                keys,
                under_way: UnderWay::new(),
                noted: Noted::default(),
                alias_turn: tokio::sync::Mutex::default(),
                ladder_turn: tokio::sync::Mutex::default(),
                labels: noting::labels(),
                compile_turn: Arc::default(),
            }),
        }
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The machine as policy sees it.
    pub(super) fn machine(&self) -> &(dyn Machine + Sync) {
        self.inner.as_ref()
    }

    /// What it conducts runs with.
    pub fn parts(&self) -> &Parts {
        &self.inner.parts
    }

    /// The turn of whoever moves an alias.
    pub(super) async fn alias_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.alias_turn.lock().await
    }

    /// The turn of whoever takes a step on the ladder, or records a review.
    pub(super) fn ladder_turn(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.ladder_turn
    }

    /// Ends the runs of `artifact` above `tier`; how many were told.
    pub(super) fn stop_above(&self, artifact: &Digest, tier: Tier) -> u64 {
        self.inner.under_way.stop_above(artifact, tier)
    }

    /// Runs `request` for `principal` under a profile that was made for it. Otherwise like [`Conduct::submit`]. Nothing that comes in over HTTP
    /// leads here.
    pub(super) async fn submit_under(
        &self,
        principal: Principal,
        request: RunRequest,
        under: Under,
        cancel: CancelSignal,
    ) -> Result<Bytes, Problem> {
        self.spawn(Asked { principal, request, under, serving: None }, None, cancel).await
    }

    /// Runs `request` for `principal`. The run goes on to its seal also when this future is dropped; `cancel` ends it early.
    pub async fn submit(
        &self,
        principal: Principal,
        request: RunRequest,
        idempotency: Option<Idempotency>,
        cancel: CancelSignal,
    ) -> Result<Answer, Problem> {
        let Some(idempotency) = idempotency else {
            return self.spawn(Asked::plain(principal, request), None, cancel).await.map(first_answer);
        };
        let claim = match self.inner.keys.claim(&principal, &idempotency) {
            Ok(claim) => claim,
            Err(problem) => {
                self.refused(Some(&principal), None, &problem).await;
                return Err(problem);
            }
        };
        match claim {
            Claim::First(first) => self.spawn(Asked::plain(principal, request), Some(first), cancel).await.map(first_answer),
            Claim::Wait(answer) => match await_answer(answer).await {
                Some(answer) => answer.map(|body| Answer { body, replayed: true }),
                None => Err(failed("the first request with this key ended without an answer")),
            },
            Claim::Ran(run) => self.own_report(run).map(|body| Answer { body, replayed: true }),
        }
    }

    /// Runs `request`, which serves an HTTP exchange, and returns its report once it is sealed. Otherwise like [`Conduct::submit`].
    pub async fn serve(&self, principal: Principal, request: RunRequest, serving: Serving, cancel: CancelSignal) -> Result<Bytes, Problem> {
        self.spawn(Asked { serving: Some(serving), ..Asked::plain(principal, request) }, None, cancel).await
    }

    async fn spawn(&self, asked: Asked, first: Option<First>, cancel: CancelSignal) -> Result<Bytes, Problem> {
        let inner = Arc::clone(&self.inner);
        // Counted before the task starts, so that a drain cannot miss it.
        let running = inner.under_way.enter();
        let task = tokio::spawn(async move {
            let answer = inner.conduct(asked, first.as_ref(), running, cancel).await;
            if let Some(first) = first {
                first.answered(&answer);
            }
            answer
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a run's task ended abnormally");
            Err(failed("the run's task ended abnormally"))
        })
    }

    /// Takes note of a refusal: a record and a metric.
    pub async fn refused(&self, principal: Option<&Principal>, artifact: Option<Digest>, problem: &Problem) {
        self.inner.refused(principal, artifact, problem, Batch::new()).await;
    }

    /// Takes no more runs, lets those under way end within `deadline`, then ends them, and returns when the last is sealed.
    pub async fn drain(&self, deadline: Duration) {
        self.inner.parts.admission.close();
        if tokio::time::timeout(deadline, self.inner.under_way.none()).await.is_err() {
            self.inner.under_way.stop();
            self.inner.under_way.none().await;
        }
    }

    /// Forgets idempotency keys older than a day. To be called now and then.
    pub async fn forget_old_keys(&self) {
        let mut from = Vec::new();
        loop {
            let store = self.inner.parts.log.store();
            let swept = match self.inner.keys.sweep(&from) {
                Ok((batch, next)) => store.commit(batch, Durability::Batched).await.map(|()| next),
                Err(error) => Err(error),
            };
            match swept {
                Ok(Some(next)) => from = next,
                Ok(None) => return,
                Err(error) => return tracing::error!(%error, "old idempotency keys could not be forgotten"),
            }
        }
    }
}

impl Inner {
    pub(super) fn build(&self, kind: ZygoteKind) -> Digest {
        self.parts.builds.get(&kind).copied().unwrap_or_else(|| Digest::of(b""))
    }

    /// The turn of whoever has an artifact compiled; none while somebody has it.
    pub(super) fn compile_turn(&self) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        Arc::clone(&self.compile_turn).try_lock_owned().ok()
    }

    /// Counts what must have ended before the cells are stopped.
    pub(super) fn enter(&self) -> Running {
        self.under_way.enter()
    }

    async fn conduct(
        self: &Arc<Self>,
        asked: Asked,
        first: Option<&First>,
        mut running: Running,
        mut cancel: CancelSignal,
    ) -> Result<Bytes, Problem> {
        let (principal, serving) = (asked.principal.clone(), asked.serving);
        let mut ready = match steps::ready(self, asked.principal, asked.request, asked.under, &mut running, &mut cancel).await {
            Ok(ready) => ready,
            Err(Refused { problem, artifact, decided }) => {
                self.refused(Some(&principal), artifact, &problem, decided).await;
                return Err(problem);
            }
        };
        let (intended, cell) = match steps::intend(self, &ready, first).await {
            Ok(both) => both,
            Err(problem) => {
                // There is no record to be had, so what can be counted is.
                self.parts.telemetry.refusal(problem.code);
                return Err(problem);
            }
        };
        let report = steps::execute(self, &mut ready, cell, serving, running.stopped(&mut cancel)).await;
        let sealed = steps::seal(&ready, intended, report).await?;
        ready.over(self);
        serde_json::to_vec(&sealed.report).map(Bytes::from).map_err(|error| failed(&error.to_string()))
    }

    async fn refused(&self, principal: Option<&Principal>, artifact: Option<Digest>, problem: &Problem, with: Batch) {
        self.parts.telemetry.refusal(problem.code);
        problem.denials.iter().for_each(|denial| self.parts.telemetry.denial_told(denial));
        let Some(unrecorded) = self.noted.note(principal, problem.code) else { return };
        let refusal = Refusal { unrecorded, ..Refusal::of(problem, principal, artifact) };
        if let Err(error) = self.parts.log.refuse(refusal, with, Durability::Batched).await {
            tracing::error!(%error, code = problem.code.as_str(), "a refusal could not be recorded");
        }
    }
}

impl Machine for Inner {
    fn hardening(&self, profile: &Profile) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.parts.hardening.get(&ZygoteKind::Runs(profile.tier, profile.jit)).unwrap_or(&NONE)
    }

    fn evidence_build(&self, profile: &Profile) -> Digest {
        // What runs contract cases, and what runs under the profile.
        let of = |tier| self.build(ZygoteKind::Runs(tier, profile.jit));
        let parts = [of(Tier::Untrusted), of(profile.tier)];
        Digest::of_parts(parts.iter().map(|part| part.as_bytes().as_slice()))
    }

    fn now_ms(&self) -> u64 {
        crate::provenance::now_ms()
    }
}

fn first_answer(body: Bytes) -> Answer {
    Answer { body, replayed: false }
}

/// The host's fault, in the caller's words.
pub(super) fn failed(detail: &str) -> Problem {
    Problem::new(ProblemCode::InternalError, detail, "try again; if it persists, ask the operator to look at the server's log")
}
