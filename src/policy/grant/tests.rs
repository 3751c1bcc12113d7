//! Grants: each rule at both sides, and that nothing widens.

use super::*;
use crate::model::{EvidenceMark, ModuleName, Role};
use proptest::prelude::*;

/// A question that is granted; each test spoils one thing.
struct Case {
    principal: Principal,
    door: Door,
    profile: Option<&'static str>,
    standing: Option<Standing>,
    asked: LimitsRequest,
    artifact: Artifact,
    input_bytes: u64,
    hardening: BTreeMap<String, String>,
}

impl Case {
    fn good() -> Self {
        Self {
            principal: Principal::local(),
            door: Door::Public,
            profile: None,
            standing: None,
            asked: LimitsRequest::default(),
            artifact: Artifact::snippet("1".into()),
            input_bytes: 4,
            hardening: BTreeMap::new(),
        }
    }

    fn ask(&self, set: &PolicySet) -> Result<Granted, Box<Refused>> {
        let machine = Played { hardening: self.hardening.clone() };
        let question = Question {
            principal: &self.principal,
            door: self.door,
            profile: self.profile,
            standing: self.standing.as_ref(),
            asked: &self.asked,
            sizes: Sizes::of(&self.artifact, self.input_bytes),
            machine: &machine,
        };
        grant(set, &question)
    }

    fn rule(&self) -> Rule {
        self.ask(&set()).map_or_else(|refused| refused.decision.rule, |granted| granted.decision().rule)
    }
}

/// A machine that is played.
struct Played {
    hardening: BTreeMap<String, String>,
}

/// The build of that machine.
fn build() -> Digest {
    Digest::of(b"build")
}

/// Its clock.
const NOW_MS: u64 = 1_800_000_000_000;

impl Machine for Played {
    fn hardening(&self, _: &Profile) -> &BTreeMap<String, String> {
        &self.hardening
    }

    fn evidence_build(&self, _: &Profile) -> Digest {
        build()
    }

    fn now_ms(&self) -> u64 {
        NOW_MS
    }
}

fn set() -> PolicySet {
    PolicySet::load(None).expect("built in")
}

#[test]
fn a_run_that_names_nothing_gets_the_lowest_tier_as_it_is() {
    let set = set();
    let granted = Case::good().ask(&set).expect("granted");
    let profile = set.profiles.default_for(Tier::Untrusted).expect("built in");
    assert_eq!(granted.grant(), &Grant::new(profile, profile.limits));
    assert!(granted.decision().allowed && granted.profile().tier == Tier::Untrusted);
}

#[test]
fn a_refusal_names_its_decision_rule_and_mend() {
    let refused = Case { profile: Some("root"), ..Case::good() }.ask(&set()).expect_err("no such profile");
    assert_eq!(refused.problem.code, ProblemCode::InvalidRequest);
    assert_eq!(refused.problem.decision_id.as_deref(), Some(refused.decision.decision_id.to_string().as_str()));
    assert!(!refused.decision.allowed && refused.tier.is_none());
    assert!(refused.problem.remediation.contains("production, untrusted, validated"), "{}", refused.problem.remediation);
}

#[test]
fn only_roles_that_may_run_are_granted_a_run() {
    let with = |role| Case { principal: Principal { role, ..Principal::local() }, ..Case::good() };
    for (role, rule) in [
        (Role::Agent, Rule::Granted),
        (Role::Developer, Rule::Granted),
        (Role::Operator, Rule::Granted),
        (Role::Auditor, Rule::Authorization),
    ] {
        assert_eq!(with(role).rule(), rule, "{role}");
    }
    assert_eq!(with(Role::Auditor).ask(&set()).expect_err("refused").problem.status, 403);
}

