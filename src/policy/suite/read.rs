//! `[[test]]`: one file of tests becomes tests, or every mistake in it.

use super::source;
use super::{Asked, ExpectedDecision, PolicyTest, RequestTest, RunExpectation, RunTest};
use crate::config::{Document, Mistakes, Reader};
use crate::model::{Artifact, ProblemCode, Rule};
use crate::policy::Profiles;
use crate::policy::profile::read::{Bodies, Tried, read_expect, read_tried, sentence};
use std::path::Path;

/// Most tests of a file: as many as of a folder.
const TESTS_MAX: usize = 1000;

/// Longest URL that a test asks about, in bytes: twice what is ever sent, so that tests reach past that limit.
const URL_BYTES_MAX: usize = 16 << 10;

/// Keys that only a run has.
const RUN_KEYS: [&str; 8] = ["code", "modules", "main", "file", "input", "input_json", "entrypoint", "fixture"];

const DECISIONS: [(&str, bool); 2] = [("allow", true), ("deny", false)];

/// The tests in `document`, whose other files are in `folder`; what is built in has none.
pub(super) fn tests(document: &Document, folder: Option<&Path>, profiles: Option<&Profiles>, mistakes: &Mistakes) -> Vec<PolicyTest> {
    let mut names: Vec<String> = Vec::new();
    let mut bodies = Bodies::beside(folder);
    let read = document.read(mistakes, |reader| {
        reader.tables("test", TESTS_MAX, |reader| {
            let test = test(reader, document.name(), folder, profiles, &mut bodies)?;
            if names.contains(&test.name) {
                reader.note_at("name", format!("a test `{}` is there already", test.name), "give it another name");
            }
            names.push(test.name.clone());
            Some(test)
        })
    });
    read.flatten().into_iter().flatten().flatten().collect()
}

fn test(
    reader: &mut Reader<'_>,
    file: &str,
    folder: Option<&Path>,
    profiles: Option<&Profiles>,
    bodies: &mut Bodies<'_>,
) -> Option<PolicyTest> {
    reader.require(&["profile", "reason", "expect"]);
    let reason = reader.checked("reason", "say in one sentence why this is expected, so that whoever sees it fail can judge", sentence);
    let profile = profile(reader, profiles);
    let (name, asked) = if reader.has("request") { request(reader, bodies) } else { run(reader, folder, bodies) };
    Some(PolicyTest {
        file: file.to_owned(),
        position: reader.position("name"),
        name: name?,
        reason: reason?,
        profile: profile?,
        asked: asked?,
    })
}

fn profile(reader: &mut Reader<'_>, profiles: Option<&Profiles>) -> Option<String> {
    let names: Vec<&str> = profiles.into_iter().flat_map(Profiles::iter).map(|profile| profile.name.as_str()).take(16).collect();
    let mend = format!("name a profile of the folder, such as: {}", names.join(", "));
    reader.checked("profile", &mend, |name| {
        let known = profiles.is_none_or(|profiles| profiles.by_name(name).is_some());
        if known { Ok(name.to_owned()) } else { Err(format!("there is no profile `{name}`")) }
    })
}

fn run(reader: &mut Reader<'_>, folder: Option<&Path>, bodies: &mut Bodies<'_>) -> (Option<String>, Option<Asked>) {
    let artifact = source::artifact(reader, folder);
    let expect = reader
        .section("expect", |expect| if expect.has("decision") { refused(expect) } else { Some(RunExpectation::Ends(read_expect(expect))) });
    let Some(Tried { name, input, entrypoint, fixtures }) = read_tried(reader, bodies) else { return (None, None) };
    let asked = |artifact: Artifact, expect| Asked::Run(Box::new(RunTest { artifact, input, entrypoint, fixtures, expect }));
    (Some(name), artifact.zip(expect).map(|(artifact, expect)| asked(artifact, expect)))
}

/// A run that is expected to be refused. One that is expected to be allowed says how it ends.
fn refused(reader: &mut Reader<'_>) -> Option<RunExpectation> {
    let decision = decision(reader, rule_of_runs, code_of_runs)?;
    if decision.allows {
        reader.note_at("decision", "a run that starts comes to an end", "write `outcome` in place of `decision`");
        return None;
    }
    Some(RunExpectation::Refused(decision))
}

fn request(reader: &mut Reader<'_>, bodies: &mut Bodies<'_>) -> (Option<String>, Option<Asked>) {
    for key in RUN_KEYS {
        reader.refuse(key, &format!("`{key}` is of a run, and this test is of a request"), "remove it, or `request`");
    }
    let asked = reader.section("request", |request| {
        request.require(&["url"]);
        let method = request.text("method").unwrap_or_else(|| "GET".to_owned());
        request.long_text("url", URL_BYTES_MAX).map(|url| (method, url))
    });
    let expect = reader.section("expect", |expect| {
        expect.require(&["decision"]);
        decision(expect, plain, plain)
    });
    let name = read_tried(reader, bodies).map(|tried| tried.name);
    (name, asked.zip(expect).map(|((method, url), expect)| Asked::Request(RequestTest { method, url, expect })))
}

/// A decision whose rule and code are ones that there are.
fn decision(
    reader: &mut Reader<'_>,
    rule: fn(&str) -> Result<String, String>,
    code: fn(&str) -> Result<String, String>,
) -> Option<ExpectedDecision> {
    let allows = reader.choice("decision", &DECISIONS);
    let rule = reader.checked("rule", "write it as refusals show it, or leave it out", rule);
    let code = reader.checked("code", "write it as refusals show it, or leave it out", code);
    if allows == Some(true) && code.is_some() {
        reader.note_at("code", "what is allowed has no code of a refusal", "remove it");
    }
    Some(ExpectedDecision { allows: allows?, rule, code })
}

fn rule_of_runs(text: &str) -> Result<String, String> {
    let known = Rule::ALL.into_iter().any(|rule| rule.as_str() == text);
    let names = || Rule::ALL.map(Rule::as_str).join(", ");
    if known { Ok(text.to_owned()) } else { Err(format!("`{text}` is none of: {}", names())) }
}

fn code_of_runs(text: &str) -> Result<String, String> {
    let known = ProblemCode::ALL.into_iter().any(|code| code.as_str() == text);
    if known { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the code of a refusal")) }
}

fn plain(text: &str) -> Result<String, String> {
    sentence(text)
}
