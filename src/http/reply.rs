//! Answers: JSON, problems and plain text, with the headers that all of them carry.

use crate::model::{Problem, ProblemCode};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What is sent when an answer cannot be put into JSON, which would be a fault of ours.
const UNSPEAKABLE: &[u8] = br#"{"type":"urn:cordon:problem:internalError","title":"Cordon failed","status":500,"detail":"the answer cannot be put into JSON","code":"internalError","remediation":"report it"}"#;

/// An answer of `status` with `body` of the type `content_type`.
pub(super) fn bytes(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response {
    let mut reply = Response::new(Body::from(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// JSON text that is JSON already.
pub(super) fn json_text(body: impl Into<Bytes>) -> Response {
    bytes(StatusCode::OK, JSON, body)
}

/// `value` as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => bytes(status, JSON, text),
        Err(_unspeakable) => bytes(StatusCode::INTERNAL_SERVER_ERROR, PROBLEM, UNSPEAKABLE),
    }
}

/// A refusal, with the headers that its kind asks for.
pub(super) fn problem(problem: &Problem) -> Response {
    let Ok(text) = serde_json::to_vec(problem) else {
        return bytes(StatusCode::INTERNAL_SERVER_ERROR, PROBLEM, UNSPEAKABLE);
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = bytes(status, PROBLEM, text);
    if let Some(seconds) = problem.retry_after {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == ProblemCode::Unauthenticated {
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

/// Sets a header whose value is made of visible ASCII; anything else is left out.
pub(super) fn set(reply: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}
