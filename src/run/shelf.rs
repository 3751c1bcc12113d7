//! Artifacts without a run: taken in, and served under aliases that move.

use super::conduct::{Conduct, failed};
use super::prepare;
use crate::artifact::{ArtifactsError, alias_change};
use crate::cell::PREPARE_MEMORY_BYTES;
use crate::intake::judge;
use crate::model::{AliasMove, AliasName, AliasRow, Artifact, CheckReport, Digest, Origin, Principal, Problem, ProblemCode, Tier};
use crate::provenance::{ArtifactEvent, ProvenanceError};
use serde::Serialize;
use std::future::pending;

/// An artifact that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shelved {
    /// Its id.
    pub artifact: Digest,
    /// True when nobody had sent it before.
    pub created: bool,
    /// What the static checks say at tier 1, the next step of the ladder: evidence, and no boundary.
    pub checks: CheckReport,
}

/// Where a caller wants an alias to lead, and what it believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// The artifact; none takes the alias away.
    pub artifact: Option<Digest>,
    /// What the alias must lead to now, for the move to happen; none when that does not matter.
    pub expected: Option<Digest>,
}

impl Conduct {
    /// Takes `artifact` in: it is parsed like one that runs, stored by its content, and recorded the first time. On disk when this returns.
    pub async fn shelve(&self, principal: Principal, artifact: Artifact, origin: Origin) -> Result<Shelved, Problem> {
        let parts = self.parts();
        self.fits_some_profile(&artifact)?;
        let id = artifact.id();
        let _admitted = parts.admission.admit(PREPARE_MEMORY_BYTES >> 20).await?;
        prepare::prepare(&parts.cells, &parts.artifacts, id, &artifact, pending()).await?;
        let evidence = prepare::examine(&parts.cells, &artifact).await?;
        let next = parts.profiles.default_for(Tier::Validated);
        let severities = next.map(|profile| profile.checks.clone()).unwrap_or_default();
        let checks = judge(&evidence, Tier::Validated, &severities, next.map(|profile| profile.egress.as_ref()));
        let with = parts.artifacts.store(&id, &artifact).map_err(|error| storage(&error))?;
        let created = !with.is_empty();
        if created {
            let event = ArtifactEvent { artifact: id, by: principal, origin };
            parts.log.artifact(event, with).await.map_err(|error| unrecorded(&error))?;
        }
        Ok(Shelved { artifact: id, created, checks })
    }

    /// What no profile would run is not taken in.
    fn fits_some_profile(&self, artifact: &Artifact) -> Result<(), Problem> {
        let most =
            |of: fn(&crate::model::Limits) -> u64| self.parts().profiles.iter().map(|profile| of(&profile.limits)).max().unwrap_or(0);
        let (bytes, modules) = (most(|limits| limits.source_bytes), most(|limits| limits.modules));
        if artifact.source_bytes() <= bytes && artifact.modules().len() as u64 <= modules {
            return Ok(());
        }
        let detail = format!(
            "the artifact has {} bytes in {} modules, and no profile takes more than {bytes} bytes or {modules} modules",
            artifact.source_bytes(),
            artifact.modules().len()
        );
        Err(Problem::new(ProblemCode::TooLarge, detail, "send less source, in fewer modules"))
    }

    /// Moves `alias`. Requests that begin after this returned meet the new artifact; nobody meets none in between. On disk when this returns.
    pub async fn move_alias(&self, principal: Principal, alias: AliasName, to: Destination) -> Result<AliasRow, Problem> {
        // One move at a time, so that what was expected is still so when the move is recorded.
        let _turn = self.alias_turn().await;
        let parts = self.parts();
        let now = parts.artifacts.alias(&alias).map_err(|error| storage(&error))?.and_then(|row| row.moved.artifact);
        check(&alias, now, to)?;
        if let Some(artifact) = to.artifact
            && parts.artifacts.get(&artifact).map_err(|error| storage(&error))?.is_none()
        {
            let detail = format!("there is no artifact {artifact}");
            return Err(Problem::new(ProblemCode::NotFound, detail, "send it with PUT /v1/artifacts first"));
        }
        let moved = AliasMove { alias: alias.clone(), artifact: to.artifact, previous: now, by: principal };
        let change = |sequence, at_ms| alias_change(moved.clone(), sequence, at_ms);
        let (appended, at_ms) = parts.log.alias(moved.clone(), change).await.map_err(|error| unrecorded(&error))?;
        Ok(AliasRow { moved, sequence: appended.sequence, at_ms })
    }

    /// Where `alias` leads, and its latest moves, the newest first. An alias that never was is not found.
    pub fn alias(&self, alias: &AliasName) -> Result<(Option<Digest>, Vec<AliasRow>), Problem> {
        let artifacts = &self.parts().artifacts;
        let moves = artifacts.alias_moves(alias).map_err(|error| storage(&error))?;
        if moves.is_empty() {
            return Err(unknown(alias));
        }
        let now = artifacts.alias(alias).map_err(|error| storage(&error))?;
        Ok((now.and_then(|row| row.moved.artifact), moves))
    }

    /// The aliases that lead somewhere, after `after`.
    pub fn aliases(&self, after: Option<&AliasName>) -> Result<Vec<AliasRow>, Problem> {
        self.parts().artifacts.aliases(after).map_err(|error| storage(&error))
    }
}

/// A move that changes nothing is one all the same: it says that somebody wanted it so.
fn check(alias: &AliasName, now: Option<Digest>, to: Destination) -> Result<(), Problem> {
    if to.artifact.is_none() && now.is_none() {
        return Err(unknown(alias));
    }
    match to.expected {
        Some(expected) if now != Some(expected) => {
            let leads = now.map_or_else(|| "nowhere".to_owned(), |now| format!("to {now}"));
            let detail = format!("the alias {alias} leads {leads}, not to {expected}");
            Err(Problem::new(ProblemCode::Conflict, detail, "look at what moved it with GET, and decide again"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The alias leads nowhere.
pub(super) fn unknown(alias: &AliasName) -> Problem {
    let detail = format!("there is no alias {alias}");
    Problem::new(ProblemCode::NotFound, detail, "let an operator make it with PUT /v1/aliases/{alias}, or name an artifact by its id")
}

fn storage(error: &ArtifactsError) -> Problem {
    failed(&error.to_string())
}

fn unrecorded(error: &ProvenanceError) -> Problem {
    tracing::error!(%error, "a change of artifacts or aliases was refused because it could not be recorded");
    Problem::new(ProblemCode::InternalError, "the change could not be recorded", "ask the operator to look at the data folder's disk")
}
