//! Reasons that give none. Whoever reviews a permission later has nothing but its reason.

use super::{Advice, Lint, Subject, advice};
use crate::config::Position;
use crate::policy::suite::PolicyTest;

/// Shortest reason, in characters: no sentence that says what for and for whom is shorter. An estimate.
const CHARS_LEAST: usize = 10;

/// Words that stand where a reason will be.
const PLACEHOLDERS: [&str; 18] = [
    "todo",
    "tbd",
    "fixme",
    "xxx",
    "x",
    "test",
    "testing",
    "tests",
    "temp",
    "temporary",
    "reason",
    "because",
    "needed",
    "asdf",
    "foo",
    "bar",
    "none",
    "n/a",
];

pub(super) fn of_profile(subject: &Subject<'_>) -> Vec<Advice> {
    let egress = &subject.profile.egress;
    let place = |at: Option<Position>| at.unwrap_or(subject.places.top.at("egress"));
    let rules = egress.rules.iter().enumerate().map(|(index, rule)| {
        (place(subject.places.rules.get(index).map(|rule| rule.at("reason"))), format!("the rule for {}", rule.host), &rule.reason)
    });
    let secrets = egress.secrets.iter().enumerate().map(|(index, secret)| {
        (
            place(subject.places.secrets.get(index).map(|secret| secret.at("reason"))),
            format!("the secret `{}`", secret.name),
            &secret.reason,
        )
    });
    let all = rules.chain(secrets).filter(|(_, _, reason)| says_nothing(reason));
    all.map(|(position, whose, reason)| subject.advise(Lint::ReasonPlaceholder, position, said(&whose, reason), MEND)).collect()
}

pub(super) fn of_test(test: &PolicyTest) -> Option<Advice> {
    let message = || said(&format!("the test `{}`", test.name), &test.reason);
    says_nothing(&test.reason).then(|| advice(Lint::ReasonPlaceholder, &test.file, test.position, message(), MEND))
}

const MEND: &str = "say in one sentence what for, and where that was agreed, such as \"orders API, ticket 4711\"";

fn said(whose: &str, reason: &str) -> String {
    format!("the reason of {whose} is `{reason}`, which nobody can review")
}

/// True for a reason that is too short, or made of placeholders alone.
fn says_nothing(reason: &str) -> bool {
    let lower = reason.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric() && c != '/').filter(|word| !word.is_empty());
    reason.trim().chars().count() < CHARS_LEAST || words.all(|word| PLACEHOLDERS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_from_ten_characters_on_unless_they_are_placeholders() {
        for good in ["ticket #11", "orders API, ticket 4711", "to test the reader of orders"] {
            assert!(!says_nothing(good), "{good}");
        }
        for bad in ["", "ticket #1", "TODO", "todo: todo, TBD", "x x x x x x x", "test test test", "..............", "temporary (n/a)"] {
            assert!(says_nothing(bad), "{bad}");
        }
    }
}
