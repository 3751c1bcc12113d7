//! `cordon policy check`: everything is read, and what looks like a slip is told.

use super::{Loaded, load};
use crate::app::cli::{CheckFormat, PolicyCheck};
use crate::app::failure::Failure;
use crate::app::local::print_line;
use crate::app::once::harmless;
use crate::egress::judge;
use crate::intake::{Sarif, SarifColumns, SarifResult, SarifRule};
use crate::model::Profile;
use crate::policy::lint::{Advice, Level, Lint, Linted, lint};
use crate::policy::suite::RequestTest;
use serde_json::json;
use std::process::ExitCode;

/// Prints what looks like a slip; exit code 0 without errors (and without warnings, if `--strict`), 1 otherwise. Mistakes in files are bad use.
pub(super) fn check(options: &PolicyCheck, json: bool) -> Result<ExitCode, Failure> {
    let loaded = load(&options.files)?;
    // Without a configuration nobody said which secrets there are.
    let secrets: Option<Vec<String>> = loaded.config.file.as_ref().map(|_| loaded.config.secrets.keys().cloned().collect());
    let linted = Linted {
        folder: loaded.config.server.policies.as_deref(),
        profiles: &loaded.profiles,
        suite: &loaded.suite,
        secrets: secrets.as_deref(),
        answers,
    };
    let advice = lint(&linted)?;
    print(&loaded, &advice, if json { CheckFormat::Json } else { options.format })?;
    let fails = |advice: &Advice| options.strict || advice.level == Level::Error;
    Ok(if advice.iter().any(fails) { ExitCode::from(crate::app::NO) } else { ExitCode::SUCCESS })
}

fn answers(profile: &Profile, request: &RequestTest) -> Option<usize> {
    judge(&profile.egress, profile.limits.sub_requests, &request.method, &request.url).ok().map(|leave| leave.index)
}

fn print(loaded: &Loaded, advice: &[Advice], format: CheckFormat) -> Result<(), Failure> {
    let count = |level: Level| advice.iter().filter(|advice| advice.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warn));
    let (profiles, tests) = (loaded.profiles.iter().count(), loaded.suite.tests().len());
    match format {
        CheckFormat::Json => {
            let all = json!({"advice": advice, "errors": errors, "warnings": warnings, "profiles": profiles, "tests": tests});
            print_line(&all.to_string())
        }
        CheckFormat::Sarif => {
            let text = serde_json::to_string_pretty(&sarif(advice));
            print_line(&text.map_err(|error| Failure::machine(error.to_string(), "report this"))?)
        }
        CheckFormat::Text => {
            let lines = advice.iter().map(|found| {
                let Advice { id, level, file, position, message, mend } = found;
                format!("{file}:{}:{}: {}: {message} [{id}]\n  mend: {mend}", position.line, position.column, level.as_str())
            });
            let sum = format!("{profiles} profiles, {tests} tests: {errors} errors, {warnings} warnings");
            print_line(&lines.chain([sum]).map(|line| harmless(&line)).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn sarif(advice: &[Advice]) -> Sarif {
    let word = |level: Level| match level {
        Level::Warn => "warning",
        Level::Error => "error",
    };
    let rules = Lint::ALL.into_iter().map(|lint| SarifRule {
        id: lint.as_str().to_owned(),
        title: lint.title().to_owned(),
        meaning: lint.meaning().to_owned(),
        help: "`cordon policy check` tells the mend with each place".to_owned(),
        level: word(lint.level()),
    });
    let results = advice.iter().map(|found| SarifResult {
        rule: found.id.as_str().to_owned(),
        level: word(found.level),
        message: format!("{}. Mend: {}", found.message, found.mend),
        file: found.file.clone(),
        line: found.position.line,
        column: found.position.column,
    });
    Sarif::new(SarifColumns::Characters, rules.collect(), results.collect())
}
