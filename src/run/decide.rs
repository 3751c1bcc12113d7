//! Asking policy about a run, and noting what it said.

use super::conduct::{Inner, Under};
use super::noting::More;
use super::shelf::storage;
use super::steps::Refused;
use crate::model::{Action, Artifact, Ask, Decision, Digest, Principal, Problem, Resource, RunRequest, RunSource, Standing, Tier};
use crate::policy::{self, Granted, PolicySet, Question, Sizes, name_of};
use crate::store::Batch;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Decides on a run of `artifact`; the change that keeps the decision goes with the answer, whatever it is.
pub(super) fn decide(
    inner: &Inner,
    principal: &Principal,
    request: &RunRequest,
    (artifact, id): (&Artifact, Digest),
    under: Under,
) -> Result<(Granted, Batch), Box<Refused>> {
    let started = Instant::now();
    let set = inner.parts.policy.current();
    let standing = standing(inner, request, &id).map_err(|problem| refusal(problem, id, Batch::new()))?;
    let question = Question {
        principal,
        door: request.door,
        profile: request.profile.as_deref(),
        standing: standing.as_ref(),
        asked: &request.limits,
        sizes: Sizes::of(artifact, request.input.get().len() as u64),
        machine: inner,
    };
    let case = matches!(under, Under::Contract(..));
    let decided = match under {
        Under::Policy => policy::grant(&set, &question),
        Under::Contract(profile, right) => policy::grant_case(profile, right, &question),
    };
    let decision = decided.as_ref().map_or_else(|refused| &refused.decision, Granted::decision);
    inner.parts.telemetry.policy_decision(decision.rule, started.elapsed());
    let said = said(&question, id, case, decided.as_ref().ok());
    let more = More { request: said, traceparent: request.traceparent.as_deref() };
    let change = note(inner, &set, &question, decision, &more).map_err(|problem| refusal(problem, id, Batch::new()))?;
    match decided {
        Ok(granted) => Ok((granted, change)),
        Err(refused) => Err(refusal(refused.problem, id, change)),
    }
}

fn refusal(problem: Problem, artifact: Digest, decided: Batch) -> Box<Refused> {
    Box::new(Refused { problem, artifact: Some(artifact), decided })
}

/// Where the artifact stands, as far as this request may rely on it.
fn standing(inner: &Inner, request: &RunRequest, id: &Digest) -> Result<Option<Standing>, Problem> {
    match request.source {
        // INVARIANT (no trust by content): sources that come along run at tier 0, also when the same sources have earned more under their id.
        RunSource::Inline(_) => Ok(None),
        RunSource::Stored(_) | RunSource::Alias(_) => inner.parts.artifacts.standing(id).map_err(|error| storage(&error)),
    }
}

/// Everything else that the decision rested on, so that it can be explained, and asked again of other policies.
fn said(question: &Question<'_>, id: Digest, case: bool, granted: Option<&Granted>) -> Map<String, Value> {
    let standing = question.standing.map(|standing| json!({ "tier": standing.tier, "profile": standing.profile }));
    let members = [
        ("artifact", json!(id)),
        ("sourceBytes", json!(question.sizes.source_bytes)),
        ("modules", json!(question.sizes.modules)),
        ("inputBytes", json!(question.sizes.input_bytes)),
        ("profile", json!(question.profile)),
        ("limits", json!(question.asked)),
        ("standing", json!(standing)),
        ("contractCase", json!(case)),
        ("right", json!(granted.map(Granted::right))),
        ("grant", json!(granted.map(|granted| granted.grant().recorded().digest()))),
    ];
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn note(inner: &Inner, set: &PolicySet, question: &Question<'_>, decision: &Decision, more: &More<'_>) -> Result<Batch, Problem> {
    let earned = question.standing.map(|standing| standing.profile.as_str());
    let name = question.profile.or(earned).unwrap_or(name_of(Tier::Untrusted));
    let tier = set.profiles.by_name(name).map_or(Tier::Untrusted, |profile| profile.tier);
    let resource = Resource::Profile { name, tier };
    let ask = Ask { principal: question.principal, action: Action::Submit, resource, listener: question.door };
    inner.noted_change(&inner.entry(set, &ask, decision, more))
}
