//! The steps of one run, in the order that the types allow.

use super::admission::Admitted;
use super::code::RunCode;
use super::conduct::{Inner, Under};
use super::errands::{ASKS_BEYOND, RunErrands, ServedCaps, Serving};
use super::idempotency::First;
use super::observe::observe;
use super::signals::{CancelSignal, Running};
use super::verdict::Verdict;
use super::{decide, outbound, prepare, shelf};
use crate::artifact::{ArtifactsError, Prepared, clean_run_change};
use crate::cell::{Budget, Caps, Cell, CellsError, DATA_SLACK_BYTES, Execution, ZygoteKind};
use crate::egress::secrets::RunSecrets;
use crate::egress::{Carrier, Desk};
use crate::model::frame::{FROM_CELL_SLACK, Order, RunOrder};
use crate::model::{
    Artifact, Digest, Durability, Grant, Identity, Limits, Outcome, Principal, Problem, ProblemCode, Right, RunId, RunReport, RunRequest,
    RunSource, Tier, Usage,
};
use crate::policy::Granted;
use crate::provenance::{Intended, Intent, Sealed};
use crate::store::Batch;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Denials that a run's answer carries at most; the cell stops telling at this number.
pub(super) const DENIALS_MAX: usize = 100;

/// A run that policy granted and the machine has room for, with its source prepared.
pub(super) struct Ready {
    run: RunId,
    principal: Principal,
    request: RunRequest,
    artifact: Artifact,
    artifact_id: Digest,
    granted: Granted,
    /// The change that keeps the decision.
    decided: Batch,
    prepared: Prepared,
    code: Option<RunCode>,
    cache_rejected: bool,
    identity: Identity,
    secrets: Arc<RunSecrets>,
    asked_at: Instant,
    _admitted: Admitted,
}

/// A refusal with what is known for its record.
pub(super) struct Refused {
    pub(super) problem: Problem,
    pub(super) artifact: Option<Digest>,
    /// The change that keeps the decision that refused it; empty where no policy decided.
    pub(super) decided: Batch,
}

impl Refused {
    fn new(problem: Problem, artifact: Option<Digest>) -> Self {
        Self { problem, artifact, decided: Batch::new() }
    }
}

/// Admit and grant: the source is found, policy asked, room waited for, the source prepared.
pub(super) async fn ready(
    inner: &Inner,
    principal: Principal,
    request: RunRequest,
    under: Under,
    running: &mut Running,
    cancel: &mut CancelSignal,
) -> Result<Ready, Refused> {
    let asked_at = Instant::now();
    let artifact = artifact_of(inner, &request.source).map_err(|problem| Refused::new(problem, None))?;
    let artifact_id = artifact.id();
    running.is_of(artifact_id);
    let refuse = |problem| Refused::new(problem, Some(artifact_id));
    let (granted, decided) = decide::decide(inner, &principal, &request, (&artifact, artifact_id), under).map_err(|refused| *refused)?;
    running.is_at(granted.grant().tier);
    let waiting_since = Instant::now();
    let admitted = tokio::select! {
        admitted = inner.parts.admission.admit(memory_mb(&granted.grant().limits)) => admitted,
        outcome = running.stopped(cancel) => Err(ended(outcome)),
    };
    let admitted = admitted.map_err(refuse)?;
    inner.parts.telemetry.admitted(waiting_since.elapsed());
    let stop = running.stopped(cancel);
    let prepared = prepare::prepare(&inner.parts.cells, &inner.parts.artifacts, artifact_id, &artifact, stop).await.map_err(refuse)?;
    let identity = Identity::of(artifact_id, &granted.grant().recorded(), inner.build(kind_of(granted.grant())));
    let secrets = outbound::secrets(inner, granted.grant()).map_err(refuse)?;
    let code = RunCode::of(inner, artifact_id, &prepared, granted.grant());
    let run = RunId::now();
    Ok(Ready {
        run,
        principal,
        request,
        artifact,
        artifact_id,
        granted,
        decided,
        prepared,
        code,
        cache_rejected: false,
        identity,
        secrets,
        asked_at,
        _admitted: admitted,
    })
}

