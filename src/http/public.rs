//! The public listener: runs.

use super::body::require_json;
use super::door::Shared;
use super::filter::filter_of;
use super::gate::only;
use super::link::Link;
use super::parse::run_request;
use super::reply::{self, json, json_text};
use super::routes::Routes;
use super::trace::{TRACEPARENT, Trace};
use super::{capabilities, ladder, served, shelf};
use crate::model::{Digest, Principal, Problem, ProblemCode, RunId};
use crate::run::{Idempotency, cancellation};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use hyper::header::HeaderName;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode, Uri};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) const RUNS: &str = "/v1/runs";
const RUN: &str = "/v1/runs/{run}";

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let routes = Routes::default().at(RUNS, post(submit).get(list)).at(RUN, get(report));
    let served = |routes: Routes, path| routes.at_as(path, served::SERVED, served::methods());
    let routes = capabilities::routes(ladder::routes(shelf::routes(routes)));
    served::PATHS.iter().copied().fold(routes, served).finish(shared)
}

/// Where a refusal came from: what the door refuses, the door passes on to be recorded.
pub(super) enum Refusal {
    /// From the door.
    Door(Problem),
    /// From below, recorded there.
    Below(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Door(problem)
    }
}

pub(super) async fn submit(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let trace = Trace::of(&parts.headers);
    let mut principal = None;
    let outcome = run(&shared, &parts, body, trace.as_ref(), &mut principal).await;
    settle_run(&shared, RUNS, principal.as_ref(), trace.as_ref(), outcome)
}

/// The answer to whoever asked for a run. What the door refused is passed on to be recorded; the trace goes back with every answer.
pub(super) fn settle_run(
    shared: &Shared,
    route: &'static str,
    principal: Option<&Principal>,
    trace: Option<&Trace>,
    outcome: Result<Response, Refusal>,
) -> Response {
    let mut reply = outcome.unwrap_or_else(|refusal| match refusal {
        Refusal::Door(problem) => {
            shared.service.refused(principal, route, &problem);
            reply::problem(&problem)
        }
        Refusal::Below(problem) => reply::problem(&problem),
    });
    if let Some(trace) = trace {
        reply::set(&mut reply, TRACEPARENT, &trace.answered);
    }
    reply
}

/// INVARIANT (order at the door): who asks and how often come before a byte of the body is read.
async fn run(
    shared: &Shared,
    parts: &Parts,
    body: Body,
    trace: Option<&Trace>,
    asker: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let principal = runner(shared, &parts.headers, asker)?;
    let key = idempotency_key(&parts.headers)?;
    require_json(&parts.headers)?;
    let whole = shared.body_caps(shared.settings.body_bytes_max).read(body).await?;
    let mut request = run_request(&whole.bytes, shared.settings.input_depth_max)?;
    request.door = shared.listener;
    request.traceparent = trace.map(|trace| trace.recorded.clone());
    let idempotency = key.map(|key| Idempotency { key, body: Digest::of(&whole.bytes) });
    drop(whole);

    let (guard, signal) = cancellation();
    // A run that may be asked for again goes on without its client.
    let guard = if idempotency.is_some() {
        guard.disarm();
        None
    } else {
        Some(guard)
    };
    let flight = parts.extensions.get::<Arc<Link>>().map(|link| link.take_off(parts.version));
    let outcome = shared.service.submit(principal, request, idempotency, signal).await;
    drop(flight);
    if let Some(guard) = guard {
        guard.disarm();
    }
    let answer = outcome.map_err(Refusal::Below)?;
    let mut reply = json_text(answer.body);
    if answer.replayed {
        reply::set(&mut reply, IDEMPOTENT_REPLAYED, "true");
    }
    Ok(reply)
}

/// Who asks for a run, inside the rate, while runs are taken.
pub(super) fn runner(shared: &Shared, headers: &HeaderMap, asker: &mut Option<Principal>) -> Result<Principal, Problem> {
    if shared.draining.load(Ordering::Acquire) {
        return Err(draining());
    }
    let principal = shared.who(headers)?;
    *asker = Some(principal.clone());
    shared.service.admit_rate(&principal)?;
    Ok(principal)
}

fn draining() -> Problem {
    let remediation = "send it again in a few seconds, when the server is back, or to another one";
    Problem { retry_after: Some(5), ..Problem::new(ProblemCode::Draining, "the server is stopping and takes no new runs", remediation) }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = only(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    let bytes = value.as_bytes();
    if (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic) {
        return Ok(Some(String::from_utf8_lossy(bytes).into_owned()));
    }
    let remediation = format!("use 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters, such as a UUID");
    Err(Problem::new(
        ProblemCode::InvalidRequest,
        "the Idempotency-Key header is empty, too long or has other characters than visible ASCII",
        remediation,
    ))
}

async fn report(State(shared): State<Arc<Shared>>, Path(run): Path<String>, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        let principal = reader(&shared, &headers, &mut asker)?;
        let run: RunId = run.parse().map_err(|_| {
            let detail = format!("`{}` is not a run's id", run.chars().take(80).collect::<String>());
            Problem::new(ProblemCode::InvalidRequest, detail, "use the `run` of an answer: a UUID")
        })?;
        shared.service.report(&principal, run, shared.listener).await.map(json_text)
    };
    let outcome = outcome.await;
    shared.settle(RUN, asker.as_ref(), outcome)
}

async fn list(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        let principal = reader(&shared, &headers, &mut asker)?;
        let page = shared.service.list(&principal, filter_of(&uri)?, shared.listener).await?;
        Ok(json(StatusCode::OK, &page))
    };
    let outcome = outcome.await;
    shared.settle(RUNS, asker.as_ref(), outcome)
}

/// Who reads, inside the rate.
pub(super) fn reader(shared: &Shared, headers: &HeaderMap, asker: &mut Option<Principal>) -> Result<Principal, Problem> {
    let principal = shared.who(headers)?;
    *asker = Some(principal.clone());
    shared.service.admit_rate(&principal)?;
    Ok(principal)
}
