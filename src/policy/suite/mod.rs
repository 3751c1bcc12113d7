//! Tests of policies, `tests/*.toml` in a folder of profiles: what runs under a profile, or its requests, must come to.

mod file;
mod read;
mod source;

#[cfg(test)]
mod tests;

use super::Profiles;
use crate::config::{ConfigErrors, Mistakes, Position};
use crate::model::{Artifact, EgressFixture, Expectation};
use serde_json::Value;
use std::path::Path;

/// All tests of a folder of profiles, in the order of files and places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suite(Vec<PolicyTest>);

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTest {
    /// Its file as messages name it.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// Its name, unique in its file.
    pub name: String,
    /// Why this is expected.
    pub reason: String,
    /// Under which profile.
    pub profile: String,
    /// What is asked.
    pub asked: Asked,
}

/// What a test asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// What comes of a run.
    Run(Box<RunTest>),
    /// What is said of a request.
    Request(RequestTest),
}

/// A run, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTest {
    /// The code.
    pub artifact: Artifact,
    /// Its input.
    pub input: Value,
    /// The export that runs.
    pub entrypoint: String,
    /// Answers to what it sends out. Nothing else answers.
    pub fixtures: Vec<EgressFixture>,
    /// What must come of it.
    pub expect: RunExpectation,
}

/// What must come of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunExpectation {
    /// It starts, and ends like this.
    Ends(Expectation),
    /// It is refused before it starts.
    Refused(ExpectedDecision),
}

/// A request, and what must be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTest {
    /// The method.
    pub method: String,
    /// The URL, of any form: one that is never sent is denied.
    pub url: String,
    /// What must be said.
    pub expect: ExpectedDecision,
}

/// A decision, by the fields that are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDecision {
    /// Whether it allows.
    pub allows: bool,
    /// The rule that decides.
    pub rule: Option<String>,
    /// The code of the refusal.
    pub code: Option<String>,
}

impl Suite {
    /// The tests in the folder `tests` of `folder` (its `*.toml` files), or the built-in ones. A folder without tests has none. `profiles`
    /// are those of `folder`, if they could be read: a test of a profile that is not there is a mistake.
    pub fn load(folder: Option<&Path>, profiles: Option<&Profiles>) -> Result<Self, ConfigErrors> {
        let mistakes = Mistakes::default();
        let tests = file::tests_of(folder, profiles, &mistakes);
        mistakes.none_or(Self(tests))
    }

    /// The tests.
    pub fn tests(&self) -> &[PolicyTest] {
        &self.0
    }
}

impl ExpectedDecision {
    /// What is not as expected, in words; `None` when all is. `rule` and `code` are those of what was decided, where it has them.
    pub fn lack(&self, allows: bool, rule: Option<&str>, code: Option<&str>) -> Option<String> {
        let word = |allows| if allows { "allowed" } else { "denied" };
        if self.allows != allows {
            return Some(format!("it is {}, not {}", word(allows), word(self.allows)));
        }
        let other = |what: &str, wanted: &Option<String>, actual: Option<&str>| {
            let wanted = wanted.as_deref().filter(|wanted| Some(*wanted) != actual)?;
            let actual = actual.map_or_else(|| "by none that has a name".to_owned(), |actual| format!("by `{actual}`"));
            Some(format!("it is {} {actual}, not by the {what} `{wanted}`", word(allows)))
        };
        other("rule", &self.rule, rule).or_else(|| other("code", &self.code, code))
    }
}
