//! What profiles grant, for whoever writes code for them.

use super::door::Shared;
use super::public::reader;
use super::reply::{bytes, json, json_text};
use super::routes::Routes;
use crate::model::{Problem, ProblemCode};
use crate::policy::capabilities::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode, Uri};
use std::sync::Arc;

const CAPABILITIES: &str = "/v1/capabilities";
const CAPABILITIES_OF: &str = "/v1/capabilities/{profile}";

/// TypeScript has no media type of its own, and a browser shows this one as what it is.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.at(CAPABILITIES, get(list)).at(CAPABILITIES_OF, get(one))
}

async fn list(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = reader(&shared, &headers, &mut asker).and_then(|principal| {
        no_field(&uri)?;
        Ok(json(StatusCode::OK, &shared.service.capabilities(&principal)))
    });
    shared.settle(CAPABILITIES, asker.as_ref(), outcome)
}

async fn one(State(shared): State<Arc<Shared>>, Path(profile): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let mut asker = None;
    let outcome = reader(&shared, &headers, &mut asker).and_then(|principal| {
        let form = form_of(&uri)?;
        let text = shared.service.capabilities_of(&principal, &profile, form)?;
        Ok(match form {
            Form::Json => json_text(text),
            Form::Declarations | Form::Text => bytes(StatusCode::OK, TEXT, text),
        })
    });
    shared.settle(CAPABILITIES_OF, asker.as_ref(), outcome)
}

/// The list takes no fields.
fn no_field(uri: &Uri) -> Result<(), Problem> {
    match fields(uri)?.first() {
        None => Ok(()),
        Some((name, _)) => Err(refuse(format!("the list of profiles has no parameter `{}`", brief(name)))),
    }
}

/// The form that the query asks for; JSON when it asks for none. Caused by the caller: other or repeated fields, other formats.
fn form_of(uri: &Uri) -> Result<Form, Problem> {
    match fields(uri)?.as_slice() {
        [] => Ok(Form::default()),
        [(name, value)] if name == "format" => Form::ALL
            .into_iter()
            .find(|form| form.as_str() == value)
            .ok_or_else(|| refuse(format!("`format`: there is no format `{}`", brief(value)))),
        fields => Err(match fields.iter().find(|(name, _)| name != "format") {
            Some((name, _)) => refuse(format!("there is no parameter `{}`", brief(name))),
            None => refuse("`format` is there more than once".to_owned()),
        }),
    }
}

fn fields(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    Query::try_from_uri(uri).map(|Query(fields)| fields).map_err(|_| refuse("the query is not made of name=value pairs".to_owned()))
}

fn refuse(detail: String) -> Problem {
    let formats = Form::ALL.map(Form::as_str).join(", ");
    let mend = format!("use {CAPABILITIES} alone, or {CAPABILITIES_OF} with at most one `format`, which is one of: {formats}");
    Problem::new(ProblemCode::InvalidRequest, detail, mend)
}

fn brief(text: &str) -> String {
    text.chars().take(80).collect()
}