fn artifact_of(inner: &Inner, source: &RunSource) -> Result<Artifact, Problem> {
    match source {
        RunSource::Inline(artifact) => Ok(artifact.clone()),
        RunSource::Stored(id) => stored(inner, id),
        RunSource::Alias(alias) => {
            let row = inner.parts.artifacts.alias(alias).map_err(|error| storage(&error))?;
            let id = row.and_then(|row| row.what.artifact).ok_or_else(|| shelf::unknown(alias))?;
            stored(inner, &id)
        }
    }
}

fn stored(inner: &Inner, id: &Digest) -> Result<Artifact, Problem> {
    match inner.parts.artifacts.get(id) {
        Ok(Some(artifact)) => Ok(artifact),
        Ok(None) => {
            Err(Problem::new(ProblemCode::NotFound, format!("there is no artifact {id}"), "send the sources with `code` or `modules`"))
        }
        Err(error) => Err(storage(&error)),
    }
}

/// What a run counts for in admission: all that its cell may map.
fn memory_mb(limits: &Limits) -> u64 {
    limits.memory_mb + (DATA_SLACK_BYTES >> 20)
}

/// Record the intent while a cell is taken; then both are there, or neither is used.
pub(super) async fn intend(inner: &Inner, ready: &Ready, first: Option<&First>) -> Result<(Intended, Result<Cell, CellsError>), Problem> {
    let store = inner.parts.artifacts.store(&ready.artifact_id, &ready.artifact).map_err(|error| storage(&error))?;
    let author = match ready.request.source {
        // Whoever sends sources is one of their authors, for good.
        RunSource::Inline(_) => {
            inner.parts.artifacts.author_change(&ready.artifact_id, &ready.principal).map_err(|error| storage(&error))?
        }
        RunSource::Stored(_) | RunSource::Alias(_) => Batch::new(),
    };
    let with = first.map_or_else(Batch::new, |first| first.remember(ready.run)).then(store).then(author).then(ready.decided.clone());
    let intent = Intent {
        run: ready.run,
        principal: ready.principal.clone(),
        artifact: ready.artifact_id,
        grant: ready.grant().recorded(),
        identity: ready.identity,
        right: Some(ready.granted.right().clone()),
        entrypoint: ready.request.entrypoint.clone(),
        input_digest: Digest::of(ready.request.input.get().as_bytes()),
        origin: ready.request.origin.clone(),
        decision_id: Some(ready.granted.decision().decision_id.to_string()),
        traceparent: ready.request.traceparent.clone(),
    };
    let take = tokio::time::timeout(CELL_WAIT_MAX, inner.parts.cells.take(kind_of(ready.grant())));
    // INVARIANT (intent before code): the cell gets its order only after the intent is stored.
    let (intended, cell) = tokio::join!(inner.parts.log.intend(intent, with, ready.durability()), take);
    let late = |_| CellsError::NotStarted { kind: "needed", why: format!("no cell was ready within {} s", CELL_WAIT_MAX.as_secs()) };
    let intended = intended.map_err(|error| {
        tracing::error!(run = %ready.run, %error, "a run was refused because its intent could not be recorded");
        unrecorded()
    })?;
    Ok((intended, cell.unwrap_or_else(|error| Err(late(error)))))
}

/// Whose cells a grant runs in.
fn kind_of(grant: &Grant) -> ZygoteKind {
    ZygoteKind::Runs(grant.tier, grant.jit)
}

/// How long an admitted run waits for a cell. An estimate with much room for a zygote that is replaced.
const CELL_WAIT_MAX: Duration = Duration::from_secs(10);

