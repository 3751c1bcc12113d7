//! `cordon policy …`: a folder of policies is tried before it is in force, and what policies decided is explained.

mod check;
mod diff;
pub(super) mod explain;
mod junit;
mod side_by_side;
mod tell;
mod test;
mod trial;
mod verdict;

use super::cli::{PolicyCommand, PolicyFiles};
use super::failure::Failure;
use crate::config::{Config, Overrides};
use crate::policy::suite::Suite;
use crate::policy::{PolicySet, Profiles};
use std::process::ExitCode;

/// Obeys one of the commands.
pub(super) fn command(command: &PolicyCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::Check(options) => check::check(options, json),
        PolicyCommand::Test(options) => test::test(options, json),
        PolicyCommand::Explain(options) => explain::explain(options, json),
        PolicyCommand::Diff(options) => diff::diff(options, json),
    }
}

/// The configuration, the profiles and the tests that are meant.
struct Loaded {
    config: Config,
    profiles: Profiles,
    suite: Suite,
}

/// Reads everything, who may do what included; mistakes of all files are told together.
fn load(files: &PolicyFiles) -> Result<Loaded, Failure> {
    let overrides = Overrides { config: files.config.clone(), policies: files.policies.clone(), ..Overrides::default() };
    let mut config = Config::load(&overrides, |name| std::env::var(name).ok())?;
    super::log_to_stderr(&mut config)?;
    let folder = config.server.policies.as_deref();
    let set = PolicySet::load(folder);
    let suite = Suite::load(folder, set.as_ref().ok().map(|set| &set.profiles));
    match (set, suite) {
        (Ok(set), Ok(suite)) => Ok(Loaded { config, profiles: set.profiles, suite }),
        (Err(mistakes), Err(more)) => Err(mistakes.and(more).into()),
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes.into()),
    }
}
