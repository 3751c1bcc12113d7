//! Steps up: into tier 1 by evidence, into tier 2 by evidence, reviews and clean runs.

use super::climb::Climb;
use super::gather::Wanted;
use super::tier_of;
use crate::model::{Action, Digest, Door, EvidenceSet, LadderStep, Principal, Problem, ProblemCode, Profile, Tier};
use crate::policy::{PolicySet, name_of};
use crate::run::conduct::Conduct;
use serde::Serialize;
use std::sync::Arc;

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The artifact.
    pub artifact: Digest,
    /// Its tier from now on.
    pub tier: Tier,
    /// The profile that it runs under when none is named.
    pub profile: String,
    /// The evidence set that it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// Runs that were told to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<u64>,
    /// The sequence number of the step's record.
    pub sequence: u64,
}

impl Conduct {
    /// Gathers evidence about `id` for a profile of tier 1, and lets it enter that when the evidence suffices. What is missing is the problem's detail,
    /// and the evidence is kept either way.
    pub async fn validate(&self, by: Principal, id: Digest, profile: Option<&str>, door: Door) -> Result<Step, Problem> {
        let set = self.parts().policy.current();
        let profile = Self::profile_of_tier(&set, profile, Tier::Validated)?;
        let (before, author) = (self.standing(&id)?, self.stair().is_author(&id, &by)?);
        let leave = self.permit_artifact(&set, (&by, Action::Validate, door), &id, before.as_ref()).await?;
        let artifact = self.known_artifact(&id)?;
        if tier_of(before.as_ref()) == Tier::Production {
            let detail = "the artifact stands at tier 2, and validation leads to tier 1";
            return Err(Problem::new(
                ProblemCode::Conflict,
                detail,
                "demote it first, or gather its evidence again as it stands with POST /v1/revalidate on the operator listener",
            ));
        }
        let again = before.as_ref().is_some_and(|standing| standing.tier == Tier::Validated && standing.profile == profile.name);
        let step = if again { LadderStep::Revalidated } else { LadderStep::Validated };
        let evidence = self.evidence(&set, &artifact, id, &profile, &by).await?;
        self.stair().climb(Climb { artifact: id, step, profile, before, by, author, decision: Some(leave) }, evidence).await
    }

    /// Lets `id` enter a profile of tier 2, when evidence, reviews and clean runs suffice. What is missing is the problem's detail.
    pub async fn promote(&self, by: Principal, id: Digest, profile: Option<&str>, door: Door) -> Result<Step, Problem> {
        let set = self.parts().policy.current();
        let profile = Self::profile_of_tier(&set, profile, Tier::Production)?;
        let (before, author) = (self.standing(&id)?, self.stair().is_author(&id, &by)?);
        let leave = self.permit_artifact(&set, (&by, Action::Promote, door), &id, before.as_ref()).await?;
        let artifact = self.known_artifact(&id)?;
        let evidence = self.evidence(&set, &artifact, id, &profile, &by).await?;
        self.stair()
            .climb(Climb { artifact: id, step: LadderStep::Promoted, profile, before, by, author, decision: Some(leave) }, evidence)
            .await
    }

    pub(super) async fn evidence(
        &self,
        set: &PolicySet,
        artifact: &crate::model::Artifact,
        id: Digest,
        profile: &Arc<Profile>,
        by: &Principal,
    ) -> Result<EvidenceSet, Problem> {
        let Some(untrusted) = set.profiles.by_name(name_of(Tier::Untrusted)) else {
            return Err(super::broken(&"there is no profile `untrusted`"));
        };
        self.gather(&Wanted { artifact, id, profile, untrusted, in_force: self.in_force(set, profile), by }).await
    }
}
