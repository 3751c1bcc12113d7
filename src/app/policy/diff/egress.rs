//! Outbound requests of runs, judged by the rules of two sets of profiles.

use crate::app::decisions::RunEgress;
use crate::egress::judge;
use crate::model::{EgressEntry, Profile, Role, RunId};
use crate::policy::Profiles;
use serde::Serialize;

/// Requests of one kind that would be denied and were allowed, or the reverse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EgressFlip {
    /// The profile of the runs.
    pub(super) profile: String,
    /// The role of who asked for them.
    pub(super) role: Role,
    /// The rule by which the present profile judges.
    pub(super) before: String,
    /// The rule by which the candidate judges.
    pub(super) after: String,
    /// Whether the candidate allows it.
    pub(super) allowed: bool,
    /// How many.
    pub(super) count: u64,
    /// The run of the latest.
    pub(super) example: RunId,
    /// Its method and URL.
    pub(super) request: String,
}

/// What would be otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EgressDiff {
    /// Requests that would be judged otherwise, the most frequent kind first.
    pub(super) flips: Vec<EgressFlip>,
    /// How many requests were judged.
    pub(super) judged: u64,
    /// How many of them only a rule on trial would let through.
    pub(super) on_trial: u64,
    /// How many had no row in their run's seal.
    pub(super) unlisted: u64,
    /// How many are of runs under profiles that are not among the present ones.
    pub(super) without_profile: u64,
}

/// What is said of a request.
struct Said {
    allowed: bool,
    on_trial: bool,
    rule: String,
}

impl EgressDiff {
    /// Judges the requests of `runs`, each under the profile of its run.
    pub(super) fn add(&mut self, runs: &[RunEgress], current: &Profiles, candidate: &Profiles) {
        for run in runs {
            self.unlisted += run.egress_total.saturating_sub(run.egress.len() as u64);
            let Some(before) = current.by_name(&run.profile) else {
                self.without_profile += run.egress.len() as u64;
                continue;
            };
            let after = candidate.by_name(&run.profile);
            run.egress.iter().for_each(|row| self.judge(run, row, before, after.map(AsRef::as_ref)));
        }
        self.flips.sort_by_key(|flip| std::cmp::Reverse(flip.count));
    }

    /// How many requests would be judged otherwise.
    pub(super) fn flipped(&self) -> u64 {
        self.flips.iter().map(|flip| flip.count).sum()
    }

    fn judge(&mut self, run: &RunEgress, row: &EgressEntry, before: &Profile, after: Option<&Profile>) {
        let gone = || Said { allowed: false, on_trial: false, rule: "unknownProfile".to_owned() };
        let (before, after) = (said(before, row), after.map_or_else(gone, |profile| said(profile, row)));
        self.judged += 1;
        self.on_trial += u64::from(after.on_trial);
        if before.allowed == after.allowed {
            return;
        }
        let flip = EgressFlip {
            profile: run.profile.clone(),
            role: run.role,
            before: before.rule,
            after: after.rule,
            allowed: after.allowed,
            count: 1,
            example: run.run,
            request: format!("{} {}", row.method, row.url),
        };
        match self.flips.iter_mut().find(|known| alike(known, &flip)) {
            Some(known) => known.count += 1,
            None => self.flips.push(flip),
        }
    }
}

fn alike(one: &EgressFlip, other: &EgressFlip) -> bool {
    (&one.profile, one.role, &one.before, &one.after) == (&other.profile, other.role, &other.before, &other.after)
}

fn said(profile: &Profile, row: &EgressEntry) -> Said {
    match judge(&profile.egress, profile.limits.sub_requests, &row.method, &row.url) {
        Ok(leave) => {
            let trial = if leave.would_deny { " (on trial)" } else { "" };
            Said { allowed: true, on_trial: leave.would_deny, rule: format!("{}{trial}", leave.rule) }
        }
        Err(refusal) => Said { allowed: false, on_trial: false, rule: format!("{} ({})", refusal.rule, refusal.code) },
    }
}
