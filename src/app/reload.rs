//! Policies are read again while everything runs: as a whole, or not at all, and with a record either way.

use super::failure::Failure;
use super::house;
use crate::config::Config;
use crate::model::{Principal, Problem, ProblemCode};
use crate::policy::{PolicySet, Profiles};
use crate::provenance::{PolicyEvent, PolicyEventKind};
use crate::run::Conduct;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Most mistakes that a record keeps.
const MISTAKES_MAX: usize = 50;

/// Longest mistake that a record keeps, in characters.
const MISTAKE_CHARS_MAX: usize = 500;

/// Reads policies again, one caller after the other. Clones share the turn.
#[derive(Clone)]
pub(super) struct Reloader {
    conduct: Conduct,
    /// As the server was started with it.
    config: Config,
    /// What zygotes were started for.
    started: Profiles,
    turn: Arc<Mutex<()>>,
}

impl Reloader {
    /// A reloader of what `conduct` decides by.
    pub(super) fn new(conduct: Conduct, config: Config, started: Profiles) -> Self {
        Self { conduct, config, started, turn: Arc::default() }
    }

    /// Records with which policies the server starts.
    pub(super) async fn record(&self) -> Result<(), Failure> {
        let revision = self.conduct.parts().policy.current().revision();
        let event =
            PolicyEvent { event: PolicyEventKind::Loaded, revision, previous: None, mistakes: Vec::new(), by: Principal::server().id };
        let recorded = self.conduct.parts().log.policy(event).await;
        recorded.map(drop).map_err(|error| Failure::machine(error.to_string(), "check the data folder's disk"))
    }

    /// Reads the folder of policies again. What has a mistake changes nothing, and all its mistakes are told and recorded. `by` asked for it.
    pub(super) async fn reload(&self, by: &str) -> Result<Value, Problem> {
        // One at a time, so that what is in force is what the last record says.
        let _turn = self.turn.lock().await;
        let (policy, config) = (&self.conduct.parts().policy, self.config.clone());
        let before = policy.current();
        let started = self.started.clone();
        let read = tokio::task::spawn_blocking(move || fitting(&config, &started)).await;
        let read = read.unwrap_or_else(|error| Err(vec![error.to_string()]));
        let event =
            |event, revision, mistakes| PolicyEvent { event, revision, previous: Some(before.revision()), mistakes, by: by.to_owned() };
        match read {
            Ok(set) => {
                let revision = set.revision();
                house::keep_grants(&self.conduct.parts().log, &set.profiles).await.map_err(unkept)?;
                // The record comes first: what is in force is always in the log.
                self.note(event(PolicyEventKind::Replaced, revision, Vec::new())).await?;
                policy.replace(set);
                tracing::info!(%revision, "policies were replaced");
                Ok(json!({ "revision": revision, "previous": before.revision() }))
            }
            Err(mistakes) => {
                self.note(event(PolicyEventKind::Refused, before.revision(), mistakes.clone())).await?;
                tracing::warn!(mistakes = mistakes.len(), "policies were not replaced: {}", mistakes.join("; "));
                let detail = format!("the policies stay as they were: {}", mistakes.join("; "));
                Err(Problem::new(ProblemCode::Conflict, detail, "mend the files, try them with `cordon policy check`, and reload again"))
            }
        }
    }

    async fn note(&self, event: PolicyEvent) -> Result<(), Problem> {
        self.conduct.parts().log.policy(event).await.map(drop).map_err(|error| {
            tracing::error!(%error, "policies were not replaced because that could not be recorded");
            let mend = "ask the operator to look at the data folder's disk";
            Problem::new(ProblemCode::InternalError, "the change of policies could not be recorded", mend)
        })
    }
}

/// What records of runs would tell by digest only cannot be kept.
fn unkept(failure: Failure) -> Problem {
    tracing::error!("policies were not replaced because what they grant could not be stored: {}", failure.lines().join("; "));
    let mend = "ask the operator to look at the data folder's disk";
    Problem::new(ProblemCode::InternalError, "the change of policies could not be recorded", mend)
}

/// The policies of `config`, if what runs now can run them; or every mistake.
fn fitting(config: &Config, started: &Profiles) -> Result<PolicySet, Vec<String>> {
    let short = |line: &String| line.chars().take(MISTAKE_CHARS_MAX).collect::<String>();
    let told = |failure: Failure| failure.lines().iter().take(MISTAKES_MAX).map(short).collect::<Vec<String>>();
    let set: PolicySet = house::load_policy(config).map_err(told)?;
    house::check_memory(&set.profiles, &config.admission).map_err(told)?;
    let wrong: Vec<String> = set.profiles.iter().filter_map(|profile| beyond(profile, started)).collect();
    if wrong.is_empty() { Ok(set) } else { Err(wrong) }
}

/// Why a profile needs zygotes that this server did not start; `None` when it does not.
fn beyond(profile: &crate::model::Profile, started: &Profiles) -> Option<String> {
    let same = |other: &&std::sync::Arc<crate::model::Profile>| other.tier == profile.tier && other.jit == profile.jit;
    let heap = started.iter().filter(same).map(|other| other.limits.memory_mb).max();
    match heap {
        None => Some(format!(
            "{}.toml: no process for tier {} with this `jitless` was started: restart the server to use it",
            profile.name, profile.tier
        )),
        Some(heap) if profile.limits.memory_mb > heap => Some(format!(
            "{}.toml: memory_mb is {}, and processes of this tier were started for at most {heap}: restart the server to use more",
            profile.name, profile.limits.memory_mb
        )),
        Some(_) => None,
    }
}
