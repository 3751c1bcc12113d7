//! Grants: each rule at both sides, and that nothing widens.

use super::*;
use crate::model::{ModuleName, Role};
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
            artifact: &self.artifact,
            input_bytes: self.input_bytes,
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
const NOW_MS: u64 = 1_000_000;

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

proptest! {
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