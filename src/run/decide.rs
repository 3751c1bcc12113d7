//! Asking policy, and noting what it said: every decision has an entry in the decision log and counts in the metrics.

use super::conduct::{Inner, Under};
use super::shelf::storage;
use crate::model::{Artifact, Digest, Principal, Problem, RunRequest, RunSource};
use crate::policy::{self, Granted, Question};
use crate::store::Batch;
use std::time::Instant;

/// Decides on a run of `artifact`. A refusal is noted before this returns; what allows is noted by the change that comes with it.
pub(super) async fn decide(
    inner: &Inner,
    principal: &Principal,
    request: &RunRequest,
    (artifact, id): (&Artifact, Digest),
    under: Under,
) -> Result<(Granted, Batch), Problem> {
    let started = Instant::now();
    let set = inner.parts.policy.current();
    let standing = match request.source {
        // INVARIANT (no trust by content): sources that come along run at tier 0, also when the same sources have earned more under their id.
        RunSource::Inline(_) => None,
        RunSource::Stored(_) | RunSource::Alias(_) => inner.parts.artifacts.standing(&id).map_err(|error| storage(&error))?,
    };
    let question = Question {
        principal,
        door: request.door,
        profile: request.profile.as_deref(),
        standing: standing.as_ref(),
        asked: &request.limits,
        artifact,
        input_bytes: request.input.get().len() as u64,
        machine: inner,
    };
    let decided = match under {
        Under::Policy => policy::grant(&set, &question),
        Under::Contract(profile, right) => policy::grant_case(profile, right, &question),
    };
    let decision = decided.as_ref().map_or_else(|refused| &refused.decision, Granted::decision);
    inner.parts.telemetry.policy_decision(decision.rule, started.elapsed());
    decided.map(|granted| (granted, Batch::new())).map_err(|refused| refused.problem)
}
