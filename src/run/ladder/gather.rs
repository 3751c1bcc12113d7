//! Evidence: what static checks, contract cases and what was sent out at tier 0 say of an artifact that is to enter a profile.

use super::attempts::Attempts;
use crate::intake::judge;
use crate::model::{
    Artifact, CaseOwner, CaseResult, ContractCase, Digest, Door, EgressGrant, EgressMode, EvidenceSet, LimitsRequest, Origin, Principal,
    Problem, Profile, Right, RunReport, RunRequest, RunSource, SentCase,
};
use crate::policy::InForce;
use crate::run::conduct::{Conduct, Under, failed};
use crate::run::{cancellation, prepare};
use serde_json::value::to_raw_value;
use std::sync::Arc;

/// Milliseconds of a day.
pub(super) const DAY_MS: u64 = 86_400_000;

/// What evidence is gathered about, for which profile, for whom.
pub(super) struct Wanted<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) id: Digest,
    pub(super) profile: &'a Arc<Profile>,
    /// The profile of tier 0, whose budgets contract cases have.
    pub(super) untrusted: &'a Arc<Profile>,
    pub(super) in_force: InForce,
    pub(super) by: &'a Principal,
}

impl Conduct {
    /// Gathers evidence. What it says is not looked at here.
    pub(super) async fn gather(&self, wanted: &Wanted<'_>) -> Result<EvidenceSet, Problem> {
        let (parts, profile) = (self.parts(), wanted.profile);
        let seen = {
            let _admitted = parts.admission.admit(crate::cell::PREPARE_MEMORY_BYTES >> 20).await?;
            prepare::examine(&parts.cells, wanted.artifact).await?
        };
        let mut attempts = Attempts::new(profile);
        let cases = self.cases(wanted, &mut attempts).await?;
        self.recorded(&wanted.id, &mut attempts)?;
        Ok(EvidenceSet {
            artifact: wanted.id,
            profile: profile.name.clone(),
            tier: profile.tier,
            policy: wanted.in_force.policy,
            build: wanted.in_force.build,
            at_ms: wanted.in_force.now_ms,
            expires_at_ms: wanted.in_force.now_ms.saturating_add(profile.promotion.evidence_days.saturating_mul(DAY_MS)),
            by: wanted.by.clone(),
            checks: judge(&seen, profile.tier, &profile.checks, Some(&profile.egress)),
            egress: attempts.report(),
            cases,
        })
    }

    /// Runs every case: those of the profile's owner, and those that came with the artifact.
    async fn cases(&self, wanted: &Wanted<'_>, attempts: &mut Attempts<'_>) -> Result<Vec<CaseResult>, Problem> {
        let own = self.own_cases(&wanted.id)?;
        let owners = wanted.profile.cases.iter().map(|case| (case, CaseOwner::Profile));
        let mut results = Vec::new();
        for (case, owner) in owners.chain(own.iter().map(|case| (case, CaseOwner::Artifact))) {
            results.push(self.case(wanted, case, owner, attempts).await?);
        }
        Ok(results)
    }

    /// The cases that came with the artifact: those of the first submission that brought some. What is sent later cannot spoil what stands.
    fn own_cases(&self, id: &Digest) -> Result<Vec<ContractCase>, Problem> {
        let submissions = self.parts().artifacts.submissions(id).map_err(|error| failed(&error.to_string()))?;
        let first = submissions.iter().filter(|row| !row.what.manifest.cases.is_empty()).min_by_key(|row| row.sequence);
        Ok(first.map(|row| row.what.manifest.cases.iter().map(SentCase::case).collect()).unwrap_or_default())
    }

    async fn case(
        &self,
        wanted: &Wanted<'_>,
        case: &ContractCase,
        owner: CaseOwner,
        attempts: &mut Attempts<'_>,
    ) -> Result<CaseResult, Problem> {
        let right = Right::Contract { case: case.name.clone(), owner, profile: wanted.profile.name.clone() };
        let stage = Arc::new(stage(wanted, case));
        // The run's record may tell these answers by digest only.
        self.parts().log.keep_egress(&stage.egress).await.map_err(|error| failed(&error.to_string()))?;
        let under = Under::Contract(stage, right);
        let (_guard, cancel) = cancellation();
        let result = |run, outcome, lack| CaseResult { name: case.name.clone(), owner, run, outcome, lack };
        match self.submit_under(wanted.by.clone(), request(wanted.id, case)?, under, cancel).await {
            Ok(report) => {
                let report: RunReport = serde_json::from_slice(&report).map_err(|error| failed(&error.to_string()))?;
                attempts.add(&report);
                // A result may nest deeper than what it could be compared with.
                let lack = match serde_json::from_str(report.result.get()) {
                    Ok(value) => case.expect.lack(report.outcome, &value, &report.denials),
                    Err(error) => Some(format!("its result cannot be compared: {error}")),
                };
                Ok(result(Some(report.run), Some(report.outcome), lack))
            }
            // The host's lack of room says nothing about the artifact.
            Err(problem) if problem.status >= 500 => Err(problem),
            Err(problem) => Ok(result(None, None, Some(format!("it was refused before it ran: {}", problem.detail)))),
        }
    }
}

fn request(id: Digest, case: &ContractCase) -> Result<RunRequest, Problem> {
    Ok(RunRequest {
        door: Door::Operator,
        source: RunSource::Stored(id),
        input: to_raw_value(&case.input).map_err(|error| failed(&error.to_string()))?,
        entrypoint: case.entrypoint.clone(),
        profile: None,
        limits: LimitsRequest::default(),
        origin: Origin::default(),
        traceparent: None,
        served: false,
    })
}

/// The profile of one case: tier 0 with its budgets, never wider than those of the profile that the artifact is to enter; that profile's
/// variables and placeholders; and the case's answers in place of a network.
fn stage(wanted: &Wanted<'_>, case: &ContractCase) -> Profile {
    let (untrusted, profile) = (wanted.untrusted, wanted.profile);
    let egress = EgressGrant {
        mode: EgressMode::Synthetic,
        rules: Vec::new(),
        fixtures: case.fixtures.clone(),
        secrets: profile.egress.secrets.clone(),
    };
    Profile {
        limits: untrusted.limits.least(&profile.limits),
        vars: profile.vars.clone(),
        egress: Arc::new(egress.into()),
        ..untrusted.as_ref().clone()
    }
}
