//! Who may do what: policies decide, profiles become grants, keys become principals, and each principal has a rate.

mod authority;
pub mod capabilities;
mod folder;
mod grant;
pub mod keys;
mod ladder;
pub mod lint;
mod profile;
mod rate;
pub mod replay;
mod set;
pub mod suite;

pub use authority::{Authority, PolicyText};
pub use grant::{Granted, Machine, Question, Refused, Sizes, grant, grant_case};
pub use ladder::{Candidate, Footing, InForce, Staleness, footing, lacks, promotion, staleness};
pub use profile::{Profiles, host_name, host_pattern, missing_secrets, name_of};
pub use rate::{RateLimiter, RetryAfter};
pub use set::{Policies, PolicySet};
