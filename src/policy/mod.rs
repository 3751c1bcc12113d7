//! Who may do what: policies decide, profiles become grants, keys become principals, and each principal has a rate.

mod authority;
mod folder;
mod grant;
pub mod keys;
mod profile;
mod rate;

pub use authority::{Authority, PolicyText};
pub use grant::{Granted, Question, Refused, grant};
pub use profile::{Profiles, host_name, host_pattern, missing_secrets, name_of};
pub use rate::{RateLimiter, RetryAfter};
