//! Steps up as they are taken: in turn, on what is so at that moment, and with what was missing when they are not.

use super::steps::Step;
use super::{Stair, moved, tier_of};
use crate::artifact::{evidence_change, ladder_change, ladder_note};
use crate::model::{
    Digest, EvidenceSet, LadderEvent, LadderStep, Missing, Noted, Principal, Problem, ProblemCode, Profile, Requirement, Review, Standing,
};
use crate::policy::{Candidate, PolicySet, lacks, promotion};
use crate::provenance::Record;
use crate::run::conduct::Conduct;
use crate::run::shelf::{storage, unrecorded};
use crate::store::Batch;
use std::sync::Arc;

/// What a step up rests on.
struct Basis {
    evidence: EvidenceSet,
    reviews: Vec<u64>,
    clean_runs: Option<u64>,
    missing: Vec<Missing>,
}

/// A step that is to be taken.
pub(super) struct Climb {
    pub(super) artifact: Digest,
    pub(super) step: LadderStep,
    pub(super) profile: Arc<Profile>,
    /// Where it stood before evidence was gathered.
    pub(super) before: Option<Standing>,
    pub(super) by: Principal,
    /// Whether `by` was one of its authors when leave was given.
    pub(super) author: bool,
    /// The decision that allowed it, and the change that keeps it.
    pub(super) decision: Option<(String, Batch)>,
}

