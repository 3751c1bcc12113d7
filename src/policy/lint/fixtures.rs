//! Fixtures that never answer, and those that nobody tries.

use super::{Advice, Lint, Subject, advice};
use crate::model::{EgressFixture, EgressMode, glob};
use crate::policy::suite::{Asked, PolicyTest};

pub(super) fn lint(subject: &Subject<'_>) -> Vec<Advice> {
    if subject.profile.egress.mode != EgressMode::Synthetic {
        return Vec::new();
    }
    let tried: Vec<usize> = tried(subject);
    let fixtures = &subject.profile.egress.fixtures;
    let place =
        |index: usize| subject.places.fixtures.get(index).map(|fixture| fixture.at("url")).unwrap_or(subject.places.top.at("egress"));
    let each = |(index, fixture): (usize, &EgressFixture)| {
        if let Some(earlier) = fixtures.iter().take(index).find(|earlier| is_wider(earlier, fixture)) {
            return Some(subject.advise(Lint::FixtureShadowed, place(index), shadowed(fixture, earlier), MEND));
        }
        let untried = !tried.contains(&index);
        let message = || format!("no test asks for {} {}", fixture.method, fixture.url);
        let mend = format!("add a [[test]] with request = {{ method = …, url = … }} and profile = \"{}\"", subject.profile.name);
        untried.then(|| subject.advise(Lint::FixtureUntested, place(index), message(), mend))
    };
    fixtures.iter().enumerate().filter_map(each).collect()
}

const MEND: &str = "move it in front of the wider one, or remove it";

/// Fixtures that answer the request of a test which expects an answer.
fn tried(subject: &Subject<'_>) -> Vec<usize> {
    let request = |test: &PolicyTest| match &test.asked {
        Asked::Request(request) if request.expect.allows => (subject.linted.answers)(subject.profile, request),
        Asked::Request(_) | Asked::Run(_) => None,
    };
    subject.tests().filter_map(request).collect()
}

/// Fixtures of a test of its own that never answer.
pub(super) fn of_test(test: &PolicyTest) -> Vec<Advice> {
    let Asked::Run(run) = &test.asked else { return Vec::new() };
    let each = |(index, fixture): (usize, &EgressFixture)| {
        let earlier = run.fixtures.iter().take(index).find(|earlier| is_wider(earlier, fixture))?;
        Some(advice(Lint::FixtureShadowed, &test.file, test.position, shadowed(fixture, earlier), MEND))
    };
    run.fixtures.iter().enumerate().filter_map(each).collect()
}

fn shadowed(fixture: &EgressFixture, earlier: &EgressFixture) -> String {
    format!("{} {} never answers: {} {} does before it", fixture.method, fixture.url, earlier.method, earlier.url)
}

fn is_wider(wide: &EgressFixture, narrow: &EgressFixture) -> bool {
    (wide.method == "*" || wide.method == narrow.method) && glob::covers(&wide.url, &narrow.url)
}
