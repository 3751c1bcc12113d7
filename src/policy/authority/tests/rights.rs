//! The rights that the built-in policies give.

use super::*;

fn built_in() -> Authority {
    Authority::load(None).expect("the built-in policies have no mistake")
}

/// The roles that may do `action` to something that is nobody's own, by the public door.
fn holders(action: Action) -> &'static [Role] {
    match action {
        Action::Submit | Action::ShelveArtifact => &[Role::Agent, Role::Developer, Role::Operator],
        Action::Trial => &[],
        Action::ReadArtifact => &[Role::Developer, Role::Operator, Role::Auditor],
        Action::Review | Action::Validate => &[Role::Developer, Role::Operator],
        Action::ReadRun | Action::ReadLog | Action::ReadDecisions => &[Role::Operator, Role::Auditor],
        Action::Promote
        | Action::Demote
        | Action::Quarantine
        | Action::Release
        | Action::KillSwitch
        | Action::OpenCohort
        | Action::ManageKeys
        | Action::MoveAlias
        | Action::ReloadPolicy => &[Role::Operator],
    }
}

const ROLES: [Role; 4] = [Role::Agent, Role::Developer, Role::Operator, Role::Auditor];

#[test]
fn each_role_has_the_rights_of_the_table_and_no_other() {
    let authority = built_in();
    for action in Action::ALL {
        for role in ROLES {
            let verdict = ask(&authority, &who("key:1", role), action, resource_of(action));
            assert_eq!(verdict.allowed, holders(action).contains(&role), "{role} {action}: {verdict:?}");
            assert_eq!(verdict.errors, [""; 0], "{role} {action}");
        }
    }
}

#[test]
fn every_profile_of_every_tier_may_be_submitted_to() {
    let authority = built_in();
    for tier in Tier::ALL {
        let verdict = ask(&authority, &who("key:1", Role::Agent), Action::Submit, Resource::Profile { name: "any", tier });
        assert_eq!((verdict.allowed, verdict.policies), (true, vec!["run-code".to_owned()]));
    }
}

#[test]
fn whoever_asked_for_a_run_reads_it_and_another_agent_does_not() {
    let authority = built_in();
    for role in ROLES {
        for id in ["0199", ""] {
            let run = |owner| Resource::Run { id, owner, tier: Tier::Untrusted };
            assert!(ask(&authority, &who("key:1", role), Action::ReadRun, run("key:1")).allowed);
            assert_eq!(
                ask(&authority, &who("key:1", role), Action::ReadRun, run("key:2")).allowed,
                matches!(role, Role::Operator | Role::Auditor)
            );
            assert_eq!(
                ask(&authority, &who("key:1", role), Action::ReadRun, run("key:11")).allowed,
                matches!(role, Role::Operator | Role::Auditor)
            );
        }
    }
}

#[test]
fn authors_read_their_artifacts_and_neither_review_nor_promote_them() {
    let authority = built_in();
    let authors = ["key:0".to_owned(), "key:1".to_owned()];
    let own = Resource::Artifact { id: "sha256:00", tier: Tier::Validated, authors: &authors };
    for role in ROLES {
        let author = who("key:1", role);
        assert!(ask(&authority, &author, Action::ReadArtifact, own).allowed, "{role}");
        for (action, forbids) in [(Action::Review, "no-review-by-authors"), (Action::Promote, "no-promotion-by-authors")] {
            let verdict = ask(&authority, &author, action, own);
            assert_eq!((verdict.allowed, verdict.policies), (false, vec![forbids.to_owned()]), "{role} {action}");
            let other = ask(&authority, &who("key:2", role), action, own);
            assert_eq!(other.allowed, holders(action).contains(&role), "{role} {action}");
        }
        let validated = ask(&authority, &author, Action::Validate, own);
        assert_eq!(validated.allowed, holders(Action::Validate).contains(&role), "{role}");
    }
}

#[test]
fn a_trial_is_for_whoever_is_local_and_for_operators_on_their_own_door() {
    let authority = built_in();
    let profile = resource_of(Action::Trial);
    let trial = |principal: &Principal, listener| {
        let verdict = authority.decide(&Ask { principal, action: Action::Trial, resource: profile, listener });
        (verdict.allowed, verdict.policies.join(" "))
    };
    let local = Principal::local();
    assert_eq!(trial(&local, Door::Public), (true, "trial-on-a-local-server".to_owned()));
    assert_eq!(trial(&local, Door::Operator), (true, "trial-by-operators trial-on-a-local-server".to_owned()));
    for role in ROLES {
        assert_eq!(trial(&who("key:1", role), Door::Public), (false, "no-trial-by-the-public-door".to_owned()), "{role}");
        assert_eq!(trial(&who("key:1", role), Door::Operator).0, role == Role::Operator, "{role}");
    }
}

#[test]
fn whoever_is_local_may_do_everything() {
    let authority = built_in();
    for action in Action::ALL {
        assert!(ask(&authority, &Principal::local(), action, resource_of(action)).allowed, "{action}");
    }
}

#[test]
fn every_built_in_policy_has_an_id_and_a_comment_and_nothing_odd() {
    let authority = built_in();
    assert_eq!(authority.warnings(), []);
    let text = super::super::BUILT_IN.1;
    for policy in authority.policies() {
        assert!(policy.text.starts_with("@id("), "{policy:?}");
        let line = policy.line as usize;
        assert!(text.lines().nth(line - 2).is_some_and(|before| before.starts_with("// ")), "no reason above {}", policy.id);
    }
    assert_eq!(authority.policy_ids().count(), text.matches("@id(").count());
}
