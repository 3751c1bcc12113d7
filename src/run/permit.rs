//! Asking who may do something that is no run.

use super::conduct::Conduct;
use super::shelf::storage;
use crate::model::{Action, Ask, Decision, Digest, Door, Principal, Problem, ProblemCode, Resource, Rule, Standing, Tier};
use crate::policy::PolicySet;
use crate::store::Batch;
use std::time::Instant;

/// The id of a decision that allows, and the change that notes it.
pub(super) type Leave = (String, Batch);

impl Conduct {
    /// Leave for `principal` to do `action` to `resource`. The principal, or whoever writes policies, causes refusals.
    pub fn permit(&self, set: &PolicySet, ask: &Ask<'_>) -> Result<Leave, Problem> {
        let started = Instant::now();
        let verdict = set.authority.decide(ask);
        let role = ask.principal.role;
        let (rule, reason) = if verdict.allowed {
            (Rule::Granted, format!("policy lets `{role}` do `{}`", ask.action))
        } else {
            (Rule::Authorization, format!("the role `{role}` may not do `{}` here", ask.action))
        };
        let decision = Decision { policies: verdict.policies, errors: verdict.errors, ..Decision::by(rule, reason) };
        self.parts().telemetry.policy_decision(rule, started.elapsed());
        if verdict.allowed {
            return Ok((decision.decision_id, Batch::new()));
        }
        let mend = "use a key of a role that may, or ask the operator for a policy that permits it";
        Err(Problem { decision_id: Some(decision.decision_id), ..Problem::new(ProblemCode::PolicyDenied, decision.reason, mend) })
    }

    /// Leave for `by` to do `action` to the artifact `id`, which stands as `standing`.
    pub(super) fn permit_artifact(
        &self,
        set: &PolicySet,
        by: &Principal,
        action: Action,
        id: &Digest,
        standing: Option<&Standing>,
        door: Door,
    ) -> Result<Leave, Problem> {
        // Policies ask of authors only whether the principal is one.
        let author = self.parts().artifacts.is_author(id, &by.id).map_err(|error| storage(&error))?;
        let authors = if author { vec![by.id.clone()] } else { Vec::new() };
        let tier = standing.map_or(Tier::Untrusted, |standing| standing.tier);
        let resource = Resource::Artifact { id: &id.to_string(), tier, authors: &authors };
        self.permit(set, &Ask { principal: by, action, resource, listener: door })
    }
}
