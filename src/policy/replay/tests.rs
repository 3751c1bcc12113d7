//! Replays: the same policies flip nothing, and others exactly what they say otherwise.

use super::*;
use crate::model::{Decided, DecisionId, Labels, Role, Verdict};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn shipped() -> PolicySet {
    PolicySet::load(None).expect("built in")
}

/// The shipped policies with one replacement in the file of one profile.
fn changed(file: &str, from: &str, to: &str) -> PolicySet {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["untrusted.toml", "validated.toml", "production.toml", "cordon.cedar"] {
        let text = std::fs::read_to_string(format!("policies/{name}")).expect("shipped");
        let text = if name == file { text.replace(from, to) } else { text };
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    PolicySet::load(Some(folder.path())).expect("no mistakes")
}

fn principal(role: Role) -> Principal {
    Principal { id: format!("key:{role}"), name: role.to_string(), role }
}

fn entry(role: Role, action: Action, resource: Resource<'_>, request: Value) -> DecisionEntry {
    let principal = principal(role);
    let request: Map<String, Value> = request.as_object().cloned().unwrap_or_default();
    DecisionEntry::of(&Decided {
        id: DecisionId::now(),
        ask: &Ask { principal: &principal, action, resource, listener: Door::Public },
        request: &request,
        verdict: &Verdict { allowed: true, ..Verdict::default() },
        rule: Rule::Granted,
        reason: "as a test says",
        revision: shipped().revision(),
        labels: &Labels { id: "test".to_owned(), version: "0".to_owned() },
        traceparent: None,
    })
}

/// The entry of a run under `profile`, at the tier that it stands at.
fn run(role: Role, profile: &str, tier: Tier, more: Value) -> DecisionEntry {
    let mut request = json!({
        "artifact": Digest::of(b"artifact"), "sourceBytes": 100, "modules": 1, "inputBytes": 4, "limits": LimitsRequest::default(), "contractCase": false,
    });
    for (name, value) in more.as_object().expect("an object") {
        request[name.as_str()] = value.clone();
    }
    entry(role, Action::Submit, Resource::Profile { name: profile, tier }, request)
}

fn diff(entries: &[DecisionEntry], current: &PolicySet, candidate: &PolicySet) -> Diff {
    let mut found = Diff::default();
    found.add(entries, current, candidate);
    found
}

#[test]
fn the_same_policies_flip_nothing_of_any_kind() {
    let standing = json!({"tier": 1, "profile": "validated"});
    let entries = [
        run(Role::Agent, "untrusted", Tier::Untrusted, json!({})),
        run(Role::Agent, "validated", Tier::Validated, json!({"profile": "validated"})),
        run(Role::Agent, "validated", Tier::Validated, json!({"standing": standing})),
        run(Role::Auditor, "untrusted", Tier::Untrusted, json!({})),
        entry(Role::Auditor, Action::ReadLog, Resource::Server, json!({})),
        entry(Role::Agent, Action::ManageKeys, Resource::Server, json!({})),
    ];
    let found = diff(&entries, &shipped(), &shipped());
    assert_eq!(found, Diff { replayed: 6, ..Diff::default() });
}

#[test]
fn a_tightened_profile_flips_what_is_past_its_limit_and_not_what_is_at_it() {
    let candidate = changed("untrusted.toml", "source_bytes = 524288", "source_bytes = 100");
    let at = run(Role::Agent, "untrusted", Tier::Untrusted, json!({}));
    let past = run(Role::Agent, "untrusted", Tier::Untrusted, json!({"sourceBytes": 101}));
    let also = run(Role::Agent, "untrusted", Tier::Untrusted, json!({"sourceBytes": 102}));
    let elsewhere =
        run(Role::Agent, "validated", Tier::Validated, json!({"standing": {"tier": 1, "profile": "validated"}, "sourceBytes": 101}));
    let found = diff(&[past.clone(), also, elsewhere, at], &shipped(), &candidate);
    let flip = &found.flips[0];
    assert_eq!((flip.before.as_str(), flip.after.as_str(), flip.count, flip.example), ("granted", "sourceBytes", 2, past.decision_id));
    assert_eq!((flip.role, flip.profile.as_deref(), flip.allowed), (Role::Agent, Some("untrusted"), false));
    assert_eq!((found.flips.len(), found.flipped(), found.replayed), (1, 2, 4));
}

#[test]
fn a_run_that_stays_allowed_flips_when_it_may_use_less_and_not_when_it_asked_for_less_anyway() {
    let candidate = changed("untrusted.toml", "cpu_ms = 470", "cpu_ms = 100");
    let asked = |cpu_ms| run(Role::Agent, "untrusted", Tier::Untrusted, json!({"limits": {"cpuMs": cpu_ms}}));
    let found = diff(&[asked(100), asked(101)], &shipped(), &candidate);
    assert_eq!(found.flips.iter().map(|flip| (flip.after.as_str(), flip.count)).collect::<Vec<_>>(), [("granted (cpuMs 101 -> 100)", 1)]);
}

#[test]
fn what_policies_withdraw_or_permit_flips_with_the_rule() {
    let candidate =
        changed("cordon.cedar", "Role::\"agent\", Role::\"developer\", Role::\"operator\"", "Role::\"developer\", Role::\"auditor\"");
    let entries = [
        run(Role::Agent, "untrusted", Tier::Untrusted, json!({})),
        run(Role::Auditor, "untrusted", Tier::Untrusted, json!({})),
        run(Role::Developer, "untrusted", Tier::Untrusted, json!({})),
        entry(Role::Operator, Action::ShelveArtifact, Resource::Server, json!({})),
    ];
    let found = diff(&entries, &shipped(), &candidate);
    let told: Vec<_> = found.flips.iter().map(|flip| (flip.role, flip.before.as_str(), flip.after.as_str(), flip.allowed)).collect();
    let expected = [
        (Role::Agent, "granted", "authorization", false),
        (Role::Auditor, "authorization", "granted", true),
        (Role::Operator, "granted", "authorization", false),
    ];
    assert_eq!(told, expected);
}

#[test]
fn evidence_that_would_go_stale_is_told_and_is_no_flip() {
    let candidate = changed("validated.toml", "description = \"", "description = \"Changed. ");
    let climbed = run(Role::Agent, "validated", Tier::Validated, json!({"standing": {"tier": 1, "profile": "validated"}}));
    let plain = run(Role::Agent, "untrusted", Tier::Untrusted, json!({}));
    let found = diff(&[climbed.clone(), climbed, plain], &shipped(), &candidate);
    assert_eq!((found.flips.len(), found.stale), (0, BTreeSet::from([Digest::of(b"artifact")])));
}

#[test]
fn what_cannot_be_asked_again_is_counted_by_its_reason() {
    let case = run(Role::Agent, "untrusted", Tier::Untrusted, json!({"contractCase": true}));
    let unsaid = entry(Role::Agent, Action::Submit, Resource::Profile { name: "untrusted", tier: Tier::Untrusted }, json!({}));
    let long = run(Role::Agent, "untrusted", Tier::Untrusted, json!({"profile": "p".repeat(20 << 10)}));
    let other = DecisionEntry { input: json!({"action": "dance"}), ..unsaid.clone() };
    let found = diff(&[case, unsaid, long, other], &shipped(), &shipped());
    let expected = [(Unreplayable::ContractCase, 1), (Unreplayable::Cut, 1), (Unreplayable::Unknown, 2)];
    assert_eq!((found.replayed, found.skipped), (0, BTreeMap::from(expected)));
}

#[test]
fn decisions_under_other_policies_than_the_present_ones_are_counted() {
    let mut old = run(Role::Agent, "untrusted", Tier::Untrusted, json!({}));
    old.bundles.policy.revision = Digest::of(b"old");
    assert_eq!(diff(&[old], &shipped(), &shipped()).made_otherwise, 1);
}

fn advice(entry: &DecisionEntry, rule: Rule) -> String {
    would_change(&Recorded::read(entry).expect("readable"), rule, &shipped()).join("\n")
}

#[test]
fn advice_for_a_tier_names_each_request_that_is_still_to_make() {
    let inline = advice(&run(Role::Agent, "production", Tier::Production, json!({"profile": "production"})), Rule::Tier);
    let id = Digest::of(b"artifact");
    for part in [
        "PUT /v1/artifacts",
        "/validate, for tier 1",
        "clean runs",
        "/reviews",
        "/promote {\"profile\":\"production\"}",
        "leave `profile` out",
    ] {
        assert!(inline.contains(part), "{part}: {inline}");
    }
    assert!(
        inline.contains(&format!("{{\"artifact\":\"{id}\"}}")) && inline.contains("the operator listener is for: operator"),
        "{inline}"
    );
    let validated = json!({"profile": "production", "standing": {"tier": 1, "profile": "validated"}});
    let higher = advice(&run(Role::Agent, "production", Tier::Production, validated), Rule::Tier);
    assert!(!higher.contains("PUT /v1/artifacts") && !higher.contains("/validate"), "{higher}");
}

#[test]
fn advice_says_which_roles_may_and_which_profiles_take_so_much() {
    let denied = entry(Role::Agent, Action::ManageKeys, Resource::Server, json!({}));
    assert!(advice(&denied, Rule::Authorization).contains("`manageKeys` is for: operator;"));
    let nobody = entry(Role::Operator, Action::Trial, Resource::Profile { name: "validated", tier: Tier::Validated }, json!({}));
    let told = advice(&nobody, Rule::Authorization);
    assert!(
        told.contains("`no-trial-by-the-public-door` forbids it to this principal here")
            && told.contains("on the operator listener it is for: operator"),
        "{told}"
    );
    let own = principal(Role::Developer).id;
    let review = Resource::Artifact { id: "sha256:a", tier: Tier::Untrusted, authors: &[own] };
    let told = advice(&entry(Role::Developer, Action::Review, review, json!({})), Rule::Authorization);
    assert!(told.contains("`no-review-by-authors` forbids it") && !told.contains("on the operator listener"), "{told}");
    let unsaid = entry(Role::Agent, Action::Submit, Resource::Profile { name: "untrusted", tier: Tier::Untrusted }, json!({}));
    assert!(!advice(&unsaid, Rule::Modules).contains("so much"));
    let limit = shipped().profiles.by_name("untrusted").expect("shipped").limits.source_bytes;
    let large = |bytes: u64| advice(&run(Role::Agent, "untrusted", Tier::Untrusted, json!({"sourceBytes": bytes})), Rule::SourceBytes);
    assert!(large(limit).contains("profiles that take so much: ") && large(limit).contains("untrusted"));
    assert!(large(u64::MAX).contains("no profile takes so much"));
    for (rule, part) in [
        (Rule::UnknownProfile, "name one of: "),
        (Rule::Evidence, "cordon revalidate sha256:"),
        (Rule::Hardening, "cordon doctor"),
        (Rule::LimitTooSmall, "can only lower"),
        (Rule::Granted, "it is refused when"),
    ] {
        let told = advice(&run(Role::Agent, "untrusted", Tier::Untrusted, json!({})), rule);
        assert!(told.contains(part), "{rule}: {told}");
    }
}
