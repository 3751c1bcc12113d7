//! Evidence that goes stale: noted when it is seen, and gathered again.

use super::Stair;
use super::climb::Climb;
use super::gather::DAY_MS;
use crate::artifact::{NOTES_MAX, ladder_change};
use crate::model::{Digest, EvidenceSet, LadderEvent, LadderStep, Principal, Problem, Profile, Standing, Tier};
use crate::policy::{InForce, PolicySet, staleness};
use crate::provenance::Record;
use crate::run::conduct::Conduct;
use crate::run::shelf::{storage, unrecorded};
use serde::Serialize;
use std::sync::Arc;

/// Milliseconds before the end of its time at which evidence is gathered again: an hour, so that nothing is refused while that goes on.
const RENEWAL_MS: u64 = 3_600_000;

/// What became of everything above tier 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revalidated {
    /// Whose evidence counts.
    pub fresh: Vec<Digest>,
    /// Whose evidence was gathered again, and suffices.
    pub revalidated: Vec<Digest>,
    /// Whose evidence was gathered again, and does not suffice; with why.
    pub failed: Vec<(Digest, String)>,
}

/// An artifact that stands above tier 0, and on which profile; none when there is no such profile any more.
struct Held {
    id: Digest,
    standing: Standing,
    profile: Option<Arc<Profile>>,
}

impl Conduct {
    /// Looks at everything above tier 0. What stands on stale evidence is noted to do so, once, and its evidence is gathered again: what suffices
    /// takes the place of the stale one. Nothing loses its tier by this; that is what the profile's `stale` says. The host's fault with one is told
    /// when all were looked at.
    pub async fn revalidate(&self, only: Option<Digest>, by: &Principal) -> Result<Revalidated, Problem> {
        let (mut told, mut broken, mut after) = (Revalidated::default(), None, None);
        loop {
            let set = self.parts().policy.current();
            let page = self.parts().artifacts.standings(after.as_ref(), NOTES_MAX).map_err(|error| storage(&error))?;
            after = page.last().map(|(id, _)| *id);
            let last = page.len() < NOTES_MAX;
            for (id, standing) in page {
                if standing.tier > Tier::Untrusted && only.is_none_or(|only| only == id) {
                    let profile = set.profiles.by_name(&standing.profile).filter(|profile| profile.tier == standing.tier).cloned();
                    // What is wrong with one keeps nobody from looking at the next: grace begins only once it is noted.
                    broken = self.look(&set, Held { id, standing, profile }, (by, only.is_some()), &mut told).await.err().or(broken);
                }
            }
            if last {
                return broken.map_or(Ok(told), Err);
            }
        }
    }

    /// `asked`: somebody asked for this one.
    async fn look(&self, set: &PolicySet, held: Held, (by, asked): (&Principal, bool), told: &mut Revalidated) -> Result<(), Problem> {
        let Some(profile) = &held.profile else {
            told.failed.push((held.id, format!("there is no profile `{}` of tier {} any more", held.standing.profile, held.standing.tier)));
            return Ok(());
        };
        let in_force = self.in_force(set, profile);
        let (stale, soon) = held.standing.evidence.as_ref().map_or((true, false), |mark| {
            let soon = mark.expires_at_ms <= in_force.now_ms.saturating_add(RENEWAL_MS);
            (staleness(mark, &in_force).is_some(), soon)
        });
        if stale != held.standing.stale_since_ms.is_some() {
            self.stair().mark_stale((&held.id, &held.standing), stale, by).await?;
        }
        if !stale && !soon {
            told.fresh.push(held.id);
            return Ok(());
        }
        if !asked && self.failed_lately(&held, &in_force)? {
            told.failed.push((held.id, "its evidence of today does not suffice, and nothing has changed since".to_owned()));
            return Ok(());
        }
        match self.again(set, &held, profile, by).await {
            Ok(()) => told.revalidated.push(held.id),
            // The host's fault says nothing about the artifact.
            Err(problem) if problem.status >= 500 => return Err(problem),
            Err(problem) => told.failed.push((held.id, problem.detail)),
        }
        Ok(())
    }

    /// True when evidence of this policy and build was gathered within a day, and is not what the artifact stands on: it did not suffice, and what is
    /// gathered again every few minutes would only fill the log.
    fn failed_lately(&self, held: &Held, in_force: &InForce) -> Result<bool, Problem> {
        let artifacts = &self.parts().artifacts;
        let ids = artifacts.evidence_of(&held.id).map_err(|error| storage(&error))?;
        let stands = held.standing.evidence.map(|mark| mark.id);
        let Some(latest) = ids.first().filter(|id| Some(**id) != stands) else { return Ok(false) };
        let set = artifacts.evidence(latest).map_err(|error| storage(&error))?;
        let lately = |set: &EvidenceSet| in_force.now_ms.saturating_sub(set.at_ms) < DAY_MS;
        let same = |set: &EvidenceSet| set.profile == held.standing.profile && (set.policy, set.build) == (in_force.policy, in_force.build);
        Ok(set.is_some_and(|set| lately(&set) && same(&set)))
    }

    /// Gathers evidence again for the profile that the artifact stands on. Reviews are of the artifact, and stay; clean runs are counted anew, as they are
    /// runs under the evidence in force.
    async fn again(&self, set: &PolicySet, held: &Held, profile: &Arc<Profile>, by: &Principal) -> Result<(), Problem> {
        let artifact = self.known_artifact(&held.id)?;
        let before = self.standing(&held.id)?;
        let stays = |now: &Standing| now.tier == held.standing.tier && now.profile == held.standing.profile;
        if !before.as_ref().is_some_and(stays) {
            return Err(super::moved());
        }
        let evidence = self.evidence(set, &artifact, held.id, profile, by).await?;
        let (profile, by) = (Arc::clone(profile), by.clone());
        let author = self.stair().is_author(&held.id, &by)?;
        let climb = Climb { artifact: held.id, step: LadderStep::Revalidated, profile, before, by, author, decision: None };
        self.stair().climb(climb, evidence).await.map(drop)
    }
}

impl Stair<'_> {
    /// Notes that the evidence of `id`, which stands as was `seen`, is stale from now on, so that the grace time begins; or that it counts again, as when
    /// policies are what they were.
    pub(super) async fn mark_stale(&self, (id, seen): (&Digest, &Standing), stale: bool, by: &Principal) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        // Whoever took a step meanwhile has put it on other evidence, or on none.
        let same = |standing: &Standing| standing.sequence == seen.sequence && standing.stale_since_ms == seen.stale_since_ms;
        let Some(standing) = self.standing(id)?.filter(same) else { return Ok(()) };
        let step = if stale { LadderStep::WentStale } else { LadderStep::FreshAgain };
        let event = LadderEvent {
            evidence: standing.evidence.map(|mark| mark.id),
            ..LadderEvent::new(*id, step, (standing.tier, standing.tier), &standing.profile, by.clone())
        };
        let change = |sequence, at_ms| {
            let standing = Standing { stale_since_ms: stale.then_some(at_ms), ..standing };
            ladder_change(event.clone(), &standing, sequence, at_ms)
        };
        self.log.change(Record::Ladder(Box::new(event.clone())), change).await.map(drop).map_err(|error| unrecorded(&error))
    }
}
