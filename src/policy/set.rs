//! The policy in force: profiles and authorization together, replaced as a whole or not at all.

use super::{Authority, Profiles, name_of};
use crate::config::ConfigErrors;
use crate::model::{Digest, Profile, Tier};
use arc_swap::ArcSwap;
use std::path::Path;
use std::sync::Arc;

/// One consistent set of profiles and policies.
#[derive(Debug)]
pub struct PolicySet {
    /// The profiles.
    pub profiles: Profiles,
    /// Who may do what.
    pub authority: Authority,
    revision: Digest,
}

impl PolicySet {
    /// The set in `folder`, or the built-in one. The operator causes mistakes; all of them are told.
    pub fn load(folder: Option<&Path>) -> Result<Self, ConfigErrors> {
        match (Profiles::load(folder), Authority::load(folder)) {
            (Ok(profiles), Ok(authority)) => Ok(Self::new(profiles, authority)),
            (Err(one), Err(other)) => Err(one.and(other)),
            (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
        }
    }

    /// A set of these.
    pub fn new(profiles: Profiles, authority: Authority) -> Self {
        let digests = profiles.iter().map(|profile| profile.digest).chain([authority.digest()]);
        let digests: Vec<Digest> = digests.collect();
        let revision = Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice()));
        Self { profiles, authority, revision }
    }

    /// Digest over all of it.
    pub fn revision(&self) -> Digest {
        self.revision
    }

    /// Digest of all policy that evidence for `profile` rests on: that profile, and the one of tier 0, under whose budgets contract cases run. A change
    /// of another profile, or of who may do what, makes no evidence stale.
    pub fn evidence_policy(&self, profile: &Profile) -> Digest {
        let untrusted = self.profiles.by_name(name_of(Tier::Untrusted)).map(|profile| profile.digest);
        let parts = [b"cordon/evidence-policy/v1".to_vec(), bytes(untrusted), bytes(Some(profile.digest))];
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }
}

fn bytes(digest: Option<Digest>) -> Vec<u8> {
    digest.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default()
}

/// The policy in force, and its replacement while everything runs. Readers take no lock, and each works with one set to its end.
#[derive(Debug)]
pub struct Policies(ArcSwap<PolicySet>);

impl Policies {
    /// `set` is in force.
    pub fn new(set: PolicySet) -> Self {
        Self(ArcSwap::from_pointee(set))
    }

    /// The set in force.
    pub fn current(&self) -> Arc<PolicySet> {
        self.0.load_full()
    }

    /// From now on `set` is in force; the one before.
    pub fn replace(&self, set: PolicySet) -> Arc<PolicySet> {
        self.0.swap(Arc::new(set))
    }
}
