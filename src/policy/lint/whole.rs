//! What a profile says as a whole: whether anything tests it, when its records are safe, and whether its secrets have a way.

use super::{Advice, Lint, Subject};
use crate::model::{Durability, EgressMode, SecretGrant, Tier};

pub(super) fn lint(subject: &Subject<'_>) -> Vec<Advice> {
    let secrets = subject.profile.egress.secrets.iter().enumerate();
    let secrets = secrets.flat_map(|(index, secret)| [unreachable(subject, index, secret), undefined(subject, index, secret)]);
    [untested(subject), batched(subject)].into_iter().chain(secrets).flatten().collect()
}

fn untested(subject: &Subject<'_>) -> Option<Advice> {
    let name = &subject.profile.name;
    let message = || format!("no test is about the profile `{name}`: nobody notices when it allows more than before");
    let mend = format!("add a [[test]] with profile = \"{name}\" to a file in the folder `tests` beside it");
    let has_none = subject.tests().next().is_none();
    has_none.then(|| subject.advise(Lint::ProfileUntested, subject.places.top.at("name"), message(), mend))
}

fn batched(subject: &Subject<'_>) -> Option<Advice> {
    let profile = subject.profile;
    let loses = profile.tier == Tier::Production && profile.durability == Durability::Batched;
    let message =
        || format!("runs of `{}` are answered before their record is on disk: a loss of power takes the last 50 ms of them", profile.name);
    loses.then(|| {
        subject.advise(
            Lint::BatchedAtTier2,
            subject.places.top.at("durability"),
            message(),
            "write durability = \"strict\", or leave it out",
        )
    })
}

/// In mode `allowlist` the reader of profiles refuses it, so this is about the others.
fn unreachable(subject: &Subject<'_>, index: usize, secret: &SecretGrant) -> Option<Advice> {
    let why = match subject.profile.egress.mode {
        EgressMode::Allowlist => return None,
        EgressMode::Deny => "lets nothing out",
        EgressMode::Synthetic => "answers from fixtures",
    };
    let message = format!("the secret `{}` is for {}, which no rule allows: the profile {why}", secret.name, secret.hosts.join(", "));
    let mend = "remove the [[secret]], unless the code only needs its placeholder in `env`; or write mode = \"allowlist\" with rules for its hosts";
    Some(subject.advise(Lint::SecretUnreachable, place(subject, index, "hosts"), message, mend))
}

fn undefined(subject: &Subject<'_>, index: usize, secret: &SecretGrant) -> Option<Advice> {
    let defined = subject.linted.secrets?;
    if subject.profile.egress.mode != EgressMode::Allowlist || defined.contains(&secret.name) {
        return None;
    }
    let message = format!("the configuration has no source for the secret `{}`: the server would not start", secret.name);
    let mend = format!("add [secrets.{}] with env, file or vault to cordon.toml, or remove the [[secret]]", secret.name);
    Some(subject.advise(Lint::SecretUndefined, place(subject, index, "name"), message, mend))
}

fn place(subject: &Subject<'_>, index: usize, key: &str) -> crate::config::Position {
    subject.places.secrets.get(index).map(|secret| secret.at(key)).unwrap_or(subject.places.top.at("name"))
}
