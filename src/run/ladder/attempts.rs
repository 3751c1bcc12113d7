//! What an artifact sent out at tier 0, judged by the profile that it is to enter.

use crate::egress;
use crate::model::{Attempt, AttemptReport, Digest, Problem, Profile, RunId, RunReport, Tier};
use crate::provenance::{self, RunFilter};
use crate::run::conduct::{Conduct, failed};
use std::collections::{BTreeMap, BTreeSet};

/// Most kinds of requests that are kept.
const ATTEMPTS_MAX: usize = 200;

/// Longest URL that is shown, in characters.
const URL_CHARS_MAX: usize = 300;

/// Most recorded runs that are looked at, the latest first.
const RUNS_MAX: usize = 200;

/// Collects attempts.
pub(super) struct Attempts<'p> {
    profile: &'p Profile,
    /// Runs that were looked at, each once.
    runs: BTreeSet<RunId>,
    found: BTreeMap<(String, String), Attempt>,
    more: u64,
    partial: bool,
}

impl<'p> Attempts<'p> {
    /// Nothing yet; what comes is judged by `profile`.
    pub(super) fn new(profile: &'p Profile) -> Self {
        Self { profile, runs: BTreeSet::new(), found: BTreeMap::new(), more: 0, partial: false }
    }

    /// Adds what a run at tier 0 asked for.
    pub(super) fn add(&mut self, report: &RunReport) {
        if !self.runs.insert(report.run) {
            return;
        }
        self.more += report.egress_truncated;
        for row in &report.egress {
            self.one(report.run, &row.method, &row.url);
            row.redirects.iter().for_each(|hop| self.one(report.run, "GET", hop));
        }
    }

    fn one(&mut self, run: RunId, method: &str, url: &str) {
        let place: String = url.split(['?', '#']).next().unwrap_or(url).chars().take(URL_CHARS_MAX).collect();
        let key = (method.to_owned(), place.clone());
        if self.found.contains_key(&key) {
            return;
        }
        // What is refused must be seen, whatever came before it.
        let refused = match egress::judge(&self.profile.egress, self.profile.limits.sub_requests, method, url) {
            Ok(leave) => leave.would_deny.then(|| format!("only a rule on trial allows it: {}", leave.rule)),
            Err(refusal) => Some(refusal.reason),
        };
        if self.found.len() >= ATTEMPTS_MAX {
            self.more += 1;
            return;
        }
        self.found.insert(key, Attempt { method: method.to_owned(), url: place, refused, run });
    }

    /// What was found.
    pub(super) fn report(self) -> AttemptReport {
        AttemptReport { runs: self.runs.len() as u64, attempts: self.found.into_values().collect(), more: self.more, partial: self.partial }
    }
}

impl Conduct {
    /// Adds what earlier runs of the artifact at tier 0 asked for: the latest, as far as one page of the log reaches.
    pub(super) fn recorded(&self, artifact: &Digest, attempts: &mut Attempts<'_>) -> Result<(), Problem> {
        let store = self.parts().log.store();
        let filter = RunFilter { artifact: Some(*artifact), tier: Some(Tier::Untrusted), ..RunFilter::default() };
        let page = provenance::list(store, &filter, None, RUNS_MAX).map_err(|error| failed(&error.to_string()))?;
        attempts.partial = page.cursor.is_some();
        for row in page.runs.iter().filter(|row| row.outcome.is_some()) {
            if let Some(report) = provenance::report(store, row.run).map_err(|error| failed(&error.to_string()))? {
                attempts.add(&report);
            }
        }
        Ok(())
    }
}
