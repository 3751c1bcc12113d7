//! The decision log on the operator listener, what it means, and what a replay of policies needs besides: outbound requests of runs.

use super::door::Shared;
use super::filter::stretch_of;
use super::operator::guarded;
use super::routes::Routes;
use crate::model::{Action, DecisionId, Problem, ProblemCode};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use hyper::{HeaderMap, StatusCode, Uri};
use std::sync::Arc;

const DECISIONS: &str = "/v1/decisions";
const DECISION: &str = "/v1/decisions/{id}";
const EXPLAIN: &str = "/v1/explain/{id}";
const EGRESS: &str = "/v1/egress";

/// Adds these paths.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.at(DECISIONS, get(list)).at(DECISION, get(one)).at(EXPLAIN, get(explain)).at(EGRESS, get(egress))
}

async fn list(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let read = async |_: &_| shared.service.decisions(stretch_of(&uri)?).await;
    guarded(&shared, DECISIONS, &headers, Action::ReadDecisions, StatusCode::OK, read).await
}

async fn one(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let read = async |_: &_| shared.service.decision(named(&id)?).await;
    guarded(&shared, DECISION, &headers, Action::ReadDecisions, StatusCode::OK, read).await
}

async fn explain(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let read = async |by: &_| shared.service.explain(by, named(&id)?, shared.listener).await;
    guarded(&shared, EXPLAIN, &headers, Action::ReadDecisions, StatusCode::OK, read).await
}

/// Seals have these rows, so whoever may read the log may read them.
async fn egress(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let read = async |_: &_| shared.service.egress(stretch_of(&uri)?).await;
    guarded(&shared, EGRESS, &headers, Action::ReadLog, StatusCode::OK, read).await
}

/// Runs and decisions have ids of one form.
fn named(id: &str) -> Result<DecisionId, Problem> {
    id.parse().map_err(|error: crate::model::DecisionIdError| {
        let mend = "use the `decisionId` of a refusal, or the `decision_id` of an entry from GET /v1/decisions";
        Problem::new(ProblemCode::InvalidRequest, error.to_string(), mend)
    })
}
