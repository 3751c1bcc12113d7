//! `cordon policy explain`: which rule decided, and what would change it.

mod facts;
#[cfg(test)]
mod tests;
mod words;

pub(in crate::app) use facts::Facts;
pub(in crate::app) use words::explained;

use crate::app::audit;
use crate::app::cli::PolicyExplain;
use crate::app::failure::Failure;
use crate::app::local::{self, Target, print_line};
use crate::config::Config;
use crate::model::DecisionId;
use crate::policy::PolicySet;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

/// Prints why a run or a decision was decided so. What there is not is a checked no.
pub(super) fn explain(options: &PolicyExplain, json: bool) -> Result<ExitCode, Failure> {
    let told = match local::target(&options.reach)? {
        Target::Server(server) => server.ask("GET", &format!("/v1/explain/{}", options.id), None).map_err(Failure::checked)?,
        Target::Folder(folder) => in_folder(&folder, options)?,
    };
    print_line(&if json { told.to_string() } else { text(&told) })?;
    Ok(ExitCode::SUCCESS)
}

fn in_folder(folder: &Path, options: &PolicyExplain) -> Result<Value, Failure> {
    let config = Config::load(&options.reach.common.overrides(), |name| std::env::var(name).ok())?;
    let set = PolicySet::load(config.server.policies.as_deref())?;
    let store = audit::open(folder)?;
    let facts = Facts::gather(&store, options.id).map_err(|error| Failure::from(crate::run::unreadable(&error)))?;
    let facts = facts.ok_or_else(|| Failure::from(unknown(options.id)).checked())?;
    Ok(explained(&facts, &set))
}

/// There is neither such a run nor such a decision.
pub(in crate::app) fn unknown(id: DecisionId) -> crate::model::Problem {
    let mend = "use the `run` of an answer; a run that policy refused has none: use the `decisionId` of the refusal";
    crate::model::Problem::new(crate::model::ProblemCode::NotFound, format!("there is no run and no decision {id}"), mend)
}

/// The sentences of an explanation, none of which can steer a terminal or pass for two.
fn text(told: &Value) -> String {
    let lines = told["words"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.map(crate::app::once::one_line).collect::<Vec<_>>().join("\n")
}
