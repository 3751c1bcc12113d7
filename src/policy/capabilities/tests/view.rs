use super::*;
use crate::model::{Role, Tier};
use serde_json::{Value, json};

fn told(profile: &Profile) -> Value {
    serde_json::to_value(Capabilities::of(profile, Access::Run)).expect("JSON")
}

#[test]
fn a_profile_is_told_with_what_its_code_must_know() {
    let told = told(&orders());
    let rule = json!({
        "host": "api.example", "ports": [443], "schemes": ["https"], "methods": ["GET", "POST"], "pathPrefix": "/v1",
        "maxResponseBytes": 10 << 20, "maxRequests": 50, "reason": "orders API, ticket 4711",
    });
    let secret = json!({
        "name": "API_KEY", "header": "x-key", "hosts": ["api.example"], "methods": ["POST"], "pathPrefix": "/v1/", "mode": "placeholder",
        "hasValue": true, "reason": "key of the orders API",
    });
    assert_eq!((&told["egress"]["rules"][0], &told["egress"]["rules"][1]["host"]), (&rule, &json!("*.cdn.example")));
    assert_eq!((&told["secrets"][0], &told["secrets"][1]["mode"]), (&secret, &json!("inject")));
    assert_eq!((&told["vars"], &told["egress"]["fixtures"]), (&json!(["REGION"]), &json!([])));
    let mut names: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["description", "durability", "egress", "limits", "mayRun", "name", "secrets", "tier", "vars"]);
}

#[test]
fn of_a_fixture_only_the_requests_that_it_answers_are_told() {
    let told = told(&canned(2));
    let fixtures = json!([
        { "method": "*", "url": "https://api.example/v0/*/x" },
        { "method": "GET", "url": "https://api.example/v1/*/x" },
    ]);
    assert_eq!(
        (&told["egress"]["fixtures"], &told["egress"]["rules"]),
        (&fixtures, &json!([])),
        "and no rule that the mode does not look at"
    );
}

#[test]
fn a_secret_without_a_value_says_so() {
    let untrusted = Profile { tier: Tier::Untrusted, ..orders() };
    for (profile, has_value) in [(orders(), true), (canned(1), false), (untrusted, false)] {
        assert_eq!(told(&profile)["secrets"][0]["hasValue"], has_value);
    }
}

#[test]
fn each_role_runs_under_profiles_or_reads_about_them() {
    let profile = orders();
    let set = crate::policy::PolicySet::load(None).expect("built in");
    let of = |role| access(&set, &Principal { role, ..Principal::local() }, &profile);
    let roles = [Role::Agent, Role::Developer, Role::Operator, Role::Auditor];
    assert_eq!(roles.map(of), [Some(Access::Run), Some(Access::Run), Some(Access::Run), Some(Access::Read)]);
}
