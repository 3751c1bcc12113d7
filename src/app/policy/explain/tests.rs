//! Explanations from facts: what is said of refusals, of runs by each right, and of policies that changed.

use super::facts::{Facts, RunFacts};
use super::*;
use crate::model::{
    Action, Ask, Decided, DecisionEntry, Denial, Digest, Door, Grant, Identity, Labels, LimitsRequest, Origin, Outcome, Principal,
    Resource, Right, Rule, RunId, Tier, Verdict,
};
use crate::provenance::Intent;
use serde_json::{Map, json};

fn shipped() -> PolicySet {
    PolicySet::load(None).expect("built in")
}

/// The entry of a run under `profile`.
fn entry(profile: &str, tier: Tier, rule: Rule, policies: &[&str]) -> DecisionEntry {
    let asked = json!({
        "artifact": Digest::of(b"a"), "sourceBytes": 9, "modules": 1, "inputBytes": 4, "profile": profile, "limits": LimitsRequest::default(),
        "contractCase": false,
    });
    let request: Map<String, Value> = asked.as_object().cloned().expect("an object");
    DecisionEntry::of(&Decided {
        id: DecisionId::now(),
        ask: &Ask {
            principal: &Principal::local(),
            action: Action::Submit,
            resource: Resource::Profile { name: profile, tier },
            listener: Door::Public,
        },
        request: &request,
        verdict: &Verdict { allowed: rule.allows(), policies: policies.iter().map(|id| (*id).to_owned()).collect(), errors: Vec::new() },
        rule,
        reason: "the reason that was given",
        revision: shipped().revision(),
        labels: &Labels { id: "test".to_owned(), version: "0".to_owned() },
        traceparent: None,
    })
}

fn of_decision(entry: DecisionEntry) -> Facts {
    Facts { id: entry.decision_id, entry: Some(entry), run: None }
}

/// A run with this right, which ended and was refused something.
fn of_run(entry: Option<DecisionEntry>, right: Right, denials: Vec<Denial>) -> Facts {
    let set = shipped();
    let profile = set.profiles.by_name("untrusted").expect("shipped");
    let (grant, artifact) = (Grant::new(profile, profile.limits).recorded(), Digest::of(b"a"));
    let run = RunId::now();
    let intent = Intent {
        run,
        principal: Principal::local(),
        artifact,
        identity: Identity::of(artifact, &grant, Digest::of(b"build")),
        grant,
        right: Some(right),
        entrypoint: "default".to_owned(),
        input_digest: Digest::of(b"null"),
        origin: Origin::default(),
        decision_id: None,
        traceparent: None,
    };
    let id = run.to_string().parse().expect("both are UUIDs");
    Facts { id, entry, run: Some(RunFacts { intent, outcome: Some(Outcome::Exception), denials, denials_truncated: 3 }) }
}

fn words(facts: &Facts) -> String {
    text(&explained(facts, &shipped()))
}

#[test]
fn a_refusal_names_its_rule_reason_and_mends() {
    let told = words(&of_decision(entry("validated", Tier::Validated, Rule::Tier, &[])));
    for part in [
        "answer    refused by the rule `tier`: the reason that was given",
        "asked     `local` (operator, local) to do `submit` with the profile `validated` (tier 1), on the public listener",
        "change    or let the artifact earn `validated` (tier 1): hand the sources in with PUT /v1/artifacts; then POST /v1/artifacts/sha256:",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("revision  "), "{told}");
}

#[test]
fn a_policy_has_its_place_and_comment_while_it_is_in_force_and_is_named_when_it_is_not() {
    let facts = of_decision(entry("untrusted", Tier::Untrusted, Rule::Granted, &["run-code", "gone"]));
    let told = words(&facts);
    assert!(told.contains("policy    `run-code` (policies/cordon.cedar:") && told.contains("Running code is what agents"), "{told}");
    assert!(told.contains("policy    `gone`, which is not in force any more"), "{told}");
    let members = explained(&facts, &shipped());
    assert_eq!((&members["policies"][0]["inForce"], &members["policies"][1]["inForce"]), (&json!(true), &json!(false)));
}

#[test]
fn other_policies_than_those_in_force_are_told_with_what_these_would_say() {
    let mut old = entry("untrusted", Tier::Untrusted, Rule::Authorization, &[]);
    old.bundles.policy.revision = Digest::of(b"old");
    let told = words(&of_decision(old));
    assert!(told.contains("revision  decided under the policies sha256:"), "{told}");
    assert!(told.contains("now       they would allow it by the rule `granted`"), "{told}");
    assert!(told.contains("policy    none permits it"), "{told}");
}

#[test]
fn every_right_has_its_words() {
    let evidence = Digest::of(b"evidence");
    let case = || ("adds up".to_owned(), "validated".to_owned());
    let contract = |owner| Right::Contract { case: case().0, owner, profile: case().1 };
    for (right, part) in [
        (Right::Untrusted, "untrusted: it has the lowest tier".to_owned()),
        (Right::Earned { evidence }, format!("on the evidence {evidence}")),
        (Right::Grace { evidence, until_ms: 0 }, "go on until 1970-01-01T00:00:00.000Z".to_owned()),
        (contract(crate::model::CaseOwner::Profile), "`adds up` by the profile's owner".to_owned()),
        (contract(crate::model::CaseOwner::Artifact), "`adds up` by whoever handed the artifact in".to_owned()),
    ] {
        let told = words(&of_run(None, right, Vec::new()));
        assert!(told.contains(&part) && told.contains("decision  none is kept"), "{part}: {told}");
    }
    let tried = entry("validated", Tier::Validated, Rule::Granted, &["run-code", "trial-on-a-local-server"]);
    let told = words(&of_run(Some(tried), Right::Trial, Vec::new()));
    // The public listener's ban does not hold for the principal `local`.
    assert!(told.contains("a trial, by: `trial-on-a-local-server`"), "{told}");
}

#[test]
fn denials_are_told_by_their_rules_and_no_guest_writes_a_line_or_steers_a_terminal() {
    let denial = |n: usize| Denial {
        capability: "egress".to_owned(),
        target: format!("https://x.example/{n}\u{1b}[2J\nanswer    allowed"),
        rule: "egress.default-deny".to_owned(),
        reason: "no rule names it".to_owned(),
        remediation: "add a rule".to_owned(),
    };
    let told = words(&of_run(None, Right::Untrusted, (0..51).map(denial).collect()));
    assert!(told.contains("denied    egress https://x.example/0") && told.contains("by the rule `egress.default-deny`"), "{told}");
    assert!(told.contains("x.example/49") && !told.contains("x.example/50") && told.contains("denied    4 more"), "{told}");
    assert!(!told.contains('\u{1b}') && !told.lines().any(|line| line.starts_with("answer    allowed")), "{told}");
}
