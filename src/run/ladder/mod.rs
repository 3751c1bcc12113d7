//! The trust ladder in action: evidence is gathered, steps are asked for, recorded and take effect, each in one batch with its record.
//!
//! Steps are taken one at a time, and reviews are recorded between them. Evidence is gathered without that turn, because it takes runs; when its turn
//! comes, the artifact must still stand where it stood, or nothing happens, and everything else that a step rests on is looked at only then. So a
//! demotion wins against whatever was being gathered, and never waits for it.

mod attempts;
mod climb;
mod demote;
mod fresh;
mod gather;
mod order;
mod review;
mod shown;
mod steps;
#[cfg(test)]
mod tests;

pub use demote::Demotion;
pub use fresh::Revalidated;
pub use order::LadderOrder;
pub use review::NewReview;
pub use steps::Step;

use super::conduct::{Conduct, failed};
use super::shelf::storage;
use crate::artifact::Artifacts;
use crate::model::{Artifact, Digest, Problem, ProblemCode, Profile, Standing, Tier};
use crate::policy::{InForce, Machine, Policies, PolicySet};
use crate::provenance::Log;
use std::sync::Arc;

impl Conduct {
    fn stair(&self) -> Stair<'_> {
        let parts = self.parts();
        Stair { log: &parts.log, artifacts: &parts.artifacts, policy: &parts.policy, machine: self.machine(), turn: self.ladder_turn() }
    }

    fn in_force(&self, set: &PolicySet, profile: &Profile) -> InForce {
        self.stair().in_force(set, profile)
    }

    /// The profile `name` of `tier`; that of the tier when none is named. Caused by the caller.
    fn profile_of_tier(set: &PolicySet, name: Option<&str>, tier: Tier) -> Result<Arc<Profile>, Problem> {
        let name = name.unwrap_or(crate::policy::name_of(tier));
        let shown: String = name.chars().take(64).collect();
        let names: Vec<&str> = set.profiles.iter().filter(|profile| profile.tier == tier).map(|profile| profile.name.as_str()).collect();
        let mend =
            format!("name a profile of tier {tier}: {}", if names.is_empty() { "there is none".to_owned() } else { names.join(", ") });
        match set.profiles.by_name(name) {
            Some(profile) if profile.tier == tier => Ok(Arc::clone(profile)),
            Some(profile) => {
                let detail = format!("the profile `{shown}` is of tier {}, and this step leads to tier {tier}", profile.tier);
                Err(Problem::new(ProblemCode::InvalidRequest, detail, mend))
            }
            None => Err(Problem::new(ProblemCode::InvalidRequest, format!("there is no profile `{shown}`"), mend)),
        }
    }

    /// The artifact `id`. Caused by the caller when nobody sent it.
    fn known_artifact(&self, id: &Digest) -> Result<Artifact, Problem> {
        let found = self.parts().artifacts.get(id).map_err(|error| storage(&error))?;
        let mend = "send it with PUT /v1/artifacts first";
        found.ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("there is no artifact {id}"), mend))
    }

    fn standing(&self, id: &Digest) -> Result<Option<Standing>, Problem> {
        self.stair().standing(id)
    }
}

/// Where steps are taken: all that one needs whose evidence is there.
struct Stair<'a> {
    log: &'a Log,
    artifacts: &'a Artifacts,
    policy: &'a Policies,
    machine: &'a (dyn Machine + Sync),
    /// The turn of whoever takes a step, or records a review.
    turn: &'a tokio::sync::Mutex<()>,
}

impl Stair<'_> {
    /// What evidence for `profile` must agree with now.
    fn in_force(&self, set: &PolicySet, profile: &Profile) -> InForce {
        let machine = self.machine;
        InForce { policy: set.evidence_policy(profile), build: machine.evidence_build(profile), now_ms: machine.now_ms() }
    }

    fn standing(&self, id: &Digest) -> Result<Option<Standing>, Problem> {
        self.artifacts.standing(id).map_err(|error| storage(&error))
    }
}

/// The tier that something stands at.
fn tier_of(standing: Option<&Standing>) -> Tier {
    standing.map_or(Tier::Untrusted, |standing| standing.tier)
}

/// The refusal of a step whose ground moved while it was being prepared.
fn moved() -> Problem {
    let detail = "where the artifact stands, or who its authors are, changed while evidence was gathered";
    Problem::new(ProblemCode::Conflict, detail, "look at it with GET /v1/artifacts/{id}, and decide again")
}

/// The host's fault.
fn broken(error: &impl std::fmt::Display) -> Problem {
    failed(&error.to_string())
}
