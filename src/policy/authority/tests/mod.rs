//! Tests of authorization.

mod mistakes;
mod rights;
mod trouble;

use super::Authority;
use crate::config::ConfigErrors;
use crate::model::{Action, Ask, Door, Principal, Resource, Role, Tier, Verdict};

/// Who asks in these tests.
fn who(id: &str, role: Role) -> Principal {
    Principal { id: id.to_owned(), name: format!("the {role}"), role }
}

/// The kind of thing that an action is done to.
fn resource_of(action: Action) -> Resource<'static> {
    match action {
        Action::Submit | Action::Trial => Resource::Profile { name: "production", tier: Tier::Production },
        Action::ReadRun => Resource::Run { id: "0199", owner: "key:someone", tier: Tier::Validated },
        Action::ReadArtifact
        | Action::Review
        | Action::Validate
        | Action::Promote
        | Action::Demote
        | Action::Quarantine
        | Action::Release => Resource::Artifact { id: "sha256:00", tier: Tier::Validated, authors: &[] },
        Action::ReadLog
        | Action::ReadDecisions
        | Action::ShelveArtifact
        | Action::KillSwitch
        | Action::OpenCohort
        | Action::ManageKeys
        | Action::MoveAlias
        | Action::ReloadPolicy => Resource::Server,
    }
}

/// The answer of `authority` when `principal` asks by the public door.
fn ask(authority: &Authority, principal: &Principal, action: Action, resource: Resource<'_>) -> Verdict {
    authority.decide(&Ask { principal, action, resource, listener: Door::Public })
}

/// What `files` load as.
fn load(files: &[(&str, &str)]) -> Result<Authority, ConfigErrors> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    Authority::load(Some(folder.path()))
}

/// What one file of `text` loads as.
fn policies(text: &str) -> Authority {
    load(&[("a.cedar", text)]).expect("policies without a mistake")
}
