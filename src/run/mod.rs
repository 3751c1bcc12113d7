//! The conduct of a run: admit, grant, record the intent, execute, seal; each step takes what only the step before it gives.

mod admission;
mod code;
mod conduct;
mod decide;
mod errands;
mod idempotency;
mod ladder;
mod noted;
mod noting;
mod observe;
mod outbound;
mod permit;
mod prepare;
mod reading;
mod shelf;
mod signals;
mod steps;
mod verdict;

pub use admission::{Admission, Admitted, Capacity};
pub use conduct::{Answer, Conduct, Parts};
pub use errands::{ServedAnswer, ServedPiece, Serving};
pub use idempotency::Idempotency;
pub use ladder::{Demotion, LadderOrder, NewReview, Revalidated, Step};
pub use prepare::examine;
pub use reading::{Page, Reach, RunFilter, unreadable};
pub use shelf::{Destination, NewArtifact, Shelved};
pub use signals::{CancelGuard, CancelSignal, cancellation};
