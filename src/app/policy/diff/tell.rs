//! Tells what would be otherwise: a line for each kind, and the sum.

use super::Differences;
use super::egress::EgressFlip;
use crate::app::once::one_line;
use crate::model::Digest;
use crate::policy::replay::{Flip, Unreplayable};
use serde_json::{Value, json};

/// Most artifacts that a line names.
const ARTIFACTS_MAX: usize = 20;

/// For programs.
pub(super) fn json(found: &Differences) -> Value {
    let Differences { decisions, egress, hardening, older } = found;
    let skipped: serde_json::Map<String, Value> =
        Unreplayable::ALL.into_iter().map(|why| (why.as_str().to_owned(), json!(decisions.skipped.get(&why).unwrap_or(&0)))).collect();
    let hardening: Vec<Value> = hardening.iter().map(|(profile, layers)| json!({ "profile": profile, "layers": layers })).collect();
    json!({
        "flips": decisions.flips,
        "egressFlips": egress.flips,
        "flipped": decisions.flipped() + egress.flipped(),
        "replayed": decisions.replayed,
        "judged": egress.judged,
        "onTrial": egress.on_trial,
        "skipped": skipped,
        "unlisted": egress.unlisted,
        "withoutProfile": egress.without_profile,
        "stale": decisions.stale,
        "madeUnderOthers": decisions.made_otherwise,
        "hardening": hardening,
        "olderRunsLeft": older,
    })
}

/// For people.
pub(super) fn text(found: &Differences) -> String {
    let Differences { decisions, egress, .. } = found;
    let mut lines: Vec<String> = decisions.flips.iter().map(of_flip).collect();
    lines.extend(egress.flips.iter().map(of_egress));
    lines.extend(remarks(found));
    let otherwise = decisions.flipped() + egress.flipped();
    lines.push(format!(
        "{} decisions and {} outbound requests asked again: {otherwise} would be otherwise",
        decisions.replayed, egress.judged
    ));
    lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n")
}

fn of_flip(flip: &Flip) -> String {
    let Flip { action, role, before, after, count, example, .. } = flip;
    let profile = flip.profile.as_ref().map(|profile| format!(" under `{profile}`")).unwrap_or_default();
    format!("{action} by {role}{profile}: {before} -> {after}, {count}, such as the decision {example}")
}

fn of_egress(flip: &EgressFlip) -> String {
    let EgressFlip { profile, role, before, after, count, example, request, .. } = flip;
    format!("egress by {role} under `{profile}`: {before} -> {after}, {count}, such as {request} of the run {example}")
}

/// What is no flip and must be known.
fn remarks(found: &Differences) -> Vec<String> {
    let Differences { decisions, egress, hardening, older } = found;
    let mut lines = Vec::new();
    if !decisions.stale.is_empty() {
        lines.push(format!("{} artifacts' evidence would go stale: {}", decisions.stale.len(), artifacts(decisions.stale.iter())));
    }
    for (profile, layers) in hardening {
        lines.push(format!(
            "`{profile}` would require hardening layers, which no replay can try: {}; see `cordon doctor`",
            layers.join(", ")
        ));
    }
    let counts = [
        (egress.on_trial, "outbound requests would be let through by rules on trial only"),
        (decisions.made_otherwise, "decisions were made under other policies than those that are compared with as the present ones"),
        (egress.unlisted, "outbound requests have no row in the log and were not judged"),
        (egress.without_profile, "outbound requests are of runs under profiles that are not there any more, and were not judged"),
    ];
    lines.extend(counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    lines.extend(older.then(|| "few of the latest runs sent something out, and older runs were not looked at: see --last".to_owned()));
    lines.extend(decisions.skipped.iter().map(|(why, count)| format!("not asked again: {count} {}", why.words())));
    lines
}

fn artifacts<'a>(all: impl ExactSizeIterator<Item = &'a Digest>) -> String {
    let more = all.len().saturating_sub(ARTIFACTS_MAX);
    let shown: Vec<String> = all.take(ARTIFACTS_MAX).map(ToString::to_string).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
