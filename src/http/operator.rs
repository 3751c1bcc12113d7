//! The operator listener: health, metrics, keys, the log.

use super::body::require_json;
use super::door::Shared;
use super::parse::new_key;
use super::reply::{self, json};
use super::routes::Routes;
use crate::model::{Principal, Problem, ProblemCode, Role};
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

/// Longest body on this listener, in bytes: a key's name and role.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest id of a key, in bytes.
const KEY_ID_BYTES_MAX: usize = 64;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Routes::default()
        .at("/healthz", get(healthz))
        .at("/readyz", get(readyz))
        .at("/metrics", get(metrics))
        .at(DOCTOR, get(doctor))
        .at(KEYS, post(create_key).get(list_keys))
        .at(KEY, delete(revoke_key))
        .at(KEY_ROTATE, post(rotate_key))
        .at(LOG_VERIFY, get(verify_log))
        .finish(shared)
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

/// A right that a route of this listener asks for.
#[derive(Clone, Copy)]
struct Right {
    has: fn(Role) -> bool,
    held_by: &'static str,
}

const MANAGES: Right = Right { has: Role::manages_keys, held_by: "operator" };
const READS: Right = Right { has: Role::reads_all, held_by: "operator or auditor" };

/// Lets whoever has `right` do what `act` does.
async fn guarded<F>(shared: &Shared, route: &'static str, headers: &HeaderMap, right: Right, status: StatusCode, act: F) -> Response
where
    F: AsyncFnOnce(&Principal) -> Result<Value, Problem>,
{
    let principal = match Shared::authorization(headers).and_then(|header| shared.service.authenticate_operator(header)) {
        Ok(principal) => principal,
        Err(problem) => return shared.settle(route, None, Err(problem)),
    };
    let outcome = match may(&principal, right).and_then(|()| shared.service.admit_rate(&principal)) {
        Ok(()) => act(&principal).await.map(|value| json(status, &value)),
        Err(problem) => Err(problem),
    };
    shared.settle(route, Some(&principal), outcome)
}

fn may(principal: &Principal, right: Right) -> Result<(), Problem> {
    if (right.has)(principal.role) {
        return Ok(());
    }
    let detail = format!("a key with the role `{}` may not do this", principal.role);
    Err(Problem::new(ProblemCode::PolicyDenied, detail, format!("use a key with the role {}", right.held_by)))
}

async fn doctor(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, DOCTOR, &headers, READS, StatusCode::OK, async |_| Ok(shared.service.doctor())).await
}

async fn verify_log(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, LOG_VERIFY, &headers, READS, StatusCode::OK, async |by| shared.service.verify_log(by).await).await
}

async fn list_keys(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    guarded(&shared, KEYS, &headers, READS, StatusCode::OK, async |by| shared.service.list_keys(by).await).await
}

async fn create_key(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let create = async |by: &Principal| {
        require_json(&parts.headers)?;
        let whole = shared.body_caps(BODY_BYTES_MAX).read(body).await?;
        let key = new_key(&whole.bytes)?;
        shared.service.create_key(by, key.name, key.role).await
    };
    guarded(&shared, KEYS, &parts.headers, MANAGES, StatusCode::CREATED, create).await
}

async fn rotate_key(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let rotate = async |by: &Principal| shared.service.rotate_key(by, key_id(id)?).await;
    guarded(&shared, KEY_ROTATE, &headers, MANAGES, StatusCode::OK, rotate).await
}

async fn revoke_key(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let revoke = async |by: &Principal| shared.service.revoke_key(by, key_id(id)?).await;
    guarded(&shared, KEY, &headers, MANAGES, StatusCode::OK, revoke).await
}

fn key_id(text: String) -> Result<String, Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=KEY_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text);
    }
    Err(Problem::new(ProblemCode::InvalidRequest, "the path does not name a key", "use a key's `id` from GET /v1/keys"))
}
