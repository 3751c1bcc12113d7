//! Reviews: what people say of an artifact that is to enter a profile.

use super::Stair;
use crate::artifact::review_change;
use crate::model::{Action, Digest, Door, Noted, Principal, Problem, Review, ReviewVerdict, Tier};
use crate::provenance::Record;
use crate::run::conduct::Conduct;
use crate::run::shelf::unrecorded;
use crate::store::Batch;

/// A review that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    /// The profile that the artifact is to enter; that of tier 2 when none is named.
    pub profile: Option<String>,
    /// What the reviewer says.
    pub verdict: ReviewVerdict,
    /// Why.
    pub comment: String,
}

impl Conduct {
    /// Records a review. On disk when this returns: a promotion that is recorded later has looked at it.
    pub async fn review(&self, by: Principal, id: Digest, review: NewReview, door: Door) -> Result<Noted<Review>, Problem> {
        let set = self.parts().policy.current();
        let profile = Self::profile_of_tier(&set, review.profile.as_deref(), Tier::Production)?;
        let standing = self.standing(&id)?;
        let (decision, decided) = self.permit_artifact(&set, (&by, Action::Review, door), &id, standing.as_ref()).await?;
        self.known_artifact(&id)?;
        let NewReview { verdict, comment, .. } = review;
        let what = Review { artifact: id, profile: profile.name.clone(), verdict, comment, by, decision_id: Some(decision) };
        self.stair().reviewed(what, decided).await
    }
}

impl Stair<'_> {
    /// Records `what`, with what `decided` keeps.
    pub(super) async fn reviewed(&self, what: Review, decided: Batch) -> Result<Noted<Review>, Problem> {
        let _turn = self.turn.lock().await;
        let change = |sequence, at_ms| review_change(what.clone(), sequence, at_ms).then(decided);
        let changed = self.log.change(Record::Review(what.clone()), change).await;
        let (appended, at_ms) = changed.map_err(|error| unrecorded(&error))?;
        Ok(Noted { what, sequence: appended.sequence, at_ms })
    }
}
