//! What the server tells about its profiles, to whom.

use crate::intake::OFFERED;
use crate::model::{Principal, Problem, ProblemCode, Profile};
use crate::policy::PolicySet;
use crate::policy::capabilities::{Access, Capabilities, Form, Platform, access, brief, declarations};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Most names of profiles in a remediation.
const NAMES_MAX: usize = 16;

/// Global names that code may use: those of the isolate without `eval`, which only throws.
static GLOBALS: LazyLock<Vec<&'static str>> = LazyLock::new(|| OFFERED.iter().copied().filter(|name| *name != "eval").collect());

/// One profile with what is the same for every one.
#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    capabilities: Capabilities<'a>,
    platform: Platform<'a>,
}

/// Every profile that `principal` may know of, and once what is the same for all.
pub(super) fn list(set: &PolicySet, principal: &Principal) -> Value {
    let profiles: Vec<Capabilities<'_>> = known(set, principal).map(|(profile, access)| Capabilities::of(profile, access)).collect();
    json!({ "profiles": profiles, "platform": Platform::with(&GLOBALS) })
}

/// The profile called `name`, told in this form.
///
/// # Errors
/// Caused by the caller: there is none of that name, or not for this principal.
pub(super) fn one(set: &PolicySet, principal: &Principal, name: &str, form: Form) -> Result<String, Problem> {
    let found = known(set, principal).find(|(profile, _)| profile.name == name);
    let (profile, access) = found.ok_or_else(|| unknown(set, principal, name))?;
    match form {
        Form::Json => {
            let one = One { capabilities: Capabilities::of(profile, access), platform: Platform::with(&GLOBALS) };
            serde_json::to_string(&one).map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string(), "see the server's log"))
        }
        Form::Declarations => Ok(declarations(profile, &GLOBALS)),
        Form::Text => Ok(brief(profile)),
    }
}

fn known<'a>(set: &'a PolicySet, principal: &'a Principal) -> impl Iterator<Item = (&'a Profile, Access)> {
    set.profiles.iter().filter_map(|profile| access(set, principal, profile).map(|access| (&**profile, access)))
}

fn unknown(set: &PolicySet, principal: &Principal, name: &str) -> Problem {
    let shown: String = name.chars().take(64).collect();
    let names: Vec<&str> = known(set, principal).map(|(profile, _)| profile.name.as_str()).take(NAMES_MAX).collect();
    let mend = format!("name one that `GET /v1/capabilities` lists, such as: {}", names.join(", "));
    Problem::new(ProblemCode::NotFound, format!("there is no profile `{shown}`"), mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    fn set() -> PolicySet {
        PolicySet::load(None).expect("built in")
    }

    #[test]
    fn who_may_run_is_told_so_and_who_reads_everything_reads_this_too() {
        for (role, may_run) in [(Role::Agent, true), (Role::Developer, true), (Role::Operator, true), (Role::Auditor, false)] {
            let told = list(&set(), &Principal { role, ..Principal::local() });
            let names: Vec<&str> = told["profiles"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
            assert_eq!(names, ["production", "untrusted", "validated"]);
            assert!(told["profiles"].as_array().expect("a list").iter().all(|one| one["mayRun"] == may_run), "{role}");
        }
    }

    #[test]
    fn one_profile_is_told_as_in_the_list_and_an_unknown_one_names_the_others() {
        let (set, local) = (set(), Principal::local());
        let told: Value = serde_json::from_str(&one(&set, &local, "untrusted", Form::Json).expect("it is there")).expect("JSON");
        let list = list(&set, &local);
        let mut alone = told.clone();
        let platform = alone.as_object_mut().expect("an object").remove("platform");
        assert_eq!((alone, platform), (list["profiles"][1].clone(), Some(list["platform"].clone())));
        let globals = told["platform"]["globals"].as_array().expect("a list");
        assert!(globals.contains(&json!("fetch")) && !globals.contains(&json!("eval")));
        for name in ["", "Untrusted", "untrusted ", "../untrusted", &"x".repeat(9000)] {
            let problem = one(&set, &local, name, Form::Text).expect_err("no such profile");
            assert_eq!((problem.status, problem.detail.len() < 100), (404, true), "{name}");
            assert!(problem.remediation.contains("production, untrusted, validated"), "{}", problem.remediation);
        }
    }
}
