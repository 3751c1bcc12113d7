//! The words of authorization: who asks to do what, to what, through which door, and what the policies answer.

use super::{Principal, Tier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The listener that a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Door {
    /// The public listener: runs and artifacts.
    Public,
    /// The operator listener.
    Operator,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 2] = [Self::Public, Self::Operator];

    /// Its spelling in policies and decision logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Operator => "operator",
        }
    }
}

/// What a principal asks to do: a closed list, as the schema of the policies has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Run code under a profile.
    Submit,
    /// Run code under a profile above the tier that its artifact has earned.
    Trial,
    /// Read a run: its report, its row in lists.
    ReadRun,
    /// Read an artifact and what is known of it.
    ReadArtifact,
    /// Read and verify the log.
    ReadLog,
    /// Read the decision log.
    ReadDecisions,
    /// Hand in an artifact without running it.
    ShelveArtifact,
    /// Approve an artifact, or object to it.
    Review,
    /// Have an artifact checked for tier 1.
    Validate,
    /// Raise an artifact to production.
    Promote,
    /// Lower an artifact's tier.
    Demote,
    /// Order that something may not run.
    Quarantine,
    /// Lift such an order.
    Release,
    /// Stop runs now and refuse new ones, or lift that.
    KillSwitch,
    /// Open a cohort.
    OpenCohort,
    /// Make, rotate, revoke and list keys.
    ManageKeys,
    /// Decide where an alias leads.
    MoveAlias,
    /// Put changed policies into force.
    ReloadPolicy,
}

impl Action {
    /// Every action, in the order of the schema.
    pub const ALL: [Self; 18] = [
        Self::Submit,
        Self::Trial,
        Self::ReadRun,
        Self::ReadArtifact,
        Self::ReadLog,
        Self::ReadDecisions,
        Self::ShelveArtifact,
        Self::Review,
        Self::Validate,
        Self::Promote,
        Self::Demote,
        Self::Quarantine,
        Self::Release,
        Self::KillSwitch,
        Self::OpenCohort,
        Self::ManageKeys,
        Self::MoveAlias,
        Self::ReloadPolicy,
    ];

    /// Its spelling in policies and decision logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Trial => "trial",
            Self::ReadRun => "readRun",
            Self::ReadArtifact => "readArtifact",
            Self::ReadLog => "readLog",
            Self::ReadDecisions => "readDecisions",
            Self::ShelveArtifact => "shelveArtifact",
            Self::Review => "review",
            Self::Validate => "validate",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Quarantine => "quarantine",
            Self::Release => "release",
            Self::KillSwitch => "killSwitch",
            Self::OpenCohort => "openCohort",
            Self::ManageKeys => "manageKeys",
            Self::MoveAlias => "moveAlias",
            Self::ReloadPolicy => "reloadPolicy",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an action is done to. An action asked of another kind of thing than its own is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A profile: submit, trial.
    Profile {
        /// Its name.
        name: &'a str,
        /// The tier it belongs to.
        tier: Tier,
    },
    /// A run: readRun.
    Run {
        /// Its id; empty for any run of this owner.
        id: &'a str,
        /// The id of the principal that asked for it.
        owner: &'a str,
        /// The tier it ran at.
        tier: Tier,
    },
    /// An artifact: readArtifact, review, validate, promote, demote, quarantine, release.
    Artifact {
        /// Its id.
        id: &'a str,
        /// The tier it has earned.
        tier: Tier,
        /// Ids of the principals that handed it in.
        authors: &'a [String],
    },
    /// The server: everything else.
    Server,
}

/// A question to the policies.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// To do what.
    pub action: Action,
    /// To what.
    pub resource: Resource<'a>,
    /// The listener it came in by.
    pub listener: Door,
}

/// What the policies answered. The default denies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// Ids of the policies that determined it, sorted: those that permit, or those that forbid or failed. None when nothing permits.
    pub policies: Vec<String>,
    /// What went wrong while policies were evaluated, sorted. Any error denies.
    pub errors: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_every_action_and_door_is_the_one_serde_writes() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).ok(), Some(action.as_str().into()));
        }
        for door in Door::ALL {
            assert_eq!(serde_json::to_value(door).ok(), Some(door.as_str().into()));
        }
    }

    #[test]
    fn the_place_of_every_action_in_the_list_is_its_number() {
        for (place, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action as usize, place);
        }
    }
}
