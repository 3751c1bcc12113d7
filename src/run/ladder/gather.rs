//! Evidence: what static checks, contract cases and what was sent out at tier 0 say of an artifact that is to enter a profile.

use super::attempts::Attempts;
use crate::intake::judge;
use crate::model::{
    Artifact, CaseOwner, CaseResult, ContractCase, Digest, Door, EgressGrant, EgressMode, EvidenceSet, LimitsRequest, Manifest, Origin,
    Principal, Problem, Profile, Right, RunReport, RunRequest, RunSource, SentCase,
};
use crate::policy::InForce;
use crate::run::conduct::{Conduct, Under, failed};
use crate::run::{cancellation, prepare};
use serde_json::value::to_raw_value;
use std::sync::Arc;

/// Most contract cases that come with an artifact and are run, over all who sent it: as many as two of them may send.
const OWN_CASES_MAX: usize = 200;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

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
        let submissions = self.parts().artifacts.submissions(&wanted.id).map_err(|error| failed(&error.to_string()))?;
        let mut own: Vec<ContractCase> = Vec::new();
        for Manifest { cases, .. } in submissions.iter().map(|row| &row.what.manifest) {
            for case in cases.iter().map(SentCase::case) {
                if !own.contains(&case) {
                    own.push(case);
                }
            }
        }
        let all = wanted
            .profile
            .cases
            .iter()
            .map(|case| (case, CaseOwner::Profile))
            .chain(own.iter().take(OWN_CASES_MAX).map(|case| (case, CaseOwner::Artifact)));
        let mut results = Vec::new();
        for (case, owner) in all {
            results.push(self.case(wanted, case, owner, attempts).await?);
        }
        // Whoever sends an artifact could have the server busy for good: what is not run is not green.
        let more = own.get(OWN_CASES_MAX).map(|first| unrun(&first.name, own.len()));
        Ok(results.into_iter().chain(more).collect())
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
                let value = serde_json::from_str(report.result.get()).map_err(|error| failed(&error.to_string()))?;
                Ok(result(Some(report.run), Some(report.outcome), case.expect.lack(report.outcome, &value, &report.denials)))
            }
            // The host's lack of room says nothing about the artifact.
            Err(problem) if problem.status >= 500 => Err(problem),
            Err(problem) => Ok(result(None, None, Some(format!("it was refused before it ran: {}", problem.detail)))),
        }
    }
}

/// A case past the most that are run.
fn unrun(name: &str, all: usize) -> CaseResult {
    let lack = format!("it was not run: {all} cases came along with the artifact, and at most {OWN_CASES_MAX} are");
    CaseResult { name: name.to_owned(), owner: CaseOwner::Artifact, run: None, outcome: None, lack: Some(lack) }
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
