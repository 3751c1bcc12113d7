//! Capability profiles: read from `policies/*.toml`, or the built-in ones.

mod bounds;
pub(in crate::policy) mod read;
#[cfg(test)]
#[expect(dead_code, reason = "the schema is made from types that nobody has values of")]
mod schema;
#[cfg(test)]
mod tests;

pub use read::{host_name, host_pattern};

use crate::config::{ConfigErrors, Document, Mistake, Mistakes};
use crate::model::{EgressMode, Profile, Tier};
use crate::policy::folder::{Kind, documents_in};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The built-in profiles: file name and text.
const BUILT_IN: [(&str, &str); 3] = [
    ("untrusted", include_str!("../../../policies/untrusted.toml")),
    ("validated", include_str!("../../../policies/validated.toml")),
    ("production", include_str!("../../../policies/production.toml")),
];

/// The files that profiles are.
const FILES: Kind = Kind { ending: "toml", plural: "profiles", most: 256 };

/// The name of a tier's own profile.
pub fn name_of(tier: Tier) -> &'static str {
    match tier {
        Tier::Untrusted => "untrusted",
        Tier::Validated => "validated",
        Tier::Production => "production",
    }
}

/// Every profile of this server, by name. There is always one called `untrusted`.
#[derive(Debug, Clone)]
pub struct Profiles(BTreeMap<String, Arc<Profile>>);

impl Profiles {
    /// The profiles in `folder` (its `*.toml` files, not those of folders inside it), or the built-in ones. A folder replaces the built-in
    /// ones as a whole: a profile that is not in it does not exist.
    pub fn load(folder: Option<&Path>) -> Result<Self, ConfigErrors> {
        let mistakes = Mistakes::default();
        let documents = match folder {
            Some(folder) => documents_in(folder, &FILES, &mistakes),
            None => {
                BUILT_IN.iter().map(|(stem, text)| ((*stem).to_owned(), Document::new(format!("policies/{stem}.toml"), *text))).collect()
            }
        };
        let mut profiles = BTreeMap::new();
        for (stem, document) in &documents {
            // A profile's name is its file's, so no two profiles of a folder share one.
            profiles.extend(read::read(document, stem, folder, &mistakes).map(|profile| (stem.clone(), Arc::new(profile))));
        }
        let untrusted = name_of(Tier::Untrusted);
        if !documents.iter().any(|(stem, _)| stem == untrusted) && mistakes.count() == 0 {
            let place = folder.unwrap_or(Path::new("policies")).join(format!("{untrusted}.toml"));
            let message = "the file is missing: it is what a run gets that names no profile";
            mistakes.note(Mistake::of(place.display().to_string(), message, "add it, with tier = 0"));
        }
        mistakes.none_or(Self(profiles))
    }

    /// The profile called `name`.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Profile>> {
        self.0.get(name)
    }

    /// The profile that stands for `tier`; none when the operator's folder has left it out. Tier 0 always has one.
    pub fn default_for(&self, tier: Tier) -> Option<&Arc<Profile>> {
        self.by_name(name_of(tier))
    }

    /// Every profile, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.0.values()
    }
}

/// Finds secrets that a profile grants and the server's configuration does not define. Only in mode `allowlist`, where a value is needed:
/// elsewhere a secret is a token that nobody replaces. Caused by the operator's profile or `cordon.toml`.
pub fn missing_secrets(profiles: &Profiles, defined: impl Fn(&str) -> bool) -> Result<(), ConfigErrors> {
    let mistakes = Mistakes::default();
    for profile in profiles.iter().filter(|profile| profile.egress.mode == EgressMode::Allowlist) {
        for name in profile.egress.secrets.iter().map(|secret| &secret.name).filter(|name| !defined(name)) {
            let message =
                format!("the profile `{}` grants the secret `{name}`, which the server's configuration does not define", profile.name);
            let mend = format!("add [secrets.{name}] with env, file or vault to cordon.toml, or remove the [[secret]]");
            mistakes.note(Mistake::of(format!("{}.toml", profile.name), message, mend));
        }
    }
    mistakes.none_or(())
}
