//! `cordon policy test`: which tests, and what they come to together.

use super::side_by_side::Runs;
use super::tell::Teller;
use super::trial::{self, Bench};
use super::verdict::Verdict;
use super::{Loaded, junit, load};
use crate::app::cli::PolicyTest as Options;
use crate::app::failure::Failure;
use crate::app::house;
use crate::app::once::DataFolder;
use crate::config::Config;
use crate::model::Profile;
use crate::policy::Profiles;
use crate::policy::suite::{Asked, PolicyTest, Suite};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// Runs the tests; exit code 0 when all pass, 1 when some fail. Mistakes in files, and that there is no test, are bad use.
pub(super) fn test(options: &Options, json: bool) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let Loaded { config, profiles, suite } = load(&options.files)?;
    let tests: Arc<[PolicyTest]> = chosen(&suite, options.filter.as_deref())?.into();
    let teller = Teller::new(json);
    let verdicts = in_order(&config, &profiles, &tests, options.jobs, &teller)?;
    teller.end(&verdicts, started.elapsed())?;
    if let Some(file) = &options.junit {
        let xml = junit::document(&verdicts, started.elapsed());
        let fault =
            |error| Failure::bad_use(format!("{} cannot be written: {error}", file.display()), "name a file in a folder that exists");
        std::fs::write(file, xml).map_err(fault)?;
    }
    Ok(if verdicts.iter().all(Verdict::passed) { ExitCode::SUCCESS } else { ExitCode::from(crate::app::NO) })
}

/// The tests that `filter` leaves, at least one: a suite that tests nothing is not green.
fn chosen(suite: &Suite, filter: Option<&str>) -> Result<Vec<PolicyTest>, Failure> {
    if suite.tests().is_empty() {
        let mend = "add a [[test]] with name, reason, profile, code or request, and expect to a file such as tests/orders.toml in the folder of profiles";
        return Err(Failure::bad_use("there are no tests", mend));
    }
    let has = |text: &str, test: &PolicyTest| [&test.name, &test.profile, &test.file].into_iter().any(|word| word.contains(text));
    let tests: Vec<PolicyTest> = suite.tests().iter().filter(|test| filter.is_none_or(|text| has(text, test))).cloned().collect();
    if tests.is_empty() {
        let message = format!("none of {} tests has `{}` in its name, profile or file", suite.tests().len(), filter.unwrap_or_default());
        return Err(Failure::bad_use(message, "correct --filter, or leave it out"));
    }
    Ok(tests)
}

/// The verdicts in the order of the tests, each told as soon as it and those before it are there. Tests of requests alone need no house.
fn in_order<'a>(
    config: &Config,
    profiles: &Profiles,
    tests: &'a Arc<[PolicyTest]>,
    jobs: u16,
    teller: &Teller,
) -> Result<Vec<Verdict<'a>>, Failure> {
    if tests.iter().all(|test| matches!(test.asked, Asked::Request(_))) {
        return crate::app::runtime()?.block_on(heard(Runs::none(), profiles, tests, teller));
    }
    let data = DataFolder::choose(None)?;
    let log = house::open_log(data.path())?;
    let closing = log.clone();
    let runtime = crate::app::runtime()?;
    let verdicts = runtime.block_on(async {
        let bench = Arc::new(Bench::furnish(config, profiles, tests, jobs, log).await?);
        let verdicts = heard(Runs::start(&bench, tests, jobs), profiles, tests, teller).await;
        bench.stop();
        verdicts
    });
    drop(runtime);
    closing.store().close().map_err(|error| Failure::machine(error.to_string(), "check the disk of the folder for temporary files"))?;
    verdicts
}

async fn heard<'a>(mut runs: Runs, profiles: &Profiles, tests: &'a [PolicyTest], teller: &Teller) -> Result<Vec<Verdict<'a>>, Failure> {
    let mut verdicts = Vec::with_capacity(tests.len());
    for (index, test) in tests.iter().enumerate() {
        let tried = match &test.asked {
            Asked::Request(request) => trial::request(request, profile_of(profiles, test)?),
            Asked::Run(_) => runs.tried(index).await?,
        };
        let verdict = Verdict { test, tried };
        teller.hear(&verdict)?;
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The reader of tests has refused a test without a profile already.
fn profile_of<'p>(profiles: &'p Profiles, test: &PolicyTest) -> Result<&'p Profile, Failure> {
    let missing = || Failure::bad_use(format!("there is no profile `{}`", test.profile), "correct the test's `profile`");
    profiles.by_name(&test.profile).map(Arc::as_ref).ok_or_else(missing)
}
