//! `cordon check FILE`: what the static checks say about a source, without running it.

use super::cli::{Check, CheckFormat};
use super::failure::Failure;
use super::house::{self, cells_settings};
use super::local::print_line;
use super::once::{artifact, harmless};
use crate::cell::{Cells, ZygoteKind};
use crate::config::{Config, Overrides};
use crate::intake::{Sarif, judge};
use crate::model::{CheckReport, Evidence, Profile, Tier};
use crate::policy::Profiles;
use crate::run::examine;
use std::process::ExitCode;
use std::sync::Arc;

/// Prints what was found; exit code 0 when nothing stands against the source at its tier, 1 otherwise. The source is read in an intake cell.
pub(super) fn check(options: &Check, json: bool) -> Result<ExitCode, Failure> {
    let overrides = Overrides { config: options.config.clone(), policies: options.policies.clone(), ..Overrides::default() };
    let mut config = Config::load(&overrides, |name| std::env::var(name).ok())?;
    super::log_to_stderr(&mut config)?;
    let profiles = house::load_profiles(&config)?;
    let profile = profile(options, &profiles)?;
    let evidence = evidence(options, &mut config, &profiles)?;
    let report = judge(&evidence, profile.tier, &profile.checks, Some(&profile.egress));
    print(&report, if json { CheckFormat::Json } else { options.format })?;
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

/// The profile by whose tier and egress findings are judged.
fn profile(options: &Check, profiles: &Profiles) -> Result<Arc<Profile>, Failure> {
    let tier = Tier::try_from(options.tier).map_err(|_| Failure::bad_use(format!("there is no tier {}", options.tier), "use 0, 1 or 2"))?;
    let found = match &options.profile {
        Some(name) => profiles.by_name(name),
        None => profiles.default_for(tier),
    };
    let missing = || {
        let asked = options.profile.as_ref().map_or_else(|| format!("for tier {}", options.tier), |name| format!("`{name}`"));
        Failure::bad_use(
            format!("there is no profile {asked}"),
            "`GET /v1/capabilities` of a server lists them; --policies names their folder",
        )
    };
    found.cloned().ok_or_else(missing)
}

fn evidence(options: &Check, config: &mut Config, profiles: &Profiles) -> Result<Evidence, Failure> {
    let artifact = artifact(&options.file)?;
    config.pool.intake = 1;
    super::runtime()?.block_on(async {
        let mut settings = cells_settings(&config.pool, profiles, house::telemetry(&[])?);
        settings.pools.retain(|pool| pool.kind == ZygoteKind::Intake);
        let cells =
            Cells::start(settings).await.map_err(|error| Failure::machine(error.to_string(), "run with CORDON_LOG=debug to see more"))?;
        let seen = examine(&cells, &artifact).await;
        cells.stop();
        Ok(seen?)
    })
}

fn print(report: &CheckReport, format: CheckFormat) -> Result<(), Failure> {
    let form = |error: serde_json::Error| Failure::machine(error.to_string(), "report this");
    match format {
        CheckFormat::Json => print_line(&serde_json::to_string(report).map_err(form)?),
        CheckFormat::Sarif => print_line(&serde_json::to_string_pretty(&Sarif::of(report)).map_err(form)?),
        CheckFormat::Text => {
            let found = report.findings.iter().map(ToString::to_string);
            let more = report.more.iter().map(|more| format!("{}: {} more [{}]", more.severity, more.count, more.id));
            let verdict = if report.passes() { "passes" } else { "does not pass" };
            let last = format!("{verdict} at tier {}; checks are evidence and no boundary", report.tier.label());
            print_line(&found.chain(more).chain([last]).map(|line| harmless(&line)).collect::<Vec<_>>().join("\n"))
        }
    }
}