/// Execute. Whatever happens in the cell is an outcome.
pub(super) async fn execute(
    inner: &Inner,
    ready: &mut Ready,
    cell: Result<Cell, CellsError>,
    serving: Option<Serving>,
    stop: impl Future<Output = Outcome>,
) -> RunReport {
    let queue = ready.asked_at.elapsed();
    let limits = ready.granted.grant().limits;
    let waited = cell.as_ref().ok().and_then(Cell::waited);
    let desk = outbound::desk(inner, &ready.principal, ready.grant(), Arc::clone(&ready.secrets) as Arc<dyn Carrier>);
    let mut errands = RunErrands::new(desk.clone(), ready.asks(), DENIALS_MAX);
    if let Some(serving) = serving {
        errands = errands.serving(ready.run, serving, ServedCaps { request: limits.input_bytes, answer: limits.output_bytes });
    }
    let (denials, passed) = (errands.denials(), errands.passed());
    let mut execution = match cell {
        Ok(cell) => cell.execute(&Order::Run(Box::new(ready.order())), (budget(&limits), caps(&limits)), &mut errands, stop).await,
        Err(error) => {
            tracing::error!(run = %ready.run, %error, "a run got no cell");
            Execution::lost()
        }
    };
    drop(errands);
    let beyond = denials.join(&mut execution.denials);
    let mut verdict = Verdict::of(&mut execution, &limits);
    if let Some(passed) = passed {
        verdict.serve(passed.status(), passed.bytes());
    }
    outbound::scrub(&ready.secrets, &mut execution, &mut verdict);
    verdict.denials_truncated = verdict.denials_truncated.saturating_add(beyond);
    if let Some(cause) = &verdict.cause {
        match verdict.outcome {
            Outcome::InternalError => tracing::error!(run = %ready.run, cause, "a run was lost: our fault"),
            outcome => tracing::warn!(run = %ready.run, %outcome, cause, "a run did not end on its own"),
        }
    }
    observe(&inner.parts.telemetry, ready.grant(), &execution, &verdict, waited);
    ready.cache_rejected = execution.cache_rejected;
    ready.report(execution, verdict, queue, &desk)
}

/// Seal: the run's last step.
pub(super) async fn seal(ready: &Ready, intended: Intended, report: RunReport) -> Result<Sealed, Problem> {
    let with = ready.clean_run(&report);
    intended.seal(report, None, with, ready.durability()).await.map_err(|unsealed| {
        tracing::error!(run = %ready.run, error = %unsealed.error, "a run could not be sealed");
        let mut problem = unrecorded();
        problem.run = Some(ready.run);
        problem
    })
}

fn budget(limits: &Limits) -> Budget {
    Budget { cpu: Duration::from_millis(limits.cpu_ms), wall: Duration::from_millis(limits.wall_ms), memory_bytes: limits.memory_bytes() }
}

fn caps(limits: &Limits) -> Caps {
    let longest = limits.output_bytes.max(limits.log_bytes);
    Caps {
        frame_bytes: usize::try_from(longest).unwrap_or(usize::MAX).saturating_add(FROM_CELL_SLACK),
        log_bytes: limits.log_bytes,
        log_lines: limits.log_lines,
        denials: DENIALS_MAX,
    }
}

impl Ready {
    fn grant(&self) -> &Grant {
        self.granted.grant()
    }

    /// The change that counts the run as clean: at tier 1, by evidence that counts, ended `ok`, without a denial.
    fn clean_run(&self, report: &RunReport) -> Batch {
        match self.granted.right() {
            Right::Earned { evidence } if self.grant().tier == Tier::Validated && is_clean(report) => {
                clean_run_change(&self.artifact_id, evidence, self.run)
            }
            Right::Earned { .. } | Right::Grace { .. } | Right::Untrusted | Right::Trial | Right::Contract { .. } => Batch::new(),
        }
    }

