//! What would change a decision, in words: which requests to make, or what the operator would change.

use super::{Named, Recorded, Requested};
use crate::model::{Action, Ask, Door, Principal, Profile, Resource, Right, Role, Rule, Tier};
use crate::policy::PolicySet;

/// Most names of profiles in one sentence.
const NAMES_MAX: usize = 16;

/// What would change the decision by `rule` on what was asked, under the policies of `set`: a sentence each.
pub fn would_change(asked: &Recorded, rule: Rule, set: &PolicySet) -> Vec<String> {
    let profile = asked.profile().and_then(|name| set.profiles.by_name(name));
    match rule {
        Rule::Granted => vec![granted(asked)],
        Rule::Authorization => authorization(asked, set),
        Rule::Tier => tier(asked, set, profile.map(AsRef::as_ref)),
        Rule::Evidence => evidence(&asked.request),
        Rule::UnknownProfile => {
            vec![format!("leave `profile` out, or name one of: {}", names(set.profiles.iter().map(|known| &known.name)))]
        }
        Rule::Hardening => hardening(profile.map(AsRef::as_ref)),
        Rule::LimitTooSmall => {
            vec!["ask for the least that makes sense, or leave that limit out: requests can only lower limits".to_owned()]
        }
        Rule::SourceBytes => size(asked, set, "sourceBytes", asked.request.source_bytes, |profile| profile.limits.source_bytes),
        Rule::Modules => size(asked, set, "modules", asked.request.modules, |profile| profile.limits.modules),
        Rule::InputBytes => size(asked, set, "inputBytes", asked.request.input_bytes, |profile| profile.limits.input_bytes),
    }
}

fn granted(asked: &Recorded) -> String {
    let more = match (asked.action, &asked.request.right) {
        (Action::Submit, Some(Right::Trial)) => {
            ", when no policy lets it be tried any more, or when what it sends is larger than the profile's limits"
        }
        (Action::Submit, Some(Right::Earned { .. } | Right::Grace { .. })) => {
            ", when its artifact loses the tier, when its evidence is stale and has no grace, or when what it sends is larger than the profile's limits"
        }
        (Action::Submit, _) => ", or when what it sends is larger than the profile's limits",
        _ => "",
    };
    format!("it is refused when no policy permits it any more, when one forbids it or fails{more}")
}

fn authorization(asked: &Recorded, set: &PolicySet) -> Vec<String> {
    let (ask, what) = (asked.ask(), asked.action);
    let roles = may(set, &ask);
    if !roles.is_empty() {
        return vec![format!("by the policies in force `{what}` is for: {}; use a key of such a role", roles.join(", "))];
    }
    let forbidding = set.authority.decide(&ask).policies;
    let mut told = vec![if forbidding.is_empty() {
        format!("no role may do `{what}` here by the policies in force: the operator would add a policy that permits it")
    } else {
        format!("`{}` forbids it to this principal here, whatever its role: somebody else would ask, or elsewhere", forbidding.join("`, `"))
    }];
    let elsewhere = may(set, &Ask { listener: Door::Operator, ..ask });
    told.extend((!elsewhere.is_empty()).then(|| format!("on the operator listener it is for: {}", elsewhere.join(", "))));
    told
}