impl Stair<'_> {
    pub(super) fn is_author(&self, id: &Digest, by: &Principal) -> Result<bool, Problem> {
        self.artifacts.is_author(id, &by.id).map_err(|error| storage(&error))
    }

    /// What the step rests on, `evidence` included, by the policies in force.
    fn basis(&self, climb: &Climb, standing: Option<&Standing>, evidence: EvidenceSet) -> Result<Basis, Problem> {
        let set = self.policy.current();
        let profile = Conduct::profile_of_tier(&set, Some(&climb.profile.name), climb.profile.tier)?;
        if climb.step == LadderStep::Promoted {
            return self.promotion_basis(&set, &profile, standing, evidence);
        }
        let missing = lacks(&evidence, &profile, &self.in_force(&set, &profile));
        Ok(Basis { evidence, reviews: Vec::new(), clean_runs: None, missing })
    }

    /// What a promotion of an artifact that stands as `standing` rests on.
    fn promotion_basis(
        &self,
        set: &PolicySet,
        profile: &Profile,
        standing: Option<&Standing>,
        evidence: EvidenceSet,
    ) -> Result<Basis, Problem> {
        let artifacts = self.artifacts;
        let id = evidence.artifact;
        let validated = standing.and_then(|standing| set.profiles.by_name(&standing.profile));
        let validated_in_force = self.in_force(set, validated.map_or(profile, |validated| validated));
        let mark = standing.and_then(|standing| standing.evidence);
        let clean_runs = mark.map_or(Ok(0), |mark| artifacts.clean_runs(&id, &mark.id, profile.promotion.clean_runs));
        let clean_runs = clean_runs.map_err(|error| storage(&error))?;
        let reviews = self.reviews_with_authorship(&id)?;
        let candidate = Candidate {
            standing,
            validated: validated.map(AsRef::as_ref),
            validated_in_force: &validated_in_force,
            evidence: &evidence,
            reviews: &reviews,
            clean_runs,
        };
        let (reviews, missing) = match promotion(&candidate, profile, &self.in_force(set, profile)) {
            Ok(reviews) => (reviews, Vec::new()),
            Err(missing) => (Vec::new(), missing),
        };
        Ok(Basis { evidence, reviews, clean_runs: Some(clean_runs), missing })
    }

    /// Its reviews, each with whether the reviewer ever submitted it: also one who did so only afterwards.
    fn reviews_with_authorship(&self, id: &Digest) -> Result<Vec<(Noted<Review>, bool)>, Problem> {
        let artifacts = self.artifacts;
        let reviews = artifacts.last_words(id).map_err(|error| storage(&error))?.into_iter();
        let with = |review: Noted<Review>| artifacts.is_author(id, &review.what.by.id).map(|author| (review, author));
        reviews.map(with).collect::<Result<_, _>>().map_err(|error| storage(&error))
    }

    /// Takes the step, if nothing is missing and nothing moved; keeps the evidence either way.
    pub(super) async fn climb(&self, climb: Climb, evidence: EvidenceSet) -> Result<Step, Problem> {
        // INVARIANT (one step at a time): what a step was decided on is still so when it is recorded. Evidence took runs to gather, and meanwhile
        // somebody may have demoted the artifact, objected to it, replaced the policies, or become one of its authors.
        let _turn = self.turn.lock().await;
        let now = self.standing(&climb.artifact)?;
        let stays = now.as_ref().map(|standing| standing.sequence) == climb.before.as_ref().map(|standing| standing.sequence);
        if !stays || self.is_author(&climb.artifact, &climb.by)? != climb.author {
            return Err(moved());
        }
        let basis = self.basis(&climb, now.as_ref(), evidence)?;
        if basis.missing.is_empty() { self.take(climb, basis).await } else { Err(self.fail(climb, basis).await?) }
    }

    async fn take(&self, climb: Climb, basis: Basis) -> Result<Step, Problem> {
        let (evidence, kept) = evidence_change(&basis.evidence);
        let event = event(&climb, evidence, &basis);
        let standing = |sequence, at_ms| Standing {
            tier: climb.profile.tier,
            profile: climb.profile.name.clone(),
            evidence: Some(basis.evidence.mark(evidence)),
            stale_since_ms: None,
            sequence,
            at_ms,
        };
        let decided = climb.decision.as_ref().map(|(_, change)| change.clone()).unwrap_or_default();
        let record = Record::Ladder(Box::new(event.clone()));
        let change = |sequence, at_ms| ladder_change(event, &standing(sequence, at_ms), sequence, at_ms).then(kept).then(decided);
        let (appended, _) = self.log.change(record, change).await.map_err(|error| unrecorded(&error))?;
        Ok(Step {
            artifact: climb.artifact,
            tier: climb.profile.tier,
            profile: climb.profile.name.clone(),
            evidence: Some(evidence),
            stopped: None,
            sequence: appended.sequence,
        })
    }

    /// Records that the step was not taken; what the caller is told.
    async fn fail(&self, climb: Climb, basis: Basis) -> Result<Problem, Problem> {
        let (evidence, kept) = evidence_change(&basis.evidence);
        let event = LadderEvent { step: LadderStep::Failed, to: tier_of(climb.before.as_ref()), ..event(&climb, evidence, &basis) };
        let decided = climb.decision.map(|(_, change)| change).unwrap_or_default();
        let record = Record::Ladder(Box::new(event.clone()));
        let change = |sequence, at_ms| ladder_note(event, sequence, at_ms).then(kept).then(decided);
        self.log.change(record, change).await.map_err(|error| unrecorded(&error))?;
        Ok(refusal(&climb.profile, evidence, basis.missing))
    }
}

fn event(climb: &Climb, evidence: Digest, basis: &Basis) -> LadderEvent {
    let tiers = (tier_of(climb.before.as_ref()), climb.profile.tier);
    LadderEvent {
        evidence: Some(evidence),
        reviews: basis.reviews.clone(),
        clean_runs: basis.clean_runs,
        missing: basis.missing.clone(),
        decision_id: climb.decision.as_ref().map(|(id, _)| id.clone()),
        ..LadderEvent::new(climb.artifact, climb.step, tiers, &climb.profile.name, climb.by.clone())
    }
}

/// Everything that is missing, at once.
fn refusal(profile: &Profile, evidence: Digest, missing: Vec<Missing>) -> Problem {
    let names: Vec<&str> = missing.iter().map(|missing| missing.requirement.as_str()).collect();
    let first = missing.first().map(|first| first.detail.clone()).unwrap_or_default();
    let detail = format!("it may not enter the profile `{}`: {} missing: {first}", profile.name, names.join(", "));
    let code = if missing.iter().any(|missing| missing.requirement == Requirement::StaticChecks) {
        ProblemCode::Rejected
    } else {
        ProblemCode::Conflict
    };
    let mend = missing.first().map(|first| first.remediation.clone()).unwrap_or_default();
    Problem { missing, evidence: Some(evidence), ..Problem::new(code, detail, mend) }
}