#[test]
fn sources_modules_and_input_are_accepted_at_their_limit_and_refused_one_past_it() {
    let set = set();
    let limits = set.profiles.default_for(Tier::Untrusted).expect("built in").limits;
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
    let refused = Case { input_bytes: limits.input_bytes + 1, ..Case::good() }.ask(&set).expect_err("too large");
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
    let mut profile = (**set().profiles.default_for(Tier::Untrusted).expect("built in")).clone();
    profile.require_hardening = vec!["seccomp".into()];
    for (state, granted) in
        [(None, false), (Some("partial: one filter"), false), (Some("unavailable: old"), false), (Some("enforced"), true)]
    {
        let layers = state.map(|state| ("seccomp".to_owned(), state.to_owned())).into_iter().collect();
        assert_eq!(hardened(&profile, &layers).is_ok(), granted, "{state:?}");
    }
}

/// An artifact that earned `profile` of the shipped ones.
fn earned(profile: &str, tier: Tier) -> Standing {
    let set = set();
    let policy = set.evidence_policy(set.profiles.by_name(profile).expect("a profile"));
    let mark = EvidenceMark { id: Digest::of(b"evidence"), policy, build: build(), expires_at_ms: NOW_MS + 1 };
    Standing { tier, profile: profile.to_owned(), evidence: Some(mark), stale_since_ms: None, sequence: 1, at_ms: 1 }
}

fn agent() -> Principal {
    Principal { id: "key:1".to_owned(), name: "a".to_owned(), role: Role::Agent }
}

#[test]
fn an_artifact_runs_under_the_profile_that_it_earned_or_at_tier_0_and_nowhere_else() {
    let with = |profile, standing| Case { principal: agent(), profile, standing, ..Case::good() };
    let one = || Some(earned("validated", Tier::Validated));
    let right = |case: &Case| case.ask(&set()).map(|granted| granted.right().clone()).map_err(|refused| refused.decision.rule);
    let evidence = Digest::of(b"evidence");
    assert_eq!(right(&with(None, one())), Ok(Right::Earned { evidence }));
    assert_eq!(right(&with(Some("validated"), one())), Ok(Right::Earned { evidence }));
    assert_eq!(right(&with(Some("untrusted"), one())), Ok(Right::Untrusted));
    assert_eq!(right(&with(Some("production"), one())), Err(Rule::Tier));
    assert_eq!(right(&with(Some("validated"), Some(earned("production", Tier::Production)))), Err(Rule::Tier));
    assert_eq!(right(&with(Some("validated"), None)), Err(Rule::Tier));
    assert_eq!(right(&with(None, None)), Ok(Right::Untrusted));
}

#[test]
fn a_standing_counts_only_by_evidence_of_this_policy_and_build_and_in_its_time() {
    let rule = |standing| {
        let refused = Case { principal: agent(), standing: Some(standing), ..Case::good() }.ask(&set()).expect_err("stale");
        assert_eq!(refused.problem.status, 403);
        refused.decision.rule
    };
    assert_eq!(rule(Standing { evidence: None, ..earned("validated", Tier::Validated) }), Rule::Evidence);
    for spoil in
        [(|m| m.policy = Digest::of(b"other")) as fn(&mut EvidenceMark), |m| m.build = Digest::of(b"other"), |m| m.expires_at_ms = NOW_MS]
    {
        let mut standing = earned("validated", Tier::Validated);
        standing.evidence.as_mut().map(spoil);
        assert_eq!(rule(standing), Rule::Evidence);
    }
}

#[test]
fn stale_evidence_for_production_has_a_grace_time_and_not_a_moment_more() {
    let grace_ms = set().profiles.by_name("production").expect("built in").promotion.grace_hours * 3_600_000;
    let right = |since| {
        let mut standing = earned("production", Tier::Production);
        if let Some(mark) = &mut standing.evidence {
            mark.build = Digest::of(b"other");
        }
        standing.stale_since_ms = since;
        let case = Case { principal: agent(), standing: Some(standing), ..Case::good() };
        case.ask(&set()).map(|granted| granted.right().clone()).map_err(|refused| refused.decision.rule)
    };
    let evidence = Digest::of(b"evidence");
    assert_eq!(right(None), Ok(Right::Grace { evidence, until_ms: NOW_MS + grace_ms }));
    assert_eq!(right(Some(NOW_MS - grace_ms + 1)), Ok(Right::Grace { evidence, until_ms: NOW_MS + 1 }));
    assert_eq!(right(Some(NOW_MS - grace_ms)), Err(Rule::Evidence));
}

