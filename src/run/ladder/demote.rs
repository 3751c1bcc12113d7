//! Steps down: always allowed to who may take them, at once for new runs, and for running ones when asked for.

use super::steps::Step;
use super::{Stair, tier_of};
use crate::artifact::ladder_change;
use crate::model::{Action, Digest, Door, LadderEvent, LadderStep, Principal, Problem, ProblemCode, Standing, Tier};
use crate::policy::name_of;
use crate::provenance::Record;
use crate::run::conduct::Conduct;
use crate::run::permit::Leave;
use crate::run::shelf::unrecorded;
use crate::store::Batch;

/// What a step down is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demotion {
    /// Why, in the words of whoever orders it.
    pub reason: String,
    /// True when runs above the new tier are to stop, too.
    pub stop_running: bool,
}

impl Conduct {
    /// Takes away whatever `id` has earned. Runs that are asked for from now on meet tier 0; on disk when this returns.
    pub async fn demote(&self, by: Principal, id: Digest, demotion: Demotion, door: Door) -> Result<Step, Problem> {
        let set = self.parts().policy.current();
        let seen = self.standing(&id)?;
        let leave = self.permit_artifact(&set, (&by, Action::Demote, door), &id, seen.as_ref()).await?;
        self.known_artifact(&id)?;
        let down = self.stair().down(id, demotion.reason, by, leave).await;
        // Only now: a run that read the old standing is among those under way by now. Also when the step could not be recorded: what is feared
        // of it does not wait for a disk.
        let stopped = demotion.stop_running.then(|| self.stop_above(&id, Tier::Untrusted));
        let sequence = down?;
        Ok(Step { artifact: id, tier: Tier::Untrusted, profile: name_of(Tier::Untrusted).to_owned(), evidence: None, stopped, sequence })
    }
}

impl Stair<'_> {
    /// Takes away whatever `id` stands on; the sequence number of the step's record. Caused by the caller when it stands on nothing.
    pub(super) async fn down(&self, id: Digest, reason: String, by: Principal, (decision, decided): Leave) -> Result<u64, Problem> {
        let _turn = self.turn.lock().await;
        let before = self.standing(&id)?;
        let from = tier_of(before.as_ref());
        if from == Tier::Untrusted {
            let detail = format!("the artifact {id} stands at tier 0 already");
            return Err(Problem::new(
                ProblemCode::Conflict,
                detail,
                "there is nothing to take away; to forbid it altogether, quarantine it",
            ));
        }
        let tiers = (from, Tier::Untrusted);
        let event = LadderEvent {
            reason: Some(reason),
            decision_id: Some(decision),
            ..LadderEvent::new(id, LadderStep::Demoted, tiers, name_of(Tier::Untrusted), by)
        };
        self.step_down(event, decided).await
    }

    /// Records the step and lets it take effect.
    async fn step_down(&self, event: LadderEvent, decided: Batch) -> Result<u64, Problem> {
        let standing = |sequence, at_ms| Standing {
            tier: event.to,
            profile: event.profile.clone(),
            evidence: None,
            stale_since_ms: None,
            sequence,
            at_ms,
        };
        let record = Record::Ladder(Box::new(event.clone()));
        let change = |sequence, at_ms| ladder_change(event.clone(), &standing(sequence, at_ms), sequence, at_ms).then(decided);
        let changed = self.log.change(record, change).await;
        changed.map(|(appended, _)| appended.sequence).map_err(|error| unrecorded(&error))
    }
}
