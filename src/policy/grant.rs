//! From profile, request and machine to a grant, or a refusal that says why. Every answer is a decision that can be recorded.

use super::PolicySet;
use super::ladder::{Footing, InForce, footing};
use crate::model::{
    Action, Artifact, Ask, Decision, Digest, Door, Grant, LimitExceeded, Limits, LimitsRequest, Principal, Problem, ProblemCode, Profile,
    Resource, Right, Rule, Standing, Tier, Verdict,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The machine as policy sees it.
pub trait Machine {
    /// Hardening layers of what runs `profile` and their state as probed; `enforced` alone counts as in force.
    fn hardening(&self, profile: &Profile) -> &BTreeMap<String, String>;
    /// Digest of the build that evidence for `profile` rests on.
    fn evidence_build(&self, profile: &Profile) -> Digest;
    /// Now: milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// What policy is asked before a run.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Where it came in.
    pub door: Door,
    /// The profile's name; that which the artifact earned when absent.
    pub profile: Option<&'a str>,
    /// Where the artifact stands; none for sources that came along, which are at tier 0 whatever else is known of them.
    pub standing: Option<&'a Standing>,
    /// Tighter budgets.
    pub asked: &'a LimitsRequest,
    /// How much comes with it.
    pub sizes: Sizes,
    /// What runs it.
    pub machine: &'a dyn Machine,
}

/// How much comes with a request: all that policy knows of sources and input, so that a recorded decision can be asked again without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Source text of all modules together, in bytes.
    pub source_bytes: u64,
    /// Number of modules.
    pub modules: u64,
    /// Length of the input's JSON text, in bytes.
    pub input_bytes: u64,
}

impl Sizes {
    /// Those of `artifact` with an input of `input_bytes`.
    pub fn of(artifact: &Artifact, input_bytes: u64) -> Self {
        Self { source_bytes: artifact.source_bytes(), modules: artifact.modules().len() as u64, input_bytes }
    }
}

/// A permission to run. Only this file makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    grant: Grant,
    profile: Arc<Profile>,
    right: Right,
    decision: Decision,
}

impl Granted {
    /// What the run gets.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The profile it runs under.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// By what right it has its tier.
    pub fn right(&self) -> &Right {
        &self.right
    }

    /// The decision, for the record.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

/// A refusal: what the caller is told, and the decision for the record. Caused by the caller, or by the operator's profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What the caller is told; it names the decision.
    pub problem: Problem,
    /// The decision.
    pub decision: Decision,
    /// The tier of the profile that was asked for; none when there is no such profile.
    pub tier: Option<Tier>,
}

/// A reason to refuse: the rule, the kind of problem, what happened, the mend, and what policies say.
struct Objection {
    rule: Rule,
    code: ProblemCode,
    detail: String,
    mend: String,
    verdict: Verdict,
}

impl Objection {
    fn new(rule: Rule, code: ProblemCode, detail: String, mend: impl Into<String>) -> Self {
        Self { rule, code, detail, mend: mend.into(), verdict: Verdict::default() }
    }
}

/// Decides whether and with what a run may start.
pub fn grant(set: &PolicySet, question: &Question<'_>) -> Result<Granted, Box<Refused>> {
    let profile = choose(set, question).map_err(|objection| refused(objection, None))?;
    let decided = right(set, profile, question).and_then(|(right, mut policies)| {
        // INVARIANT (errors deny): a policy that cannot be evaluated permits nothing.
        policies.extend(permitted(set, profile, question, Action::Submit)?.policies);
        limits(profile, question).map(|limits| (right, policies, limits))
    });
    let (right, policies, limits) = decided.map_err(|objection| refused(objection, Some(profile.tier)))?;
    let reason = format!("profile `{}` grants it to `{}`", profile.name, question.principal.role);
    let decision = Decision { policies, ..Decision::by(Rule::Granted, reason) };
    Ok(Granted { grant: Grant::new(profile, limits), profile: Arc::clone(profile), right, decision })
}

/// Decides on a contract case under `profile`, which was made for it: whoever may ask for evidence may have it run.
pub fn grant_case(profile: Arc<Profile>, right: Right, question: &Question<'_>) -> Result<Granted, Box<Refused>> {
    let limits = limits(&profile, question).map_err(|objection| refused(objection, Some(profile.tier)))?;
    let decision = Decision::by(Rule::Granted, "a contract case, with synthetic data");
    Ok(Granted { grant: Grant::new(&profile, limits), profile, right, decision })
}

/// What every grant is bound by: the machine, and the lower of each of the profile's and the request's limits.
fn limits(profile: &Profile, question: &Question<'_>) -> Result<Limits, Objection> {
    hardened(profile, question.machine.hardening(profile))?;
    let limits = profile.limits.tightened(question.asked).map_err(too_small)?;
    sizes(profile, question).map(|()| limits)
}

/// By what right a run of the artifact has the tier of `profile`, and the policies that gave it, where policies did.
fn right(set: &PolicySet, profile: &Profile, question: &Question<'_>) -> Result<(Right, Vec<String>), Objection> {
    if profile.tier == Tier::Untrusted {
        return Ok((Right::Untrusted, Vec::new()));
    }
    let earned = question.standing.filter(|standing| standing.tier == profile.tier && standing.profile == profile.name);
    let denied = match earned {
        Some(standing) => match on(standing, profile, set, question) {
            Ok(right) => return Ok((right, Vec::new())),
            Err(objection) => objection,
        },
        None => unearned(profile, question),
    };
    match permitted(set, profile, question, Action::Trial) {
        Ok(verdict) => Ok((Right::Trial, verdict.policies)),
        // What went wrong is told: it is why there is no leave.
        Err(trial) => Err(Objection { verdict: trial.verdict, ..denied }),
    }
}

