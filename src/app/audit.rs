//! `cordon audit …`

use super::cli::Reach;
use super::failure::Failure;
use super::local::{self, Target, print_line};
use crate::provenance::{self, Verdict};
use crate::store::{Options, Store};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Checks the log through the running server, or in the folder when none runs.
pub(super) fn verify(reach: &Reach, json: bool) -> Result<ExitCode, Failure> {
    let verdict = match local::target(reach)? {
        Target::Server(server) => server.ask("GET", "/v1/log/verify", None)?,
        Target::Folder(folder) => in_folder(&folder)?,
    };
    let holds = verdict["fault"].is_null() && verdict["open"] == 0;
    print_line(&if json { verdict.to_string() } else { told(&verdict, holds) })?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

fn in_folder(folder: &Path) -> Result<Value, Failure> {
    let store = open(folder)?;
    let mend = "restore the data folder from a backup, or report the message with its file's first and last lines";
    let verdict = provenance::verify(&store).map_err(|error| Failure::machine(error.to_string(), mend))?;
    Ok(shown(&verdict))
}

/// The store in `folder`, which no server holds.
pub(super) fn open(folder: &Path) -> Result<Store, Failure> {
    if !Store::is_in(folder) {
        return Err(Failure::bad_use(format!("there is no store in {}", folder.display()), "name the data folder of a server with --data"));
    }
    let mend = "restore the data folder from a backup, or report the message with its file's first and last lines";
    let (store, _) = Store::open(folder, Options::default()).map_err(|error| Failure::machine(error.to_string(), mend))?;
    Ok(store)
}

/// A verdict as JSON.
pub(super) fn shown(verdict: &Verdict) -> Value {
    json!(verdict)
}

fn told(verdict: &Value, holds: bool) -> String {
    let counts = format!(
        "{} records: {} intents, {} seals, {} refusals\nroot {}",
        verdict["records"],
        verdict["intents"],
        verdict["seals"],
        verdict["refusals"],
        verdict["root"].as_str().unwrap_or_default()
    );
    let fault = &verdict["fault"];
    if !fault.is_null() {
        return format!("{counts}\nthe log does NOT hold: record {}: {}", fault["sequence"], fault["what"].as_str().unwrap_or_default());
    }
    if holds {
        return format!("{counts}\nthe log holds: the tree verifies and every intent has its seal");
    }
    format!(
        "{counts}\nthe tree verifies; {} runs have no seal (under way, or to be sealed when the server starts): {}",
        verdict["open"], verdict["openRuns"]
    )
}
