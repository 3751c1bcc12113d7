//! What is allowed by a folder of policies and looks like a slip: each lint has an id, a level, a place and a mend. Lints are advice: what cannot be
//! meant at all is a mistake, which the readers tell.

mod fixtures;
mod hosts;
mod kind;
mod places;
mod reasons;
mod rules;
mod whole;

#[cfg(test)]
mod tests;

pub use kind::{Level, Lint};

use super::suite::{PolicyTest, RequestTest, Suite};
use super::{Profiles, profile};
use crate::config::{ConfigErrors, Mistakes, Position};
use crate::model::Profile;
use places::Places;
use serde::Serialize;
use std::path::Path;

/// One slip, as it looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// What kind it is.
    pub id: Lint,
    /// How bad that is.
    pub level: Level,
    /// The file as messages name it.
    pub file: String,
    /// Where in it.
    #[serde(flatten)]
    pub position: Position,
    /// What was found.
    pub message: String,
    /// How to mend it.
    pub mend: String,
}

/// Everything that is linted.
#[derive(Debug, Clone, Copy)]
pub struct Linted<'a> {
    /// The folder, or the built-in files.
    pub folder: Option<&'a Path>,
    /// Its profiles.
    pub profiles: &'a Profiles,
    /// Its tests.
    pub suite: &'a Suite,
    /// Names of the secrets that the server's configuration has a source for; none when no configuration was named.
    pub secrets: Option<&'a [String]>,
    /// The place of the fixture that answers the request of a test, under this profile.
    pub answers: fn(&Profile, &RequestTest) -> Option<usize>,
}

/// A profile with the places of what it says, and what is linted beside it.
struct Subject<'a> {
    profile: &'a Profile,
    places: &'a Places,
    linted: &'a Linted<'a>,
}

impl Subject<'_> {
    fn advise(&self, id: Lint, position: Position, message: String, mend: impl Into<String>) -> Advice {
        advice(id, &self.places.file, position, message, mend)
    }

    /// The tests of this profile.
    fn tests(&self) -> impl Iterator<Item = &PolicyTest> {
        self.linted.suite.tests().iter().filter(|test| test.profile == self.profile.name)
    }
}

fn advice(id: Lint, file: &str, position: Position, message: String, mend: impl Into<String>) -> Advice {
    Advice { id, level: id.level(), file: file.to_owned(), position, message, mend: mend.into() }
}

/// What looks like a slip, in the order of files and places. Caused by whoever changed a file since its profile was read.
pub fn lint(linted: &Linted<'_>) -> Result<Vec<Advice>, ConfigErrors> {
    let mistakes = Mistakes::default();
    let documents = profile::documents(linted.folder, &mistakes);
    mistakes.none_or(())?;
    let mut found = Vec::new();
    for (name, document) in &documents {
        let Some(profile) = linted.profiles.by_name(name) else { continue };
        let places = Places::of(document);
        let subject = Subject { profile, places: &places, linted };
        found.extend(rules::lint(&subject));
        found.extend(fixtures::lint(&subject));
        found.extend(whole::lint(&subject));
        found.extend(reasons::of_profile(&subject));
    }
    found.extend(linted.suite.tests().iter().flat_map(of_test));
    found.sort_by(|a, b| (&a.file, a.position, a.id).cmp(&(&b.file, b.position, b.id)));
    Ok(found)
}

fn of_test(test: &PolicyTest) -> Vec<Advice> {
    reasons::of_test(test).into_iter().chain(fixtures::of_test(test)).collect()
}
