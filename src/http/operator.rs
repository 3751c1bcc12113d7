//! The operator listener: health, metrics, keys, the logs.

use super::body::require_json;
use super::door::Shared;
use super::parse::{new_key, only_artifact};
use super::public::{RUNS, submit};
use super::reply::{self, json};
use super::routes::Routes;
use super::{decisions, ladder};
use crate::model::{Action, Principal, Problem, ProblemCode};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const KEYS: &str = "/v1/keys";
const KEY: &str = "/v1/keys/{id}";
const KEY_ROTATE: &str = "/v1/keys/{id}/rotate";
const DOCTOR: &str = "/v1/doctor";
const LOG_VERIFY: &str = "/v1/log/verify";
const POLICIES_RELOAD: &str = "/v1/policies/reload";
const REVALIDATE: &str = "/v1/revalidate";

/// Longest body on this listener, in bytes: a key's name and role.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest id of a key, in bytes.
const KEY_ID_BYTES_MAX: usize = 64;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let routes = Routes::default()
        .at("/healthz", get(healthz))
        .at("/readyz", get(readyz))
        .at("/metrics", get(metrics))
        .at(DOCTOR, get(doctor))
        .at(KEYS, post(create_key).get(list_keys))
        .at(KEY, delete(revoke_key))
        .at(KEY_ROTATE, post(rotate_key))
        .at(LOG_VERIFY, get(verify_log))
        .at(POLICIES_RELOAD, post(reload_policies))
        .at(REVALIDATE, post(revalidate))
        // Here an operator may let code run under a profile that it has not earned; the public listener has no such leave.
        .at(RUNS, post(submit));
    decisions::routes(ladder::routes(routes)).finish(shared)
}

fn plain(status: StatusCode, text: impl Into<bytes::Bytes>) -> Response {
    reply::bytes(status, HeaderValue::from_static("text/plain; charset=utf-8"), text)
}

async fn healthz() -> Response {
    plain(StatusCode::OK, "ok\n")
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let ready = if shared.draining.load(Ordering::Acquire) { Err("draining".to_owned()) } else { shared.service.ready() };
    match ready {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    reply::bytes(StatusCode::OK, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"), shared.service.metrics())
}

/// Lets whoever may do `action` do what `act` does.
pub(super) async fn guarded<F>(
    shared: &Shared,
    route: &'static str,
    headers: &HeaderMap,
    action: Action,
    status: StatusCode,
    act: F,
) -> Response
where
    F: AsyncFnOnce(&Principal) -> Result<Value, Problem>,
{
    let principal = match shared.who(headers) {
        Ok(principal) => principal,
        Err(problem) => return shared.settle(route, None, Err(problem)),
    };
    let outcome = async {
        shared.service.admit_rate(&principal)?;
        shared.service.permit(&principal, action, shared.listener).await?;
        act(&principal).await.map(|value| json(status, &value))
    };
    let outcome = outcome.await;
    shared.settle(route, Some(&principal), outcome)
}

async fn doctor(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, DOCTOR, &headers, Action::ReadLog, StatusCode::OK, async |_| Ok(shared.service.doctor())).await
}

async fn verify_log(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, LOG_VERIFY, &headers, Action::ReadLog, StatusCode::OK, async |by| shared.service.verify_log(by).await).await
}

async fn reload_policies(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let reload = async |by: &Principal| shared.service.reload_policies(by).await;
    guarded(&shared, POLICIES_RELOAD, &headers, Action::ReloadPolicy, StatusCode::OK, reload).await
}

/// Nobody gains a tier by it: the server does the same by itself whenever policies change, so it is for whoever may change them. (`promote` and
/// `validate` are asked about one artifact each, never about the server.)
async fn revalidate(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let again = async |by: &Principal| {
        let only = only_artifact(&shared.body_caps(BODY_BYTES_MAX).read(body).await?.bytes)?;
        shared.service.revalidate(by, only).await
    };
    // It does for everything what new policies do by themselves, and raises nothing; `promote` is about one artifact, never about the server.
    guarded(&shared, REVALIDATE, &parts.headers, Action::ReloadPolicy, StatusCode::OK, again).await
}

async fn list_keys(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, KEYS, &headers, Action::ReadLog, StatusCode::OK, async |by| shared.service.list_keys(by).await).await
}

async fn create_key(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let create = async |by: &Principal| {
        require_json(&parts.headers)?;
        let whole = shared.body_caps(BODY_BYTES_MAX).read(body).await?;
        let key = new_key(&whole.bytes)?;
        shared.service.create_key(by, key.name, key.role).await
    };
    guarded(&shared, KEYS, &parts.headers, Action::ManageKeys, StatusCode::CREATED, create).await
}

async fn rotate_key(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let rotate = async |by: &Principal| shared.service.rotate_key(by, key_id(id)?).await;
    guarded(&shared, KEY_ROTATE, &headers, Action::ManageKeys, StatusCode::OK, rotate).await
}

async fn revoke_key(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let revoke = async |by: &Principal| shared.service.revoke_key(by, key_id(id)?).await;
    guarded(&shared, KEY, &headers, Action::ManageKeys, StatusCode::OK, revoke).await
}

fn key_id(text: String) -> Result<String, Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=KEY_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text);
    }
    Err(Problem::new(ProblemCode::InvalidRequest, "the path does not name a key", "use a key's `id` from GET /v1/keys"))
}
