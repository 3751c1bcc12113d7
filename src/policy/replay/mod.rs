//! Recorded decisions, asked again: what other policies would have said.
//!
//! An entry of the decision log has everything that a decision rested on, except what the machine was like: in a replay every hardening layer is in force,
//! and whatever stands above tier 0 stands on fresh evidence.

mod advice;
mod diff;
#[cfg(test)]
mod tests;

pub use advice::would_change;
pub use diff::{Diff, Flip};

use crate::model::{
    Action, Ask, DecisionEntry, Digest, Door, EvidenceMark, Limits, LimitsRequest, Principal, Profile, Resource, Right, Rule, Standing,
    Tier,
};
use crate::policy::{Machine, PolicySet, Question, Sizes, grant};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why a decision cannot be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unreplayable {
    /// It was about a contract case, whose profile is made for it.
    ContractCase,
    /// Its entry was too long, so that a part of the question was cut or left out.
    Cut,
    /// Its entry does not say enough, or says what this build does not know.
    Unknown,
}

impl Unreplayable {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::ContractCase, Self::Cut, Self::Unknown];

    /// Its spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContractCase => "contractCase",
            Self::Cut => "cut",
            Self::Unknown => "unknown",
        }
    }

    /// In words, after a number.
    pub fn words(self) -> &'static str {
        match self {
            Self::ContractCase => "contract cases",
            Self::Cut => "entries of which a part was cut",
            Self::Unknown => "entries that this build cannot read",
        }
    }
}

/// What was asked, as the decision log has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Recorded {
    /// Who asked.
    pub principal: Principal,
    /// To do what.
    pub action: Action,
    /// To what.
    pub resource: Named,
    /// By which listener.
    pub listener: Door,
    /// What more the decision rested on; for runs all of it.
    #[serde(default)]
    pub request: Requested,
}

/// What an action is done to, as the decision log has it: see [`Resource`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of `Resource`")]
pub enum Named {
    /// A profile.
    Profile { name: String, tier: Tier },
    /// A run.
    Run { id: String, owner: String, tier: Tier },
    /// An artifact.
    Artifact { id: String, tier: Tier, authors: Vec<String> },
    /// The server.
    Server,
}

/// What a decision rested on besides who asks to do what.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Requested {
    /// The artifact.
    pub artifact: Option<Digest>,
    /// The profile that the request named.
    pub profile: Option<String>,
    /// Where the artifact stood.
    pub standing: Option<Stood>,
    /// Tighter budgets.
    pub limits: LimitsRequest,
    /// Source text of all modules together, in bytes.
    pub source_bytes: Option<u64>,
    /// Number of modules.
    pub modules: Option<u64>,
    /// Length of the input's JSON text, in bytes.
    pub input_bytes: Option<u64>,
    /// Whether it was a contract case.
    pub contract_case: bool,
    /// By what right the run had its tier, where it was allowed.
    pub right: Option<Right>,
    /// Digest of the grant, where it was allowed.
    pub grant: Option<Digest>,
}

/// Where an artifact stood.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stood {
    /// Its tier.
    pub tier: Tier,
    /// The profile that it earned.
    pub profile: String,
}

/// What policies say to a recorded question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The rule that determines it.
    pub rule: Rule,
    /// What a run would get, where it is allowed one.
    pub limits: Option<Limits>,
}

impl Answer {
    /// Whether it is allowed.
    pub fn allowed(&self) -> bool {
        self.rule.allows()
    }
}

impl Recorded {
    /// What `entry` says was asked.
    ///
    /// Errors: why it cannot be asked again, caused by who asked, or by another build.
    pub fn of(entry: &DecisionEntry) -> Result<Self, Unreplayable> {
        let cut = entry.masked.iter().chain(&entry.erased).any(|pointer| pointer.starts_with("/input"));
        if cut {
            return Err(Unreplayable::Cut);
        }
        let recorded = Self::read(entry).ok_or(Unreplayable::Unknown)?;
        match recorded.action {
            Action::Submit if recorded.request.contract_case => Err(Unreplayable::ContractCase),
            Action::Submit if recorded.request.sizes().is_none() => Err(Unreplayable::Unknown),
            _ => Ok(recorded),
        }
    }

