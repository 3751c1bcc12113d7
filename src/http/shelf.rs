//! Artifacts and aliases on the public listener.

use super::body::require_json;
use super::door::Shared;
use super::parse::{destination, new_artifact};
use super::public::{reader, runner};
use super::reply::json;
use super::routes::Routes;
use crate::model::{Action, AliasName, Principal, Problem, ProblemCode};
use crate::run::Destination;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, put};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode, Uri};
use std::sync::Arc;

const ARTIFACTS: &str = "/v1/artifacts";
const ALIASES: &str = "/v1/aliases";
const ALIAS: &str = "/v1/aliases/{alias}";

/// Longest body that moves an alias, in bytes: two digests.
const MOVE_BYTES_MAX: usize = 4 << 10;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let alias = get(alias).put(move_alias).delete(take_alias_away);
    routes.at(ARTIFACTS, put(shelve)).at(ALIASES, get(aliases)).at(ALIAS, alias)
}

async fn shelve(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let mut asker = None;
    let outcome = async {
        let principal = runner(&shared, &parts.headers, &mut asker)?;
        shared.service.permit(&principal, Action::ShelveArtifact, shared.listener).await?;
        let new = new_artifact(&read(&shared, &parts, body, shared.settings.body_bytes_max).await?)?;
        let shelved = shared.service.shelve(principal, new).await?;
        let status = if shelved.created { StatusCode::CREATED } else { StatusCode::OK };
        Ok(json(status, &shelved))
    };
    let outcome = outcome.await;
    shared.settle(ARTIFACTS, asker.as_ref(), outcome)
}

async fn read(shared: &Shared, parts: &Parts, body: Body, bytes_max: usize) -> Result<bytes::Bytes, Problem> {
    require_json(&parts.headers)?;
    Ok(shared.body_caps(bytes_max).read(body).await?.bytes)
}

async fn aliases(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        reader(&shared, &headers, &mut asker)?;
        let after = after(uri.query())?;
        Ok(json(StatusCode::OK, &shared.service.aliases(after.as_ref())?))
    };
    let outcome = outcome.await;
    shared.settle(ALIASES, asker.as_ref(), outcome)
}

/// The one field of the query.
fn after(query: Option<&str>) -> Result<Option<AliasName>, Problem> {
    match query.unwrap_or_default() {
        "" => Ok(None),
        query => match query.strip_prefix("after=") {
            Some(name) => named(name.to_owned()).map(Some),
            None => {
                Err(Problem::new(ProblemCode::InvalidRequest, "the query has a field that is not `after`", "use ?after=ALIAS, or nothing"))
            }
        },
    }
}

async fn alias(State(shared): State<Arc<Shared>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        reader(&shared, &headers, &mut asker)?;
        Ok(json(StatusCode::OK, &shared.service.alias(&named(name)?)?))
    };
    let outcome = outcome.await;
    shared.settle(ALIAS, asker.as_ref(), outcome)
}

fn named(name: String) -> Result<AliasName, Problem> {
    AliasName::try_from(name).map_err(|error| Problem::new(ProblemCode::InvalidRequest, error.to_string(), "choose a name of that form"))
}

async fn move_alias(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let mut asker = None;
    let outcome = async {
        let principal = mover(&shared, &parts.headers, &mut asker).await?;
        let to = destination(&read(&shared, &parts, body, MOVE_BYTES_MAX).await?)?;
        Ok(json(StatusCode::OK, &shared.service.move_alias(principal, named(name)?, to).await?))
    };
    let outcome = outcome.await;
    shared.settle(ALIAS, asker.as_ref(), outcome)
}

async fn take_alias_away(State(shared): State<Arc<Shared>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = async {
        let principal = mover(&shared, &headers, &mut asker).await?;
        let away = Destination { artifact: None, expected: None };
        Ok(json(StatusCode::OK, &shared.service.move_alias(principal, named(name)?, away).await?))
    };
    let outcome = outcome.await;
    shared.settle(ALIAS, asker.as_ref(), outcome)
}

/// Who may decide what a name serves.
async fn mover(shared: &Shared, headers: &HeaderMap, asker: &mut Option<Principal>) -> Result<Principal, Problem> {
    let principal = runner(shared, headers, asker)?;
    shared.service.permit(&principal, Action::MoveAlias, shared.listener).await?;
    Ok(principal)
}