#[test]
fn code_runs_above_its_tier_only_by_the_leave_of_whoever_may_give_it() {
    let right = |principal: Principal, door| {
        let case = Case { principal, door, profile: Some("production"), ..Case::good() };
        case.ask(&set()).map(|granted| granted.right().clone()).map_err(|refused| refused.decision.rule)
    };
    let operator = || Principal { role: Role::Operator, ..agent() };
    assert_eq!(right(operator(), Door::Operator), Ok(Right::Trial));
    assert_eq!(right(operator(), Door::Public), Err(Rule::Tier));
    assert_eq!(right(Principal { role: Role::Developer, ..agent() }, Door::Operator), Err(Rule::Tier));
    assert_eq!(right(agent(), Door::Public), Err(Rule::Tier));
    assert_eq!(right(Principal::local(), Door::Public), Ok(Right::Trial));
}

proptest! {
    #[test]
    fn no_grant_exceeds_its_profile_its_request_or_its_tier(
        role in 0usize..4, door in 0usize..2, named in 0usize..4, stands in 0usize..3,
        cpu in proptest::option::of(1u64..10_000), memory in proptest::option::of(16u64..1000), asks in proptest::option::of(0u64..1000),
    ) {
        let roles = [Role::Agent, Role::Developer, Role::Operator, Role::Auditor];
        let standing = [None, Some(earned("validated", Tier::Validated)), Some(earned("production", Tier::Production))][stands].clone();
        let case = Case {
            principal: Principal { role: roles[role], ..agent() },
            door: Door::ALL[door],
            profile: [None, Some("untrusted"), Some("validated"), Some("production")][named],
            standing: standing.clone(),
            asked: LimitsRequest { cpu_ms: cpu, memory_mb: memory, sub_requests: asks, ..LimitsRequest::default() },
            ..Case::good()
        };
        if let Ok(granted) = case.ask(&set()) {
            let (grant, own) = (granted.grant(), granted.profile());
            let within = |granted: u64, own: u64, asked: Option<u64>| granted <= own && asked.is_none_or(|asked| granted <= asked);
            prop_assert!(within(grant.limits.cpu_ms, own.limits.cpu_ms, cpu));
            prop_assert!(within(grant.limits.memory_mb, own.limits.memory_mb, memory));
            prop_assert!(within(grant.limits.sub_requests, own.limits.sub_requests, asks));
            prop_assert_eq!((&grant.egress, &grant.vars, grant.tier), (&own.egress, &own.vars, own.tier));
            let earned = standing.is_some_and(|standing| standing.tier == grant.tier && standing.profile == own.name);
            let trial = granted.right() == &Right::Trial && roles[role] == Role::Operator && Door::ALL[door] == Door::Operator;
            prop_assert!(grant.tier == Tier::Untrusted || earned || trial);
            prop_assert!(roles[role] != Role::Auditor);
        }
    }

    #[test]
    fn no_request_widens_its_profile(cpu in 1u64.., wall in 1u64.., memory in 16u64.., output: u64, lines: u64) {
        let set = set();
        let asked = LimitsRequest {
            cpu_ms: Some(cpu), wall_ms: Some(wall), memory_mb: Some(memory), output_bytes: Some(output), log_lines: Some(lines),
            ..LimitsRequest::default()
        };
        let granted = Case { asked, ..Case::good() }.ask(&set).expect("granted").grant().limits;
        let own = set.profiles.default_for(Tier::Untrusted).expect("built in").limits;
        prop_assert!(granted.cpu_ms <= own.cpu_ms && granted.wall_ms <= own.wall_ms && granted.memory_mb <= own.memory_mb);
        prop_assert!(granted.output_bytes <= own.output_bytes && granted.log_lines <= own.log_lines);
        prop_assert_eq!((granted.source_bytes, granted.sub_requests), (own.source_bytes, own.sub_requests));
    }
}
