//! What the routers of both listeners have in common.

use super::body::BodyCaps;
use super::door::Shared;
use super::gate::only;
use super::link::Link;
use super::reply;
use crate::model::{Door, Principal, Problem, ProblemCode};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::MethodRouter;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Request};
use std::sync::Arc;
use tower::util::MapRequestLayer;

/// A router whose every route answers under its own name in log and metrics.
#[derive(Default)]
pub(super) struct Routes(Router<Arc<Shared>>);

impl Routes {
    /// Adds `path`.
    pub(super) fn at(self, path: &'static str, methods: MethodRouter<Arc<Shared>>) -> Self {
        self.at_as(path, path, methods)
    }

    /// Adds `path`, which log and metrics call `name`.
    pub(super) fn at_as(self, path: &'static str, name: &'static str, methods: MethodRouter<Arc<Shared>>) -> Self {
        let named = MapRequestLayer::new(move |request: Request<Body>| {
            if let Some(link) = request.extensions().get::<Arc<Link>>() {
                link.routed(name);
            }
            request
        });
        // The fallback goes in before the layer, so that a wrong method counts for the route it missed.
        Self(self.0.route(path, methods.fallback(no_method).layer(named)))
    }

    /// The whole, with an answer for everything that is not in it.
    pub(super) fn finish(self, shared: Arc<Shared>) -> Router {
        self.0.fallback(no_route).with_state(shared)
    }
}

async fn no_route() -> Response {
    let remediation = "see the API's list of paths; the operator's paths are on the operator listener only";
    reply::problem(&Problem::new(ProblemCode::NotFound, "there is no such path on this listener", remediation))
}

async fn no_method() -> Response {
    reply::problem(&Problem::new(
        ProblemCode::MethodNotAllowed,
        "this path does not have that method",
        "use a method that the `Allow` header names",
    ))
}

impl Shared {
    /// Who asks on this listener.
    pub(super) fn who(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let header = Self::authorization(headers)?;
        match self.listener {
            Door::Public => self.service.authenticate(header),
            Door::Operator => self.service.authenticate_operator(header),
        }
    }

    /// The one `Authorization` header. Caused by the caller: several, or one that is no text.
    pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
        only(headers, &AUTHORIZATION)?
            .map(|value| {
                value.to_str().map_err(|_| {
                    Problem::new(ProblemCode::Unauthenticated, "the Authorization header is not text", "send `Authorization: Bearer <key>`")
                })
            })
            .transpose()
    }

    /// The answer; what refuses somebody is passed on to be noted.
    pub(super) fn settle(&self, route: &'static str, principal: Option<&Principal>, outcome: Result<Response, Problem>) -> Response {
        outcome.unwrap_or_else(|problem| {
            if matches!(problem.status, 401 | 403 | 429) {
                self.service.refused(principal, route, &problem);
            }
            reply::problem(&problem)
        })
    }

    /// The caps of a body of at most `bytes_max` bytes on this listener.
    pub(super) fn body_caps(&self, bytes_max: usize) -> BodyCaps {
        BodyCaps { bytes_max, time: self.settings.body_time, budget: Arc::clone(&self.bodies) }
    }
}