/// The right of an artifact that earned `profile`, while its evidence counts.
fn on(standing: &Standing, profile: &Profile, set: &PolicySet, question: &Question<'_>) -> Result<Right, Objection> {
    let machine = question.machine;
    let in_force = InForce { policy: set.evidence_policy(profile), build: machine.evidence_build(profile), now_ms: machine.now_ms() };
    let evidence = standing.evidence.map(|mark| mark.id);
    let refuse = |why: &str| {
        let detail = format!("the artifact earned the profile `{}`, and its evidence {why}", profile.name);
        let mend = "gather it again with POST /v1/artifacts/{id}/validate, or let the operator ask for POST /v1/revalidate";
        Err(Objection::new(Rule::Evidence, ProblemCode::PolicyDenied, detail, mend))
    };
    match (footing(standing, profile, &in_force), evidence) {
        (Footing::Firm, Some(evidence)) => Ok(Right::Earned { evidence }),
        (Footing::Grace { until_ms, .. }, Some(evidence)) => Ok(Right::Grace { evidence, until_ms }),
        (Footing::Lost(why), _) => refuse(why.words()),
        (Footing::None | Footing::Firm | Footing::Grace { .. }, _) => refuse("is missing"),
    }
}

fn unearned(profile: &Profile, question: &Question<'_>) -> Objection {
    let stands = question.standing.map_or_else(
        || "sources that come with a request run at tier 0".to_owned(),
        |standing| format!("the artifact stands at tier {}, on the profile `{}`", standing.tier, standing.profile),
    );
    let detail = format!("the profile `{}` is of tier {}, and {stands}", profile.name, profile.tier);
    let mend = "leave `profile` out; or send the artifact with PUT /v1/artifacts, let it earn the tier, and run it by its id";
    Objection::new(Rule::Tier, ProblemCode::PolicyDenied, detail, mend)
}

/// What policies say to `action` under `profile`.
fn permitted(set: &PolicySet, profile: &Profile, question: &Question<'_>, action: Action) -> Result<Verdict, Objection> {
    let resource = Resource::Profile { name: &profile.name, tier: profile.tier };
    let verdict = set.authority.decide(&Ask { principal: question.principal, action, resource, listener: question.door });
    if verdict.allowed {
        return Ok(verdict);
    }
    let detail = format!("the role `{}` may not {action} under the profile `{}`", question.principal.role, profile.name);
    let mend = "use a key of a role that may, or ask the operator for a policy that permits it";
    Err(Objection { verdict, ..Objection::new(Rule::Authorization, ProblemCode::PolicyDenied, detail, mend) })
}

fn refused(Objection { rule, code, detail, mend, verdict }: Objection, tier: Option<Tier>) -> Box<Refused> {
    let decision = Decision { policies: verdict.policies, errors: verdict.errors, ..Decision::by(rule, &detail) };
    let problem = Problem { decision_id: Some(decision.decision_id.to_string()), ..Problem::new(code, detail, mend) };
    Box::new(Refused { problem, decision, tier })
}

fn choose<'a>(set: &'a PolicySet, question: &Question<'_>) -> Result<&'a Arc<Profile>, Objection> {
    let earned = question.standing.map(|standing| standing.profile.as_str());
    let name = question.profile.or(earned).unwrap_or(super::name_of(Tier::Untrusted));
    set.profiles.by_name(name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let names: Vec<&str> = set.profiles.iter().map(|profile| profile.name.as_str()).take(16).collect();
        let mend = format!("leave `profile` out, or name one of: {}", names.join(", "));
        Objection::new(Rule::UnknownProfile, ProblemCode::InvalidRequest, format!("there is no profile `{shown}`"), mend)
    })
}

fn hardened(profile: &Profile, layers: &BTreeMap<String, String>) -> Result<(), Objection> {
    let in_force = |layer: &String| layers.get(layer).is_some_and(|state| state == "enforced");
    let Some(layer) = profile.require_hardening.iter().find(|layer| !in_force(layer)) else { return Ok(()) };
    let state = layers.get(layer).map_or("unknown", String::as_str);
    let detail = format!("the profile `{}` requires the hardening layer `{layer}`, which is: {state}", profile.name);
    let mend = "ask the operator to make the layer available (`cordon doctor` lists them) or to take it out of require_hardening";
    Err(Objection::new(Rule::Hardening, ProblemCode::PolicyDenied, detail, mend))
}

fn too_small(limit: LimitExceeded) -> Objection {
    let mend = format!("ask for limits.{} of at least {}, or leave it out", limit.name, limit.least);
    Objection::new(Rule::LimitTooSmall, ProblemCode::InvalidRequest, limit.to_string(), mend)
}

fn sizes(profile: &Profile, question: &Question<'_>) -> Result<(), Objection> {
    let (limits, sent) = (&profile.limits, question.sizes);
    let sizes = [
        (Rule::SourceBytes, "the sources have", "bytes", sent.source_bytes, limits.source_bytes),
        (Rule::Modules, "the artifact has", "modules", sent.modules, limits.modules),
        (Rule::InputBytes, "the input has", "bytes as JSON", sent.input_bytes, limits.input_bytes),
    ];
    let Some((rule, what, unit, actual, limit)) = sizes.into_iter().find(|(.., actual, limit)| actual > limit) else { return Ok(()) };
    let detail = format!("{what} {actual} {unit}; {rule} of the profile `{}` is {limit}", profile.name);
    Err(Objection::new(rule, ProblemCode::TooLarge, detail, format!("send at most {limit} {unit}, or use a profile with a higher {rule}")))
}

#[cfg(test)]
mod tests;
