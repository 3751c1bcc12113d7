//! Artifacts without a run: taken in, and served under aliases that move.

use super::conduct::{Conduct, failed};
use super::prepare;
use crate::artifact::{ArtifactsError, SUBMISSIONS_MAX, alias_change, submission_change};
use crate::cell::PREPARE_MEMORY_BYTES;
use crate::intake::judge;
use crate::model::{
    AliasMove, AliasName, AliasRow, Artifact, CheckReport, Digest, Manifest, Origin, Principal, Problem, ProblemCode, Submission, Tier,
};
use crate::provenance::{ProvenanceError, Record};
use crate::store::Batch;
use serde::Serialize;
use std::future::pending;

/// An artifact that is to be taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct NewArtifact {
    /// Its sources.
    pub artifact: Artifact,
    /// Where it came from, as claimed.
    pub origin: Origin,
    /// What comes along.
    pub manifest: Manifest,
}

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
    /// Takes `artifact` in: it is parsed like one that runs, stored by its content, and recorded, again also when something else is said of it.
    /// On disk when this returns.
    pub async fn shelve(&self, principal: Principal, new: NewArtifact) -> Result<Shelved, Problem> {
        let (parts, NewArtifact { artifact, origin, manifest }) = (self.parts(), new);
        self.fits_some_profile(&artifact)?;
        let id = artifact.id();
        let _admitted = parts.admission.admit(PREPARE_MEMORY_BYTES >> 20).await?;
        prepare::prepare(&parts.cells, &parts.artifacts, id, &artifact, pending()).await?;
        let evidence = prepare::examine(&parts.cells, &artifact).await?;
        let set = parts.policy.current();
        let next = set.profiles.default_for(Tier::Validated);
        let severities = next.map(|profile| profile.checks.clone()).unwrap_or_default();
        let checks = judge(&evidence, Tier::Validated, &severities, next.map(|profile| profile.egress.as_ref()));
        let stored = parts.artifacts.store(&id, &artifact).map_err(|error| storage(&error))?;
        let created = !stored.is_empty();
        self.note_submission(Submission { artifact: id, by: principal, origin, manifest }, stored).await?;
        Ok(Shelved { artifact: id, created, checks })
    }

    /// Records who sent what and what they say of it, with what `stored` keeps.
    async fn note_submission(&self, submission: Submission, stored: Batch) -> Result<(), Problem> {
        let (artifacts, log) = (&self.parts().artifacts, &self.parts().log);
        if artifacts.has_submission(&submission).map_err(|error| storage(&error))? && stored.is_empty() {
            return Ok(());
        }
        // What is not kept beside the others is in the log all the same, and the list says that it is full.
        let full = artifacts.submissions(&submission.artifact).map_err(|error| storage(&error))?.len() >= SUBMISSIONS_MAX;
        let author = artifacts.author_change(&submission.artifact, &submission.by).map_err(|error| storage(&error))?;
        let record = Record::Artifact(Box::new(submission.clone()));
        let kept = |sequence, at_ms| if full { Batch::new() } else { submission_change(submission, sequence, at_ms) };
        let change = |sequence, at_ms| kept(sequence, at_ms).then(stored).then(author);
        log.change(record, change).await.map(drop).map_err(|error| unrecorded(&error))
    }

    /// What no profile would run is not taken in.
    fn fits_some_profile(&self, artifact: &Artifact) -> Result<(), Problem> {
        let set = self.parts().policy.current();
        let most = |of: fn(&crate::model::Limits) -> u64| set.profiles.iter().map(|profile| of(&profile.limits)).max().unwrap_or(0);
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
        let now = parts.artifacts.alias(&alias).map_err(|error| storage(&error))?.and_then(|row| row.what.artifact);
        check(&alias, now, to)?;
        if let Some(artifact) = to.artifact
            && parts.artifacts.get(&artifact).map_err(|error| storage(&error))?.is_none()
        {
            let detail = format!("there is no artifact {artifact}");
            return Err(Problem::new(ProblemCode::NotFound, detail, "send it with PUT /v1/artifacts first"));
        }
        let moved = AliasMove { alias: alias.clone(), artifact: to.artifact, previous: now, by: principal };
        let change = |sequence, at_ms| alias_change(moved.clone(), sequence, at_ms);
        let changed = parts.log.change(Record::Alias(moved.clone()), change).await.map_err(|error| unrecorded(&error))?;
        let (appended, at_ms) = changed;
        Ok(AliasRow { what: moved, sequence: appended.sequence, at_ms })
    }

    /// Where `alias` leads, and its latest moves, the newest first. An alias that never was is not found.
    pub fn alias(&self, alias: &AliasName) -> Result<(Option<Digest>, Vec<AliasRow>), Problem> {
        let artifacts = &self.parts().artifacts;
        let moves = artifacts.alias_moves(alias).map_err(|error| storage(&error))?;
        if moves.is_empty() {
            return Err(unknown(alias));
        }
        let now = artifacts.alias(alias).map_err(|error| storage(&error))?;
        Ok((now.and_then(|row| row.what.artifact), moves))
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

pub(super) fn storage(error: &ArtifactsError) -> Problem {
    failed(&error.to_string())
}

pub(super) fn unrecorded(error: &ProvenanceError) -> Problem {
    tracing::error!(%error, "a change of artifacts or aliases was refused because it could not be recorded");
    Problem::new(ProblemCode::InternalError, "the change could not be recorded", "ask the operator to look at the data folder's disk")
}