    /// What `entry` says was asked, as far as it is there; `None` when this build cannot read it.
    pub fn read(entry: &DecisionEntry) -> Option<Self> {
        Self::deserialize(&entry.input).ok()
    }

    /// What `set` says to it.
    pub fn answer(&self, set: &PolicySet) -> Answer {
        match (self.action, self.request.sizes()) {
            (Action::Submit, Some(sizes)) => self.run(set, sizes),
            _ => {
                let rule = if set.authority.decide(&self.ask()).allowed { Rule::Granted } else { Rule::Authorization };
                Answer { rule, limits: None }
            }
        }
    }

    /// The question that policies were asked.
    pub fn ask(&self) -> Ask<'_> {
        let resource = match &self.resource {
            Named::Profile { name, tier } => Resource::Profile { name, tier: *tier },
            Named::Run { id, owner, tier } => Resource::Run { id, owner, tier: *tier },
            Named::Artifact { id, tier, authors } => Resource::Artifact { id, tier: *tier, authors },
            Named::Server => Resource::Server,
        };
        Ask { principal: &self.principal, action: self.action, resource, listener: self.listener }
    }

    /// The name of the profile that it was about, if about one.
    pub fn profile(&self) -> Option<&str> {
        match &self.resource {
            Named::Profile { name, .. } => Some(name),
            Named::Run { .. } | Named::Artifact { .. } | Named::Server => None,
        }
    }

    fn run(&self, set: &PolicySet, sizes: Sizes) -> Answer {
        let standing = self.request.standing.as_ref().map(|stood| stood.firmly(set));
        let machine = Ideal::of(set);
        let question = Question {
            principal: &self.principal,
            door: self.listener,
            profile: self.request.profile.as_deref(),
            standing: standing.as_ref(),
            asked: &self.request.limits,
            sizes,
            machine: &machine,
        };
        match grant(set, &question) {
            Ok(granted) => Answer { rule: Rule::Granted, limits: Some(granted.grant().limits) },
            Err(refused) => Answer { rule: refused.decision.rule, limits: None },
        }
    }
}

impl Requested {
    fn sizes(&self) -> Option<Sizes> {
        Some(Sizes { source_bytes: self.source_bytes?, modules: self.modules?, input_bytes: self.input_bytes? })
    }
}

impl Stood {
    /// This standing, on evidence that counts under `set`.
    fn firmly(&self, set: &PolicySet) -> Standing {
        let policy = set.profiles.by_name(&self.profile).map_or_else(build, |profile| set.evidence_policy(profile));
        let evidence = EvidenceMark { id: build(), policy, build: build(), expires_at_ms: u64::MAX };
        Standing { tier: self.tier, profile: self.profile.clone(), evidence: Some(evidence), stale_since_ms: None, sequence: 0, at_ms: 0 }
    }
}

/// The build of all evidence in a replay.
fn build() -> Digest {
    Digest::of(b"cordon/replay/v1")
}

/// A machine that has whatever the profiles of a set require.
struct Ideal(BTreeMap<String, String>);

impl Ideal {
    fn of(set: &PolicySet) -> Self {
        let layers = set.profiles.iter().flat_map(|profile| &profile.require_hardening);
        Self(layers.map(|layer| (layer.clone(), "enforced".to_owned())).collect())
    }
}

impl Machine for Ideal {
    fn hardening(&self, _: &Profile) -> &BTreeMap<String, String> {
        &self.0
    }

    fn evidence_build(&self, _: &Profile) -> Digest {
        build()
    }

    fn now_ms(&self) -> u64 {
        0
    }
}
