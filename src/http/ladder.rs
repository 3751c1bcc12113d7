//! What is known of an artifact, and its way up and down the ladder.

use super::body::require_json;
use super::door::Shared;
use super::parse;
use super::public::reader;
use super::reply::json;
use super::routes::Routes;
use crate::model::{Digest, Problem, ProblemCode};
use crate::run::LadderOrder;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use std::sync::Arc;

const ARTIFACT: &str = "/v1/artifacts/{id}";
const VALIDATE: &str = "/v1/artifacts/{id}/validate";
const PROMOTE: &str = "/v1/artifacts/{id}/promote";
const DEMOTE: &str = "/v1/artifacts/{id}/demote";
const REVIEWS: &str = "/v1/artifacts/{id}/reviews";

/// Longest body, in bytes: a reason or a comment, with room.
const BODY_BYTES_MAX: usize = 32 << 10;

/// Adds these paths.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .at(ARTIFACT, get(artifact))
        .at(VALIDATE, post(validate))
        .at(PROMOTE, post(promote))
        .at(DEMOTE, post(demote))
        .at(REVIEWS, post(review))
}

async fn artifact(State(shared): State<Arc<Shared>>, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        let by = reader(&shared, &headers, &mut asker)?;
        let sources = sources(uri.query())?;
        let told = shared.service.artifact(&by, named(&id)?, sources, shared.listener).await?;
        Ok(json(StatusCode::OK, &told))
    };
    let outcome = outcome.await;
    shared.settle(ARTIFACT, asker.as_ref(), outcome)
}

/// Whether the query asks for sources; it has no other field.
fn sources(query: Option<&str>) -> Result<bool, Problem> {
    match query.unwrap_or_default() {
        "" => Ok(false),
        "include=sources" => Ok(true),
        _ => Err(Problem::new(ProblemCode::InvalidRequest, "the query asks for something else", "use ?include=sources, or nothing")),
    }
}

fn named(id: &str) -> Result<Digest, Problem> {
    id.parse().map_err(|error: crate::model::DigestError| {
        Problem::new(
            ProblemCode::InvalidRequest,
            error.to_string(),
            "use the `artifact` of an answer; an alias tells its own with GET /v1/aliases/{alias}",
        )
    })
}

async fn validate(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request<Body>) -> Response {
    ask(&shared, VALIDATE, &id, request, parse::validate).await
}

async fn promote(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request<Body>) -> Response {
    ask(&shared, PROMOTE, &id, request, parse::promote).await
}

async fn demote(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request<Body>) -> Response {
    ask(&shared, DEMOTE, &id, request, parse::demote).await
}

async fn review(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request<Body>) -> Response {
    ask(&shared, REVIEWS, &id, request, parse::review).await
}

async fn ask(
    shared: &Shared,
    route: &'static str,
    id: &str,
    request: Request<Body>,
    read: fn(&[u8]) -> Result<LadderOrder, Problem>,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut asker = None;
    let outcome = async {
        let by = reader(shared, &parts.headers, &mut asker)?;
        let id = named(id)?;
        require_json(&parts.headers)?;
        let order = read(&shared.body_caps(BODY_BYTES_MAX).read(body).await?.bytes)?;
        Ok(json(StatusCode::OK, &shared.service.ladder(by, id, order, shared.listener).await?))
    };
    let outcome = outcome.await;
    shared.settle(route, asker.as_ref(), outcome)
}
