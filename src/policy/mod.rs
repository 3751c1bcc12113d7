//! Who may do what: profiles become grants, keys become principals, and each principal has a rate.

pub mod capabilities;
mod grant;
pub mod keys;
mod ladder;
mod profile;
mod rate;

pub use grant::{Granted, Question, Refused, grant};
pub use ladder::{Candidate, Footing, InForce, Staleness, footing, lacks, promotion, staleness};
pub use profile::{Profiles, host_name, host_pattern, missing_secrets, name_of};
pub use rate::{RateLimiter, RetryAfter};
