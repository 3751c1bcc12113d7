//! Asking who may do something that is no run.

use super::conduct::Conduct;
use super::noting::{More, about};
use super::shelf::storage;
use crate::model::{Action, Ask, Decision, DecisionEntry, Digest, Door, Principal, Problem, ProblemCode, Resource, Rule, Standing, Tier};
use crate::policy::PolicySet;
use crate::store::Batch;
use serde_json::{Map, Value};
use std::time::Instant;

/// The id of a decision that allows, and the change that notes it.
pub(super) type Leave = (String, Batch);

impl Conduct {
    /// Leave to do what `ask` says, noted when this returns. The principal, or whoever writes policies, causes refusals.
    pub async fn permit(&self, ask: &Ask<'_>) -> Result<(), Problem> {
        let set = self.parts().policy.current();
        let (entry, answer) = self.asked(&set, ask, Map::new());
        // INVARIANT (errors deny): what cannot be noted is not done.
        self.inner().note_decision(&entry).await?;
        answer.map(drop)
    }

    /// What policy says to `ask`, with its entry in the decision log.
    fn asked(&self, set: &PolicySet, ask: &Ask<'_>, request: Map<String, Value>) -> (DecisionEntry, Result<String, Problem>) {
        let started = Instant::now();
        let verdict = set.authority.decide(ask);
        let (role, allowed) = (ask.principal.role, verdict.allowed);
        let (rule, reason) = if allowed {
            (Rule::Granted, format!("policy lets `{role}` do `{}`", ask.action))
        } else {
            (Rule::Authorization, format!("the role `{role}` may not do `{}` here", ask.action))
        };
        let decision = Decision { policies: verdict.policies, errors: verdict.errors, ..Decision::by(rule, reason) };
        self.parts().telemetry.policy_decision(rule, started.elapsed());
        let entry = self.inner().entry(set, ask, &decision, &More { request, traceparent: None });
        let id = decision.decision_id.to_string();
        if allowed {
            return (entry, Ok(id));
        }
        let mend = "use a key of a role that may, or ask the operator for a policy that permits it";
        let problem = Problem::new(ProblemCode::PolicyDenied, decision.reason, mend);
        (entry, Err(Problem { decision_id: Some(id), ..problem }))
    }

    /// Leave for `by` to do `action` to the artifact `id`, which stands as `standing`. A refusal is noted when this returns, leave by the change
    /// that comes with it.
    pub(super) async fn permit_artifact(
        &self,
        set: &PolicySet,
        (by, action, door): (&Principal, Action, Door),
        id: &Digest,
        standing: Option<&Standing>,
    ) -> Result<Leave, Problem> {
        let artifacts = &self.parts().artifacts;
        let mut authors = artifacts.authors(id).map_err(|error| storage(&error))?;
        // The list is cut where it is very long; whether the principal is one of them is never left open.
        if !authors.contains(&by.id) && artifacts.is_author(id, &by.id).map_err(|error| storage(&error))? {
            authors.push(by.id.clone());
        }
        let tier = standing.map_or(Tier::Untrusted, |standing| standing.tier);
        let resource = Resource::Artifact { id: &id.to_string(), tier, authors: &authors };
        let (entry, answer) = self.asked(set, &Ask { principal: by, action, resource, listener: door }, about(*id));
        match answer {
            Ok(decision) => Ok((decision, self.inner().noted_change(&entry)?)),
            Err(problem) => {
                self.inner().note_decision(&entry).await?;
                Err(problem)
            }
        }
    }

    /// What `by` may read of runs that `owner` asked for, at every tier: noted when this returns.
    pub(super) async fn permit_reading(&self, by: &Principal, owner: &str, run: &str, tier: Tier, door: Door) -> Result<(), Problem> {
        self.permit(&Ask { principal: by, action: Action::ReadRun, resource: Resource::Run { id: run, owner, tier }, listener: door }).await
    }
}
