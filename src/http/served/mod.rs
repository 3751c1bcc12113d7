//! `/w/{artifact}/…`: an HTTP request of anybody with a key becomes a run of a Worker-style module, and its Response the answer. Both bodies stream.

mod answer;
mod ask;
mod body;

use super::door::Shared;
use super::link::Link;
use super::public::{Refusal, runner, settle_run};
use super::reply;
use super::trace::Trace;
use crate::model::exchange::ServedHead;
use crate::model::{Principal, Problem, ProblemCode};
use crate::run::{CancelGuard, ServedAnswer, Serving, cancellation};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use body::{ServedBody, pump};
use hyper::http::request::Parts;
use hyper::{Method, Request};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// What log and metrics call every request for an artifact.
pub(super) const SERVED: &str = "/w/{artifact}";

/// All that is served: the artifact itself, with a slash, and what is below it.
pub(super) const PATHS: &[&str] = &[SERVED, "/w/{artifact}/", "/w/{artifact}/{*path}"];

/// Marks an answer whose request may still be read while it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams;

/// Every method that a handler may be asked with.
pub(super) fn methods() -> MethodRouter<Arc<Shared>> {
    let all = [MethodFilter::HEAD, MethodFilter::POST, MethodFilter::PUT, MethodFilter::DELETE, MethodFilter::OPTIONS, MethodFilter::PATCH];
    on(all.into_iter().fold(MethodFilter::GET, MethodFilter::or), serve)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let trace = Trace::of(&parts.headers);
    let mut principal = None;
    let outcome = exchange(&shared, &parts, body, trace.as_ref(), &mut principal).await;
    settle_run(&shared, SERVED, principal.as_ref(), trace.as_ref(), outcome)
}

async fn exchange(
    shared: &Shared,
    parts: &Parts,
    body: Body,
    trace: Option<&Trace>,
    asker: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let principal = runner(shared, &parts.headers, asker)?;
    let request = ask::request(parts, &body, &principal, trace)?;
    let link = parts.extensions.get::<Arc<Link>>().cloned();
    let (guard, signal) = cancellation();
    let (answer, answered) = oneshot::channel();
    let pieces = (!hyper::body::Body::is_end_stream(&body)).then(|| {
        let (into, pieces) = mpsc::channel(1);
        tokio::spawn(pump(body, into));
        pieces
    });
    let flight = link.as_ref().map(|link| link.take_off(parts.version));
    let mut run = shared.service.serve(principal, request, Serving { body: pieces, answer }, signal);
    // The run ends by itself: this future only tells how.
    let answer = tokio::select! {
        biased;
        Ok(answer) = answered => Ok(answer),
        ended = &mut run => Err(ended),
    };
    drop(flight);
    match answer {
        Ok(answer) => Ok(passed_on(answer, guard, link, parts)?),
        Err(ended) => {
            guard.disarm();
            Err(Refusal::Below(ended.map_or_else(|problem| problem, |report| answer::failure(&report))))
        }
    }
}

/// The Response of the guest as the client gets it. An answer that cannot be written ends its run.
fn passed_on(answer: ServedAnswer, guard: CancelGuard, link: Option<Arc<Link>>, asked: &Parts) -> Result<Response, Refusal> {
    let ServedAnswer { run, head, body } = answer;
    let ServedHead { status, headers, body: _ } = head;
    let mut reply = answer::head(status, &headers).ok_or_else(|| Refusal::Below(unsendable(run)))?;
    reply::set(&mut reply, answer::RUN, &run.to_string());
    match body {
        None => {
            guard.disarm();
            if asked.method == Method::HEAD {
                *reply.body_mut() = Body::new(ServedBody::left_out());
            }
        }
        Some(pieces) => *reply.body_mut() = Body::new(ServedBody::new(pieces, guard, link.map(|link| link.stream_body(asked.version)))),
    }
    reply.extensions_mut().insert(Streams);
    Ok(reply)
}

fn unsendable(run: crate::model::RunId) -> Problem {
    let problem = Problem::new(
        ProblemCode::HandlerFailed,
        "the handler's answer has a header that HTTP cannot carry",
        "report it: the run's cell broke its protocol",
    );
    Problem { run: Some(run), ..problem }
}