    /// The run is sealed: its room is free again, and others may gain by what it was.
    pub(super) fn over(self, inner: &Arc<Inner>) {
        let Self { code, cache_rejected, _admitted: room, .. } = self;
        drop(room);
        if let Some(code) = code {
            code.used(inner, cache_rejected);
        }
    }

    pub(super) fn durability(&self) -> Durability {
        self.granted.profile().durability
    }

    /// How often the cell may ask for a request.
    fn asks(&self) -> u64 {
        self.grant().limits.sub_requests.saturating_add(ASKS_BEYOND)
    }

    fn order(&self) -> RunOrder {
        let limits = self.grant().limits;
        let mut vars: Vec<(String, String)> = self.grant().vars.clone().into_iter().collect();
        let hidden = self.secrets.decoys(&vars.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        vars.extend(self.secrets.env());
        RunOrder {
            run: self.run.to_string(),
            modules: self.prepared.as_ref().clone(),
            caches: self.code.as_ref().map(RunCode::caches).unwrap_or_default(),
            main: self.artifact.main_module().to_string(),
            entrypoint: self.request.entrypoint.clone(),
            input: self.request.input.get().to_owned(),
            vars,
            hidden,
            cpu_ms: limits.cpu_ms,
            wall_ms: limits.wall_ms,
            memory_bytes: limits.memory_bytes(),
            output_bytes: limits.output_bytes,
            log_bytes: limits.log_bytes,
            log_lines: limits.log_lines,
            asks: self.asks(),
            served: self.request.served,
        }
    }

    fn report(&self, execution: Execution, verdict: Verdict, queue: Duration, desk: &Desk) -> RunReport {
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        let grant = self.grant();
        RunReport {
            run: self.run,
            outcome: verdict.outcome,
            result: verdict.result,
            error: verdict.error,
            logs: execution.logs,
            logs_truncated: verdict.logs_truncated,
            denials: execution.denials,
            denials_truncated: verdict.denials_truncated,
            egress: desk.close(),
            egress_truncated: desk.rows_dropped(),
            usage: Usage {
                cpu_ms: ms(execution.cpu),
                wall_ms: ms(execution.wall),
                queue_ms: ms(queue),
                // A claim of the cell; it cannot have started after it ended.
                start_ms: ms(Duration::from_micros(verdict.start_us).min(execution.wall)),
                heap_peak_bytes: verdict.heap_peak_bytes,
                external_peak_bytes: verdict.external_peak_bytes,
                sub_requests: desk.sub_requests(),
            },
            tier: grant.tier,
            profile: grant.profile.clone(),
            artifact: self.artifact_id,
            identity: self.identity,
            provenance: None,
        }
    }
}

fn storage(error: &ArtifactsError) -> Problem {
    Problem::new(
        ProblemCode::InternalError,
        error.to_string(),
        "send the sources again; if it persists, ask the operator to look at the server's log",
    )
}

/// A record that cannot be written denies. Why it cannot be is for the operator's log.
fn unrecorded() -> Problem {
    Problem::new(
        ProblemCode::InternalError,
        "the run could not be recorded",
        "ask the operator to look at the server's log and the data folder's disk",
    )
}

/// No cell: the zygote of this kind is not there.
pub(super) fn no_cell(error: &CellsError) -> Problem {
    let mut problem =
        Problem::new(ProblemCode::Overloaded, error.to_string(), "try again; if it persists, ask the operator to look at the server's log");
    problem.retry_after = Some(1);
    problem
}

fn is_clean(report: &RunReport) -> bool {
    report.outcome == Outcome::Ok && report.denials.is_empty() && report.denials_truncated == 0
}

/// The refusal of a run that was ended while it waited for room.
fn ended(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::KillSwitch => Problem::new(
            ProblemCode::KillSwitch,
            "what the artifact stood on was taken away while it waited for room",
            "look at it with GET /v1/artifacts/{id}",
        ),
        _ => Problem::new(ProblemCode::Overloaded, "the request was canceled while it waited for room", "send it again"),
    }
}
