//! Which files have tests.

use super::{PolicyTest, read};
use crate::config::{Document, Mistake, Mistakes};
use crate::policy::Profiles;
use crate::policy::folder::{Kind, documents_in};
use std::path::{Path, PathBuf};

/// The folder of tests, inside that of profiles.
const FOLDER: &str = "tests";

/// The files that tests are in.
const FILES: Kind = Kind { ending: "toml", plural: "files of tests", most: 256 };

/// Most tests of a folder: each may be a run.
const TESTS_MAX: usize = 1000;

/// The built-in tests: file name and text.
const BUILT_IN: [(&str, &str); 3] = [
    ("production", include_str!("../../../policies/tests/production.toml")),
    ("untrusted", include_str!("../../../policies/tests/untrusted.toml")),
    ("validated", include_str!("../../../policies/tests/validated.toml")),
];

/// Every test of `folder`, or the built-in ones. What is wrong is noted.
pub(super) fn tests_of(folder: Option<&Path>, profiles: Option<&Profiles>, mistakes: &Mistakes) -> Vec<PolicyTest> {
    let folder = folder.map(|folder| folder.join(FOLDER));
    let documents = match &folder {
        Some(folder) => documents(folder, mistakes),
        None => BUILT_IN.iter().map(|(stem, text)| Document::new(format!("policies/{FOLDER}/{stem}.toml"), *text)).collect(),
    };
    let tests: Vec<PolicyTest> =
        documents.iter().flat_map(|document| read::tests(document, folder.as_deref(), profiles, mistakes)).collect();
    if tests.len() > TESTS_MAX {
        let message = format!("there are {} tests", tests.len());
        let place = folder.unwrap_or_else(|| PathBuf::from(FOLDER));
        mistakes.note(Mistake::of(place.display().to_string(), message, format!("keep them to {TESTS_MAX}")));
    }
    tests
}

/// A folder of profiles need not have one of tests.
fn documents(folder: &Path, mistakes: &Mistakes) -> Vec<Document> {
    match folder.try_exists() {
        Ok(false) => Vec::new(),
        Ok(true) | Err(_) => documents_in(folder, &FILES, mistakes).into_iter().map(|(_, document)| document).collect(),
    }
}
