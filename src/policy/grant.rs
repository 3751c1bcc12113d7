//! From profile, request and machine to a grant, or a refusal that says why. Every answer is a decision that can be recorded.

use super::Profiles;
use crate::model::{Artifact, Decision, Grant, LimitExceeded, LimitsRequest, Principal, Problem, ProblemCode, Profile, Rule, Tier};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What policy is asked before a run.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The profile's name; that of the lowest tier when absent.
    pub profile: Option<&'a str>,
    /// Tighter budgets.
    pub asked: &'a LimitsRequest,
    /// The sources.
    pub artifact: &'a Artifact,
    /// Length of the input's JSON text.
    pub input_bytes: u64,
    /// Hardening layers and their state as probed; `enforced` alone counts as in force.
    pub hardening: &'a BTreeMap<String, String>,
}

/// A permission to run. Only [`grant`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    grant: Grant,
    profile: Arc<Profile>,
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

/// A reason to refuse: the rule, the kind of problem, what happened, the mend.
struct Objection {
    rule: Rule,
    code: ProblemCode,
    detail: String,
    mend: String,
}

/// Decides whether and with what a run may start.
pub fn grant(profiles: &Profiles, question: &Question<'_>) -> Result<Granted, Box<Refused>> {
    let profile = choose(profiles, question.profile).map_err(|objection| refused(objection, None))?;
    let checked = may_run(question.principal)
        .and_then(|()| hardened(profile, question.hardening))
        .and_then(|()| profile.limits.tightened(question.asked).map_err(too_small))
        .and_then(|limits| sizes(profile, question).map(|()| limits));
    let limits = checked.map_err(|objection| refused(objection, Some(profile.tier)))?;
    let decision = Decision::by(Rule::Granted, format!("profile `{}` grants it to `{}`", profile.name, question.principal.role));
    Ok(Granted { grant: Grant::new(profile, limits), profile: Arc::clone(profile), decision })
}

fn refused(Objection { rule, code, detail, mend }: Objection, tier: Option<Tier>) -> Box<Refused> {
    let decision = Decision::by(rule, &detail);
    let problem = Problem { decision_id: Some(decision.decision_id.clone()), ..Problem::new(code, detail, mend) };
    Box::new(Refused { problem, decision, tier })
}

fn choose<'a>(profiles: &'a Profiles, name: Option<&str>) -> Result<&'a Arc<Profile>, Objection> {
    let name = name.unwrap_or(super::name_of(Tier::Untrusted));
    profiles.by_name(name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).take(16).collect();
        Objection {
            rule: Rule::UnknownProfile,
            code: ProblemCode::InvalidRequest,
            detail: format!("there is no profile `{shown}`"),
            mend: format!("leave `profile` out, or name one of: {}", names.join(", ")),
        }
    })
}

fn may_run(principal: &Principal) -> Result<(), Objection> {
    if principal.role.may_run() {
        return Ok(());
    }
    Err(Objection {
        rule: Rule::Role,
        code: ProblemCode::PolicyDenied,
        detail: format!("the role `{}` may not submit runs", principal.role),
        mend: "use a key of role agent, developer or operator".to_owned(),
    })
}

fn hardened(profile: &Profile, layers: &BTreeMap<String, String>) -> Result<(), Objection> {
    let in_force = |layer: &String| layers.get(layer).is_some_and(|state| state == "enforced");
    let Some(layer) = profile.require_hardening.iter().find(|layer| !in_force(layer)) else { return Ok(()) };
    let state = layers.get(layer).map_or("unknown", String::as_str);
    Err(Objection {
        rule: Rule::Hardening,
        code: ProblemCode::PolicyDenied,
        detail: format!("the profile `{}` requires the hardening layer `{layer}`, which is: {state}", profile.name),
        mend: "ask the operator to make the layer available (`cordon doctor` lists them) or to take it out of require_hardening".to_owned(),
    })
}

fn too_small(limit: LimitExceeded) -> Objection {
    Objection {
        rule: Rule::LimitTooSmall,
        code: ProblemCode::InvalidRequest,
        mend: format!("ask for limits.{} of at least {}, or leave it out", limit.name, limit.least),
        detail: limit.to_string(),
    }
}