/// The roles that may do what `ask` says, were the same principal to have them.
fn may(set: &PolicySet, ask: &Ask<'_>) -> Vec<&'static str> {
    let allowed = |role: &Role| {
        let principal = Principal { role: *role, ..ask.principal.clone() };
        set.authority.decide(&Ask { principal: &principal, ..*ask }).allowed
    };
    [Role::Agent, Role::Developer, Role::Operator, Role::Auditor].into_iter().filter(allowed).map(Role::as_str).collect()
}

fn tier(asked: &Recorded, set: &PolicySet, profile: Option<&Profile>) -> Vec<String> {
    let Some(profile) = profile else { return vec!["the profile is not there any more: leave `profile` out".to_owned()] };
    let id = asked.request.artifact.map_or_else(|| "{id}".to_owned(), |id| id.to_string());
    let stands = asked.request.standing.as_ref().map(|stood| stood.tier);
    let mut told = vec!["leave `profile` out: the run gets the profile that the artifact has earned".to_owned()];
    let mut steps = Vec::new();
    if stands.is_none() {
        steps.push("hand the sources in with PUT /v1/artifacts".to_owned());
    }
    match profile.tier {
        Tier::Untrusted => {}
        Tier::Validated => steps.push(format!("POST /v1/artifacts/{id}/validate {{\"profile\":\"{}\"}}", profile.name)),
        Tier::Production => steps.extend(production(stands, &id, profile)),
    }
    steps.push(format!("run it by its id: {{\"artifact\":\"{id}\"}}"));
    told.push(format!("or let the artifact earn `{}` (tier {}): {}", profile.name, profile.tier, steps.join("; then ")));
    told.extend(trial(asked, set, profile));
    told
}

/// The steps to tier 2 from where the artifact stands.
fn production(stands: Option<Tier>, id: &str, profile: &Profile) -> Vec<String> {
    let mut steps = Vec::new();
    if stands.unwrap_or(Tier::Untrusted) < Tier::Validated {
        steps.push(format!("POST /v1/artifacts/{id}/validate, for tier 1"));
    }
    let promotion = &profile.promotion;
    if promotion.clean_runs > 0 {
        steps.push(format!("let it run at tier 1, clean runs asked for: {}", promotion.clean_runs));
    }
    if promotion.reviews > 0 {
        let wanted = promotion.reviews;
        steps.push(format!("POST /v1/artifacts/{id}/reviews, approving ones asked for of others than its authors: {wanted}"));
    }
    steps.push(format!("POST /v1/artifacts/{id}/promote {{\"profile\":\"{}\"}}", profile.name));
    steps
}

/// Who may run it as a trial, and where.
fn trial(asked: &Recorded, set: &PolicySet, profile: &Profile) -> Option<String> {
    let resource = Resource::Profile { name: &profile.name, tier: profile.tier };
    let at = |listener| Ask { principal: &asked.principal, action: Action::Trial, resource, listener };
    let (door, roles) = Door::ALL.into_iter().map(|door| (door, may(set, &at(door)))).find(|(_, roles)| !roles.is_empty())?;
    Some(format!("or let it be tried without having earned it: `trial` on the {} listener is for: {}", door.as_str(), roles.join(", ")))
}

fn evidence(request: &Requested) -> Vec<String> {
    let id = request.artifact.map_or_else(|| "{id}".to_owned(), |id| id.to_string());
    vec![format!("gather its evidence again: POST /v1/artifacts/{id}/validate, or `cordon revalidate {id}`")]
}

fn hardening(profile: Option<&Profile>) -> Vec<String> {
    let Some(profile) = profile else { return vec!["the profile is not there any more: leave `profile` out".to_owned()] };
    let layers = names(profile.require_hardening.iter());
    vec![format!(
        "`cordon doctor` says what is missing of: {layers}; make it available, or take it out of require_hardening of `{}`",
        profile.name
    )]
}

fn size(asked: &Recorded, set: &PolicySet, name: &str, sent: Option<u64>, limit: fn(&Profile) -> u64) -> Vec<String> {
    let own = asked.profile().and_then(|name| set.profiles.by_name(name));
    let mut told: Vec<String> = own
        .map(|profile| format!("send at most {}: limits.{name} of the profile `{}`", limit(profile), profile.name))
        .into_iter()
        .collect();
    let Some(sent) = sent else { return told };
    let wider = names(set.profiles.iter().filter(|profile| limit(profile) >= sent).map(|profile| &profile.name));
    if wider.is_empty() {
        told.push("no profile takes so much: the operator would raise the limit in a profile's file".to_owned());
    } else {
        told.push(format!("profiles that take so much: {wider}"));
    }
    told
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl Named {
    /// What it is, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Profile { name, tier } => format!("the profile `{name}` (tier {tier})"),
            Self::Run { id, owner, tier } if id.is_empty() => format!("all runs of `{owner}` at tier {tier}"),
            Self::Run { id, tier, .. } => format!("the run {id} (tier {tier})"),
            Self::Artifact { id, tier, .. } => format!("the artifact {id} (tier {tier})"),
            Self::Server => "the server".to_owned(),
        }
    }
}
