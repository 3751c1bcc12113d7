//! What can be asked of the ladder about one artifact.

use super::{Demotion, NewReview, broken};
use crate::model::{Digest, Door, Principal, Problem};
use crate::run::conduct::Conduct;
use serde_json::{Value, to_value};

/// A step, or a review, that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LadderOrder {
    /// Gather evidence for a profile of tier 1, and enter it.
    Validate {
        /// The profile; that of the tier when none is named.
        profile: Option<String>,
    },
    /// Enter a profile of tier 2.
    Promote {
        /// The profile; that of the tier when none is named.
        profile: Option<String>,
    },
    /// Lose what was earned.
    Demote(Demotion),
    /// Record a review.
    Review(NewReview),
}

impl Conduct {
    /// Does what `order` asks about `id`, for `by`; what was recorded, as JSON.
    pub async fn ladder(&self, by: Principal, id: Digest, order: LadderOrder, door: Door) -> Result<Value, Problem> {
        let told = match order {
            LadderOrder::Validate { profile } => to_value(self.validate(by, id, profile.as_deref(), door).await?),
            LadderOrder::Promote { profile } => to_value(self.promote(by, id, profile.as_deref(), door).await?),
            LadderOrder::Demote(demotion) => to_value(self.demote(by, id, demotion, door).await?),
            LadderOrder::Review(review) => to_value(self.review(by, id, review, door).await?),
        };
        told.map_err(|error| broken(&error))
    }
}
