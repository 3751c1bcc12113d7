//! What is told of an artifact.

use super::broken;
use crate::artifact::SUBMISSIONS_MAX;
use crate::model::{Action, Digest, Door, Durability, Principal, Problem, Standing, Tier};
use crate::policy::{InForce, footing, name_of, staleness};
use crate::run::conduct::Conduct;
use crate::run::shelf::storage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most evidence sets that are told whole; of older ones the ids.
const EVIDENCE_TOLD: usize = 5;

impl Conduct {
    /// Everything that is known of the artifact `id`; with its sources when `sources`. Refused to who may not read it as to who names nothing.
    pub async fn artifact_shown(&self, by: &Principal, id: Digest, sources: bool, door: Door) -> Result<Value, Problem> {
        let set = self.parts().policy.current();
        let standing = self.standing(&id)?;
        let (_, noted) = self.permit_artifact(&set, (by, Action::ReadArtifact, door), &id, standing.as_ref()).await?;
        let store = self.parts().log.store();
        store.commit(noted, Durability::Batched).await.map_err(|error| broken(&error))?;
        let (artifact, artifacts) = (self.known_artifact(&id)?, &self.parts().artifacts);
        let modules: BTreeMap<&str, Value> = artifact
            .modules()
            .iter()
            .map(|(name, source)| {
                let told = json!({ "bytes": source.len(), "digest": Digest::of(source.as_bytes()) });
                (name.as_str(), if sources { json!(source) } else { told })
            })
            .collect();
        let submissions = artifacts.submissions(&id).map_err(|error| storage(&error))?;
        let authors = artifacts.authors(&id).map_err(|error| storage(&error))?;
        Ok(json!({
            "artifact": id,
            "mainModule": artifact.main_module(),
            "modules": modules,
            "sourceBytes": artifact.source_bytes(),
            "tier": standing.as_ref().map_or(Tier::Untrusted, |standing| standing.tier),
            "profile": standing.as_ref().map_or(name_of(Tier::Untrusted), |standing| standing.profile.as_str()),
            "standing": standing.as_ref().map(|standing| self.footing_shown(&id, standing)).transpose()?,
            "authors": authors,
            "submissions": submissions,
            "submissionsFull": submissions.len() >= SUBMISSIONS_MAX,
            "reviews": artifacts.reviews(&id).map_err(|error| storage(&error))?,
            "steps": artifacts.steps(&id).map_err(|error| storage(&error))?,
            "evidence": self.evidence_shown(&id)?,
        }))
    }

    /// The standing, and whether it holds now.
    fn footing_shown(&self, id: &Digest, standing: &Standing) -> Result<Value, Problem> {
        let set = self.parts().policy.current();
        let mut told = serde_json::to_value(standing).map_err(|error| broken(&error))?;
        let Some(profile) = set.profiles.by_name(&standing.profile) else { return Ok(told) };
        let in_force: InForce = self.in_force(&set, profile);
        let stale = standing.evidence.as_ref().and_then(|mark| staleness(mark, &in_force)).map(|why| why.words());
        let runs = match footing(standing, profile, &in_force) {
            crate::policy::Footing::Firm => "runs",
            crate::policy::Footing::Grace { .. } => "grace",
            crate::policy::Footing::Lost(_) | crate::policy::Footing::None => "refused",
        };
        let clean = standing.evidence.map_or(Ok(0), |mark| self.parts().artifacts.clean_runs(id, &mark.id, u64::MAX));
        told["stale"] = json!(stale);
        told["state"] = json!(if standing.tier == Tier::Untrusted { "runs" } else { runs });
        told["cleanRuns"] = json!(clean.map_err(|error| storage(&error))?);
        Ok(told)
    }

    fn evidence_shown(&self, id: &Digest) -> Result<Vec<Value>, Problem> {
        let artifacts = &self.parts().artifacts;
        let ids = artifacts.evidence_of(id).map_err(|error| storage(&error))?;
        let told = |(index, id): (usize, &Digest)| {
            let whole = if index < EVIDENCE_TOLD { artifacts.evidence(id).map_err(|error| storage(&error))? } else { None };
            Ok(json!({ "id": id, "set": whole }))
        };
        ids.iter().enumerate().map(told).collect()
    }
}
