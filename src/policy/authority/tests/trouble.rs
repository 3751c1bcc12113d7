//! Errors deny.

use super::*;

/// Validates, and overflows for any tier above 0.
const OVERFLOWS: &str = "resource.tier + 9223372036854775807 > 0";

fn submit(authority: &Authority, tier: Tier) -> Verdict {
    ask(authority, &who("key:1", Role::Agent), Action::Submit, Resource::Profile { name: "x", tier })
}

#[test]
fn a_permit_that_fails_denies_although_another_permits() {
    let text = format!(
        "@id(\"plain\") permit (principal, action == Action::\"submit\", resource);
         @id(\"sum\") permit (principal, action == Action::\"submit\", resource) when {{ {OVERFLOWS} }};"
    );
    let authority = policies(&text);
    assert_eq!(submit(&authority, Tier::Untrusted).policies, ["plain", "sum"]);
    let verdict = submit(&authority, Tier::Validated);
    assert_eq!((verdict.allowed, verdict.policies), (false, vec!["sum".to_owned()]));
    assert!(matches!(verdict.errors.as_slice(), [error] if error.contains("`sum`") && error.contains("overflow")), "{:?}", verdict.errors);
}

#[test]
fn a_forbid_that_fails_denies_although_cedar_skips_it() {
    let text = format!(
        "@id(\"plain\") permit (principal, action, resource);
         @id(\"no\") forbid (principal, action == Action::\"submit\", resource) when {{ {OVERFLOWS} && false }};"
    );
    let authority = policies(&text);
    // Of tier 0 the forbid is evaluated, and does not apply.
    assert_eq!(submit(&authority, Tier::Untrusted), Verdict { allowed: true, policies: vec!["plain".to_owned()], errors: Vec::new() });
    for tier in [Tier::Validated, Tier::Production] {
        let verdict = submit(&authority, tier);
        assert_eq!((verdict.allowed, verdict.policies.as_slice(), verdict.errors.len()), (false, ["no".to_owned()].as_slice(), 1));
    }
    // What fails for one action has no say in another.
    assert!(ask(&authority, &who("key:1", Role::Agent), Action::ManageKeys, Resource::Server).allowed);
}

#[test]
fn a_forbid_that_applies_is_named_beside_a_policy_that_fails() {
    let text = format!(
        "@id(\"plain\") permit (principal, action, resource);
         @id(\"b-never\") forbid (principal, action == Action::\"submit\", resource);
         @id(\"a-sum\") permit (principal, action == Action::\"submit\", resource) when {{ {OVERFLOWS} }};"
    );
    let verdict = submit(&policies(&text), Tier::Validated);
    assert_eq!((verdict.allowed, verdict.policies.as_slice()), (false, ["a-sum".to_owned(), "b-never".to_owned()].as_slice()));
}

#[test]
fn an_action_asked_of_another_kind_of_thing_is_denied_whatever_is_permitted() {
    let authority = policies("@id(\"all\") permit (principal, action, resource);");
    let authors = ["key:1".to_owned()];
    let things = [
        Resource::Profile { name: "x", tier: Tier::Untrusted },
        Resource::Run { id: "", owner: "key:1", tier: Tier::Untrusted },
        Resource::Artifact { id: "x", tier: Tier::Untrusted, authors: &authors },
        Resource::Server,
    ];
    for action in Action::ALL {
        for thing in things {
            let fits = std::mem::discriminant(&thing) == std::mem::discriminant(&resource_of(action));
            let verdict = ask(&authority, &who("key:1", Role::Agent), action, thing);
            assert_eq!((verdict.allowed, verdict.errors.is_empty()), (fits, fits), "{action} {thing:?}: {verdict:?}");
        }
    }
}

#[test]
fn what_no_policy_permits_is_denied_by_none() {
    let verdict = submit(&policies("@id(\"x\") permit (principal, action == Action::\"trial\", resource);"), Tier::Untrusted);
    assert_eq!(verdict, Verdict { allowed: false, policies: Vec::new(), errors: Vec::new() });
    assert!(!submit(&policies("// nothing is permitted here\n"), Tier::Untrusted).allowed);
}

#[test]
fn texts_of_callers_are_texts_and_never_policy() {
    let authority = Authority::load(None).expect("built in");
    let odd = ["local\"", "Principal::\"local\"", "\u{0}", "", "*", "\\\"local", "LOCAL", "local ", "öperator\n"];
    for id in odd {
        let principal = Principal { id: id.to_owned(), name: "local".to_owned(), role: Role::Agent };
        let verdict = ask(&authority, &principal, Action::Trial, Resource::Profile { name: id, tier: Tier::Production });
        assert_eq!((verdict.allowed, verdict.errors), (false, Vec::new()), "{id:?}");
        let own = [id.to_owned()];
        let artifact = Resource::Artifact { id, tier: Tier::Untrusted, authors: &own };
        assert!(ask(&authority, &principal, Action::ReadArtifact, artifact).allowed, "{id:?}");
    }
}

#[test]
fn what_is_asked_has_the_shape_that_the_schema_gives_it() {
    let words = super::super::words::Words::new().expect("the schema reads");
    let authors = ["key:1".to_owned(), "key:2".to_owned()];
    for action in Action::ALL {
        for role in [Role::Agent, Role::Developer, Role::Operator, Role::Auditor] {
            let resource = match resource_of(action) {
                Resource::Artifact { id, tier, .. } => Resource::Artifact { id, tier, authors: &authors },
                other => other,
            };
            let principal = who("key:1", role);
            let question = words.question(&Ask { principal: &principal, action, resource, listener: Door::Operator }).expect("it fits");
            let checked = cedar_policy::Entities::from_entities(question.entities, Some(&words.schema));
            assert!(checked.is_ok(), "{action} {role}: {:?}", checked.err());
        }
    }
}
