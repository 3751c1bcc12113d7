//! API keys: kept in the store, managed by `cordon key` and by the operator listener.

use super::cli::{KeyCommand, Reach};
use super::failure::Failure;
use super::house;
use super::local::{self, Target};
use crate::model::Durability;
use crate::model::{Principal, Problem, ProblemCode, Role};
use crate::policy::keys::{KeyError, KeyInfo, KeyRing, KeyStore, Token};
use crate::provenance::{KeyEvent, KeyEventKind, Log};
use crate::store::{Batch, Range, Store, Tree, wait};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Most key records read at once; the ring refuses to hold more.
const RECORDS_MAX: usize = 20_000;

/// Keys in the store.
pub(super) struct StoredKeys {
    store: Store,
}

impl StoredKeys {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl KeyStore for StoredKeys {
    fn load_all(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let rows = self.store.range(Tree::Keys, &Range::first(RECORDS_MAX)).map_err(|error| error.to_string())?;
        rows.into_iter()
            .map(|(key, value)| Ok((String::from_utf8(key.to_vec()).map_err(|error| error.to_string())?, value.to_vec())))
            .collect()
    }

    fn put(&self, id: &str, record: &[u8]) -> Result<(), String> {
        let batch = Batch::new().put(Tree::Keys, id.as_bytes(), record);
        self.store.commit_blocking(batch, Durability::Strict).map_err(|error| error.to_string())
    }
}

/// A change of keys.
pub(super) enum Change {
    /// A new key of this name and role.
    Create(String, Role),
    /// A new token for the key of this id.
    Rotate(String),
    /// The key of this id is void.
    Revoke(String),
}

/// Makes a change and records it. Blocks; not on a runtime's own thread.
pub(super) fn change(ring: &KeyRing, log: &Log, by: &str, change: Change) -> Result<Value, Problem> {
    let (event, info, token) = match change {
        Change::Create(name, role) => ring.create(&name, role).map(|(info, token)| (KeyEventKind::Created, info, Some(token))),
        Change::Rotate(id) => ring.rotate(&id).map(|(info, token)| (KeyEventKind::Rotated, info, Some(token))),
        Change::Revoke(id) => ring.revoke(&id).map(|info| (KeyEventKind::Revoked, info, None)),
    }
    .map_err(|error| problem(&error))?;
    record(log, event, &info, by)?;
    Ok(shown(&info, token.as_ref()))
}

fn record(log: &Log, event: KeyEventKind, info: &KeyInfo, by: &str) -> Result<(), Problem> {
    let event =
        KeyEvent { event, key: info.id.as_str().to_owned(), name: info.name.as_str().to_owned(), role: info.role, by: by.to_owned() };
    let recorded = wait(log.key(event, Batch::new()));
    recorded.map(drop).map_err(|error| {
        let detail = format!("the key was changed, but the change could not be recorded: {error}");
        Problem::new(ProblemCode::InternalError, detail, "ask the operator to look at the data folder's disk")
    })
}

fn shown(info: &KeyInfo, token: Option<&Token>) -> Value {
    let mut value = json!(info);
    if let Some(token) = token {
        value["token"] = json!(token.reveal());
    }
    value
}

/// Every key, without its token.
pub(super) fn list(ring: &KeyRing) -> Value {
    json!({ "keys": ring.list() })
}

/// A key's error as the listener tells it.
pub(super) fn problem(error: &KeyError) -> Problem {
    let code = match error {
        KeyError::Name(_) | KeyError::NameTaken(_) | KeyError::Revoked(_) | KeyError::TooMany => ProblemCode::InvalidRequest,
        KeyError::Unknown(_) => ProblemCode::NotFound,
        KeyError::Store(_) | KeyError::Damaged(_) | KeyError::Random(_) => ProblemCode::InternalError,
    };
    let mend = match error {
        KeyError::Name(_) => "choose another name",
        KeyError::NameTaken(_) => "choose another name, or revoke the key that has this one",
        KeyError::Revoked(_) | KeyError::Unknown(_) => "`cordon key list` shows the keys that are live",
        KeyError::TooMany => "revoke keys that are not used any more",
        KeyError::Store(_) | KeyError::Damaged(_) => "look at the data folder's disk, or restore the folder from a backup",
        KeyError::Random(_) => "check the kernel's random device",
    };
    Problem::new(code, error.to_string(), mend)
}

/// `cordon key …`: asks the running server, or opens the folder when none runs.
pub(super) fn command(command: &KeyCommand, json: bool) -> Result<ExitCode, Failure> {
    let answer = match command {
        KeyCommand::New { name, role, reach } => {
            let body = json!({"name": name, "role": role});
            perform(reach, "POST", "/v1/keys", Some(&body), Change::Create(name.clone(), *role))?
        }
        KeyCommand::Rotate { id, reach } => perform(reach, "POST", &format!("/v1/keys/{id}/rotate"), None, Change::Rotate(id.clone()))?,
        KeyCommand::Revoke { id, reach } => perform(reach, "DELETE", &format!("/v1/keys/{id}"), None, Change::Revoke(id.clone()))?,
        KeyCommand::List { reach } => match local::target(reach)? {
            Target::Server(server) => server.ask("GET", "/v1/keys", None)?,
            Target::Folder(folder) => {
                let log = house::open_log(&folder)?;
                list(&house::open_keys(&log)?)
            }
        },
    };
    print(&answer, json)?;
    Ok(ExitCode::SUCCESS)
}

fn perform(reach: &Reach, method: &str, path: &str, body: Option<&Value>, wanted: Change) -> Result<Value, Failure> {
    match local::target(reach)? {
        Target::Server(server) => server.ask(method, path, body),
        Target::Folder(folder) => {
            let log = house::open_log(&folder)?;
            Ok(change(&house::open_keys(&log)?, &log, "cli", wanted)?)
        }
    }
}

/// Who asks on the operator listener, by the name that the record keeps.
pub(super) fn by(principal: &Principal) -> &str {
    &principal.id
}

fn print(answer: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return local::print_line(&answer.to_string());
    }
    let empty = Vec::new();
    let rows = answer["keys"].as_array().unwrap_or(&empty);
    let mut table = comfy_table::Table::new();
    table.set_header(["id", "name", "role", "state"]);
    for row in if rows.is_empty() && answer["id"].is_string() { std::slice::from_ref(answer) } else { rows } {
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let state = if row["revokedAtMs"].is_null() { "live" } else { "revoked" };
        table.add_row([text("id"), text("name"), text("role"), state.to_owned()]);
    }
    local::print_line(&table.to_string())?;
    if let Some(token) = answer["token"].as_str() {
        local::print_line(&format!("token: {token}\nIt is shown this once. Send it as `Authorization: Bearer {token}`."))?;
    }
    Ok(())
}
