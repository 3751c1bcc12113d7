//! The ladder in the store: standings, steps, reviews, authors, submissions, evidence and clean runs.

use super::{Artifacts, ArtifactsError, read};
use crate::model::{Digest, EvidenceSet, LadderEvent, Noted, Principal, Review, RunId, Standing, Submission};
use crate::store::{Batch, Range, Tree};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Most steps, reviews, submissions, authors or evidence ids of one artifact that are read, and submissions that are kept.
pub const NOTES_MAX: usize = 1000;

/// Most submissions of an artifact that are kept, each with what was said of it: at most 64 KiB.
pub const SUBMISSIONS_MAX: usize = 100;

/// One step of an artifact.
pub type LadderRow = Noted<LadderEvent>;

/// One review of an artifact.
pub type ReviewRow = Noted<Review>;

/// One submission of an artifact.
pub type SubmissionRow = Noted<Submission>;

impl Artifacts {
    /// Where `id` stands; `None` for what never climbed.
    pub fn standing(&self, id: &Digest) -> Result<Option<Standing>, ArtifactsError> {
        self.store.get(Tree::Standings, id.as_bytes())?.map(|bytes| read(&bytes)).transpose()
    }

    /// Everything that stands above tier 0 or ever did, after `after`, in the order of ids; at most `limit`.
    pub fn standings(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<(Digest, Standing)>, ArtifactsError> {
        let first = Range::first(limit);
        let range = after.map_or(first.clone(), |after| first.after(after.as_bytes().as_slice()));
        let rows = self.store.range(Tree::Standings, &range)?;
        rows.into_iter().map(|(key, bytes)| Ok((digest(&key)?, read(&bytes)?))).collect()
    }

    /// The latest steps of `id`, the newest first.
    pub fn steps(&self, id: &Digest) -> Result<Vec<LadderRow>, ArtifactsError> {
        self.latest(Tree::Ladder, id)
    }

    /// The latest reviews of `id`, the newest first.
    pub fn reviews(&self, id: &Digest) -> Result<Vec<ReviewRow>, ArtifactsError> {
        self.latest(Tree::Reviews, id)
    }

    /// The last word of each reviewer of `id` about each profile, however many reviews there are: nobody's is lost among those of others.
    pub fn last_words(&self, id: &Digest) -> Result<Vec<ReviewRow>, ArtifactsError> {
        let mut words = BTreeMap::new();
        let mut range = under(Range::first(NOTES_MAX), id);
        loop {
            let rows = self.store.range(Tree::Reviews, &range)?;
            let last = rows.last().filter(|_| rows.len() == NOTES_MAX).map(|(key, _)| key.clone());
            for (_, bytes) in rows {
                let row: ReviewRow = read(&bytes)?;
                words.insert((row.what.by.id.clone(), row.what.profile.clone()), row);
            }
            let Some(last) = last else { return Ok(words.into_values().collect()) };
            range = range.after(last);
        }
    }

    /// What came along with `id`, in no order of time.
    pub fn submissions(&self, id: &Digest) -> Result<Vec<SubmissionRow>, ArtifactsError> {
        self.latest(Tree::Submissions, id)
    }

    /// Ids of principals who ever submitted `id`. Past [`NOTES_MAX`] the rest is not told, and nobody counts as no author: see [`Artifacts::is_author`].
    pub fn authors(&self, id: &Digest) -> Result<Vec<String>, ArtifactsError> {
        let rows = self.store.range(Tree::Authors, &under(Range::first(NOTES_MAX), id))?;
        Ok(rows.into_iter().map(|(key, _)| String::from_utf8_lossy(&key[Digest::LENGTH..]).into_owned()).collect())
    }

    /// True when `principal` ever submitted `id`.
    pub fn is_author(&self, id: &Digest, principal: &str) -> Result<bool, ArtifactsError> {
        Ok(self.store.get(Tree::Authors, &joined(id, principal.as_bytes()))?.is_some())
    }

    /// The change that makes `by` an author of `id`; empty when it is one.
    pub fn author_change(&self, id: &Digest, by: &Principal) -> Result<Batch, ArtifactsError> {
        if self.is_author(id, &by.id)? {
            return Ok(Batch::new());
        }
        Ok(Batch::new().put(Tree::Authors, joined(id, by.id.as_bytes()), Vec::new()))
    }

    /// True when this was submitted already.
    pub fn has_submission(&self, submission: &Submission) -> Result<bool, ArtifactsError> {
        Ok(self.store.get(Tree::Submissions, &joined(&submission.artifact, submission.digest().as_bytes()))?.is_some())
    }

    /// The evidence set `id`, checked against its id.
    pub fn evidence(&self, id: &Digest) -> Result<Option<EvidenceSet>, ArtifactsError> {
        let Some(bytes) = self.store.get(Tree::Evidence, id.as_bytes())? else { return Ok(None) };
        if Digest::of(&bytes) != *id {
            return Err(ArtifactsError::DamagedNote(format!("evidence {id} has another content")));
        }
        read(&bytes).map(Some)
    }

    /// Ids of the latest evidence sets about `artifact`, the newest first.
    pub fn evidence_of(&self, artifact: &Digest) -> Result<Vec<Digest>, ArtifactsError> {
        let rows = self.store.range(Tree::EvidenceOf, &under(Range::last(NOTES_MAX), artifact))?;
        rows.into_iter().map(|(_, id)| digest(&id)).collect()
    }

    /// How many clean runs `artifact` has under `evidence`, counted up to `most`.
    pub fn clean_runs(&self, artifact: &Digest, evidence: &Digest, most: u64) -> Result<u64, ArtifactsError> {
        let prefix = joined(artifact, evidence.as_bytes());
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(CLEAN_RUNS_MAX);
        let range = Range::first(most).from(prefix.clone()).before([prefix, vec![0xff; RUN_BYTES + 1]].concat());
        Ok(self.store.range(Tree::CleanRuns, &range)?.len() as u64)
    }

    fn latest<T: DeserializeOwned>(&self, tree: Tree, id: &Digest) -> Result<Vec<T>, ArtifactsError> {
        self.store.range(tree, &under(Range::last(NOTES_MAX), id))?.into_iter().map(|(_, bytes)| read(&bytes)).collect()
    }
}

/// Bytes of a run's id.
const RUN_BYTES: usize = 16;

/// Most clean runs that are counted: what a profile can ask for at most.
const CLEAN_RUNS_MAX: usize = 10_000;

/// The change that makes `event` happen, as the log's record number `sequence`; the artifact then stands as `standing` says.
pub fn ladder_change(event: LadderEvent, standing: &Standing, sequence: u64, at_ms: u64) -> Batch {
    let artifact = event.artifact;
    let row = json(&Noted { what: event, sequence, at_ms });
    let batch = Batch::new().put(Tree::Ladder, joined(&artifact, &sequence.to_be_bytes()), row);
    batch.put(Tree::Standings, artifact.as_bytes().as_slice(), json(standing))
}

/// The change that notes `event` and leaves the standing as it is.
pub fn ladder_note(event: LadderEvent, sequence: u64, at_ms: u64) -> Batch {
    let key = joined(&event.artifact, &sequence.to_be_bytes());
    Batch::new().put(Tree::Ladder, key, json(&Noted { what: event, sequence, at_ms }))
}

/// The change that keeps `review`.
pub fn review_change(review: Review, sequence: u64, at_ms: u64) -> Batch {
    let key = joined(&review.artifact, &sequence.to_be_bytes());
    Batch::new().put(Tree::Reviews, key, json(&Noted { what: review, sequence, at_ms }))
}

/// The change that keeps `submission`.
pub fn submission_change(submission: Submission, sequence: u64, at_ms: u64) -> Batch {
    let key = joined(&submission.artifact, submission.digest().as_bytes());
    Batch::new().put(Tree::Submissions, key, json(&Noted { what: submission, sequence, at_ms }))
}

/// The change that keeps `evidence`; its id.
pub fn evidence_change(evidence: &EvidenceSet) -> (Digest, Batch) {
    let (id, bytes) = evidence.stored();
    let of = joined(&evidence.artifact, &[evidence.at_ms.to_be_bytes().as_slice(), id.as_bytes()].concat());
    let batch = Batch::new().put(Tree::Evidence, id.as_bytes().as_slice(), bytes);
    (id, batch.put(Tree::EvidenceOf, of, id.as_bytes().as_slice()))
}

/// The change that counts `run` as clean.
pub fn clean_run_change(artifact: &Digest, evidence: &Digest, run: RunId) -> Batch {
    Batch::new().put(Tree::CleanRuns, [joined(artifact, evidence.as_bytes()).as_slice(), run.0.as_bytes()].concat(), Vec::new())
}

/// All keys that begin with `id`: what follows is never longer than [`TAIL_BYTES`].
fn under(range: Range, id: &Digest) -> Range {
    range.from(id.as_bytes().as_slice()).before(joined(id, &[0xff; TAIL_BYTES]))
}

/// Longer than anything that follows an artifact's id in a key. Source: a principal's id is `key:` and a key's id, or a word.
const TAIL_BYTES: usize = 128;

fn joined(id: &Digest, tail: &[u8]) -> Vec<u8> {
    [id.as_bytes(), tail].concat()
}

/// Plain data with string keys always has a JSON form.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn digest(bytes: &[u8]) -> Result<Digest, ArtifactsError> {
    let bytes: [u8; Digest::LENGTH] = bytes.try_into().map_err(|_| ArtifactsError::DamagedNote("a key is no id".to_owned()))?;
    Ok(bytes.into())
}
