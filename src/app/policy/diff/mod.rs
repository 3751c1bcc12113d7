//! `cordon policy diff`: what recorded decisions would be under another folder of policies.

mod egress;
mod source;
mod tell;
#[cfg(test)]
mod tests;

use crate::app::cli::PolicyDiff;
use crate::app::failure::Failure;
use crate::app::local::print_line;
use crate::config::Config;
use crate::policy::PolicySet;
use crate::policy::replay::Diff;
use egress::EgressDiff;
use source::Source;
use std::process::ExitCode;

/// Everything that would be otherwise.
struct Differences {
    decisions: Diff,
    egress: EgressDiff,
    /// Profiles that would require hardening layers which they do not require now; whether those are in force is no matter of policies.
    hardening: Vec<(String, Vec<String>)>,
    /// Whether runs that are older were not looked at.
    older: bool,
}

impl Differences {
    fn none(&self) -> bool {
        self.decisions.flips.is_empty() && self.egress.flips.is_empty()
    }
}

/// Prints what would be otherwise; exit code 1 when something would. Mistakes in either folder are bad use.
pub(super) fn diff(options: &PolicyDiff, json: bool) -> Result<ExitCode, Failure> {
    let config = Config::load(&options.reach.common.overrides(), |name| std::env::var(name).ok())?;
    let candidate = PolicySet::load(Some(&options.against))?;
    let current = PolicySet::load(config.server.policies.as_deref())?;
    let found = compare(&Source::find(&options.reach)?, u64::from(options.last), &current, &candidate)?;
    print_line(&if json { tell::json(&found).to_string() } else { tell::text(&found) })?;
    Ok(if found.none() { ExitCode::SUCCESS } else { ExitCode::from(crate::app::NO) })
}

fn compare(source: &Source, last: u64, current: &PolicySet, candidate: &PolicySet) -> Result<Differences, Failure> {
    let mut found =
        Differences { decisions: Diff::default(), egress: EgressDiff::default(), hardening: stricter(current, candidate), older: false };
    source.decisions(last, |entries| found.decisions.add(entries, current, candidate))?;
    found.older = source.runs(last, |runs| found.egress.add(runs, &current.profiles, &candidate.profiles))?;
    Ok(found)
}

/// Layers that profiles of `candidate` require and those of the same name in `current` do not.
fn stricter(current: &PolicySet, candidate: &PolicySet) -> Vec<(String, Vec<String>)> {
    let new = candidate.profiles.iter().map(|profile| {
        let before = current.profiles.by_name(&profile.name).map(|before| before.require_hardening.clone()).unwrap_or_default();
        let layers = profile.require_hardening.iter().filter(|layer| !before.contains(layer)).cloned().collect::<Vec<_>>();
        (profile.name.clone(), layers)
    });
    new.filter(|(_, layers)| !layers.is_empty()).collect()
}
