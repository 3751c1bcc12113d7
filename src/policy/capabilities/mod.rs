//! What a profile grants, told to whoever writes code for it: as data, as TypeScript declarations, and as a short text for a model.
//!
//! Pure rendering. No value of a variable or secret, no body or header of a fixture is in any of it. Whatever comes from a profile's file is shown as one
//! line of visible characters, so that it can neither end a comment nor pass for a line of this page.

mod brief;
mod declare;
#[cfg(test)]
pub(crate) mod samples;
mod sentences;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use brief::brief;
pub use declare::declarations;
pub use view::{Capabilities, Egress, Entrypoint, Fixture, Platform, Rule, Secret};

use super::PolicySet;
use crate::model::{Action, Ask, Door, Principal, Profile, Resource};

/// What a principal may do with a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Run code under it.
    Run,
    /// Read what it grants.
    Read,
}

/// What `principal` may do with `profile`, by the policies in force; none when it is not told that there is such a profile. The one place that decides
/// it: whoever may submit under it, and whoever reads the log, which names it.
pub fn access(set: &PolicySet, principal: &Principal, profile: &Profile) -> Option<Access> {
    let may = |action, resource| set.authority.decide(&Ask { principal, action, resource, listener: Door::Public }).allowed;
    if may(Action::Submit, Resource::Profile { name: &profile.name, tier: profile.tier }) {
        return Some(Access::Run);
    }
    may(Action::ReadLog, Resource::Server).then_some(Access::Read)
}

/// How one profile's capabilities are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// [`Capabilities`] and [`Platform`] as JSON.
    #[default]
    Json,
    /// [`declarations`].
    Declarations,
    /// [`brief`].
    Text,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Json, Self::Declarations, Self::Text];

    /// Its name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Declarations => "d.ts",
            Self::Text => "text",
        }
    }
}