fn sizes(profile: &Profile, question: &Question<'_>) -> Result<(), Objection> {
    let (limits, artifact) = (&profile.limits, question.artifact);
    let sizes = [
        (Rule::SourceBytes, "the sources have", "bytes", artifact.source_bytes(), limits.source_bytes),
        (Rule::Modules, "the artifact has", "modules", artifact.modules().len() as u64, limits.modules),
        (Rule::InputBytes, "the input has", "bytes as JSON", question.input_bytes, limits.input_bytes),
    ];
    let Some((rule, what, unit, actual, limit)) = sizes.into_iter().find(|(.., actual, limit)| actual > limit) else { return Ok(()) };
    Err(Objection {
        rule,
        code: ProblemCode::TooLarge,
        detail: format!("{what} {actual} {unit}; {rule} of the profile `{}` is {limit}", profile.name),
        mend: format!("send at most {limit} {unit}, or use a profile with a higher {rule}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ModuleName, Role};
    use proptest::prelude::*;

    /// A question that is granted; each test spoils one thing.
    struct Case {
        principal: Principal,
        profile: Option<&'static str>,
        asked: LimitsRequest,
        artifact: Artifact,
        input_bytes: u64,
        hardening: BTreeMap<String, String>,
    }

    impl Case {
        fn good() -> Self {
            Self {
                principal: Principal::local(),
                profile: None,
                asked: LimitsRequest::default(),
                artifact: Artifact::snippet("1".into()),
                input_bytes: 4,
                hardening: BTreeMap::new(),
            }
        }

        fn ask(&self, profiles: &Profiles) -> Result<Granted, Box<Refused>> {
            let Self { principal, profile, asked, artifact, input_bytes, hardening } = self;
            grant(profiles, &Question { principal, profile: *profile, asked, artifact, input_bytes: *input_bytes, hardening })
        }

        fn rule(&self) -> Rule {
            self.ask(&profiles()).map_or_else(|refused| refused.decision.rule, |granted| granted.decision().rule)
        }
    }

    fn profiles() -> Profiles {
        Profiles::load(None).expect("built in")
    }

    #[test]
    fn a_run_that_names_nothing_gets_the_lowest_tier_as_it_is() {
        let profiles = profiles();
        let granted = Case::good().ask(&profiles).expect("granted");
        let profile = profiles.default_for(Tier::Untrusted).expect("built in");
        assert_eq!(granted.grant(), &Grant::new(profile, profile.limits));
        assert!(granted.decision().allowed && granted.profile().tier == Tier::Untrusted);
    }

    #[test]
    fn a_refusal_names_its_decision_rule_and_mend() {
        let refused = Case { profile: Some("root"), ..Case::good() }.ask(&profiles()).expect_err("no such profile");
        assert_eq!(refused.problem.code, ProblemCode::InvalidRequest);
        assert_eq!(refused.problem.decision_id.as_deref(), Some(refused.decision.decision_id.as_str()));
        assert!(!refused.decision.allowed && refused.tier.is_none());
        assert!(refused.problem.remediation.contains("production, untrusted, validated"), "{}", refused.problem.remediation);
    }

    #[test]
    fn only_roles_that_may_run_are_granted_a_run() {
        let with = |role| Case { principal: Principal { role, ..Principal::local() }, ..Case::good() };
        for (role, rule) in
            [(Role::Agent, Rule::Granted), (Role::Developer, Rule::Granted), (Role::Operator, Rule::Granted), (Role::Auditor, Rule::Role)]
        {
            assert_eq!(with(role).rule(), rule, "{role}");
        }
        assert_eq!(with(Role::Auditor).ask(&profiles()).expect_err("refused").problem.status, 403);
    }

    #[test]
    fn sources_modules_and_input_are_accepted_at_their_limit_and_refused_one_past_it() {
        let profiles = profiles();
        let limits = profiles.default_for(Tier::Untrusted).expect("built in").limits;
        let source = |bytes: u64| Artifact::snippet("x".repeat(bytes as usize));
        let modules = |count: u64| {
            let name = |n| ModuleName::try_from(format!("m{n}.ts")).expect("a name");
            Artifact::new((0..count).map(|n| (name(n), String::new())).collect(), name(0)).expect("an artifact")
        };
        for (extra, granted) in [(0, true), (1, false)] {
            let cases = [
                (Rule::SourceBytes, Case { artifact: source(limits.source_bytes + extra), ..Case::good() }),
                (Rule::Modules, Case { artifact: modules(limits.modules + extra), ..Case::good() }),
                (Rule::InputBytes, Case { input_bytes: limits.input_bytes + extra, ..Case::good() }),
            ];
            for (rule, case) in cases {
                assert_eq!(case.rule(), if granted { Rule::Granted } else { rule });
            }
        }
        let refused = Case { input_bytes: limits.input_bytes + 1, ..Case::good() }.ask(&profiles).expect_err("too large");
        assert_eq!(refused.problem.status, 413);
        assert_eq!(refused.problem.detail, "the input has 1048577 bytes as JSON; inputBytes of the profile `untrusted` is 1048576");
    }

    #[test]
    fn a_limit_below_the_least_is_refused_and_the_least_is_granted() {
        for (memory_mb, rule) in [(15, Rule::LimitTooSmall), (16, Rule::Granted)] {
            let asked = LimitsRequest { memory_mb: Some(memory_mb), ..LimitsRequest::default() };
            assert_eq!(Case { asked, ..Case::good() }.rule(), rule);
        }
    }

    #[test]
    fn a_layer_that_the_profile_requires_must_be_enforced_in_full() {
        let mut profile = (**profiles().default_for(Tier::Untrusted).expect("built in")).clone();
        profile.require_hardening = vec!["seccomp".into()];
        for (state, granted) in
            [(None, false), (Some("partial: one filter"), false), (Some("unavailable: old"), false), (Some("enforced"), true)]
        {
            let layers = state.map(|state| ("seccomp".to_owned(), state.to_owned())).into_iter().collect();
            assert_eq!(hardened(&profile, &layers).is_ok(), granted, "{state:?}");
        }
    }

    proptest! {
        #[test]
        fn no_request_widens_its_profile(cpu in 1u64.., wall in 1u64.., memory in 16u64.., output: u64, lines: u64) {
            let profiles = profiles();
            let asked = LimitsRequest {
                cpu_ms: Some(cpu), wall_ms: Some(wall), memory_mb: Some(memory), output_bytes: Some(output), log_lines: Some(lines),
                ..LimitsRequest::default()
            };
            let granted = Case { asked, ..Case::good() }.ask(&profiles).expect("granted").grant().limits;
            let own = profiles.default_for(Tier::Untrusted).expect("built in").limits;
            prop_assert!(granted.cpu_ms <= own.cpu_ms && granted.wall_ms <= own.wall_ms && granted.memory_mb <= own.memory_mb);
            prop_assert!(granted.output_bytes <= own.output_bytes && granted.log_lines <= own.log_lines);
            prop_assert_eq!((granted.source_bytes, granted.sub_requests), (own.source_bytes, own.sub_requests));
        }
    }
}
