//! An explanation from its facts: as members for programs, and as `words`, a line each, for people.

use super::facts::{Facts, RunFacts};
use crate::model::{Action, Ask, CaseOwner, DecisionEntry, EgressRecord, Right, rfc3339_ms};
use crate::policy::PolicySet;
use crate::policy::replay::{Recorded, would_change};
use serde_json::{Value, json};

/// Most denials in words; all are among the members.
const DENIALS_MAX: usize = 50;

/// The explanation of `facts`, where `set` is in force now.
pub(in crate::app) fn explained(facts: &Facts, set: &PolicySet) -> Value {
    let asked = facts.entry.as_ref().and_then(Recorded::read);
    let change = match (&facts.entry, &asked) {
        (Some(entry), Some(asked)) => would_change(asked, entry.result.rule, set),
        _ => Vec::new(),
    };
    let policies = facts.entry.as_ref().map(|entry| policies(entry, set)).unwrap_or_default();
    let run = facts.run.as_ref();
    let intent = run.map(|run| &run.intent);
    json!({
        "id": facts.id,
        "kind": if run.is_some() { "run" } else { "decision" },
        "decision": facts.entry,
        "policies": policies,
        "currentRevision": set.revision(),
        "right": intent.map(|intent| &intent.right),
        "grant": intent.map(|intent| &intent.grant),
        "outcome": run.map(|run| run.outcome),
        "denials": run.map(|run| &run.denials),
        "denialsTruncated": run.map(|run| run.denials_truncated),
        "wouldChange": change,
        "words": words(facts, asked.as_ref(), set, &policies, &change),
    })
}

/// Each policy that determined the decision, with its place and text where it is still among those in force.
fn policies(entry: &DecisionEntry, set: &PolicySet) -> Vec<Value> {
    let told = |id: &String| match set.authority.policies().iter().find(|policy| policy.id == *id) {
        Some(policy) => {
            json!({ "id": id, "inForce": true, "file": policy.file, "line": policy.line, "comment": policy.comment, "text": policy.text })
        }
        None => json!({ "id": id, "inForce": false }),
    };
    entry.result.policies.iter().map(told).collect()
}

fn words(facts: &Facts, asked: Option<&Recorded>, set: &PolicySet, policies: &[Value], change: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(run) = &facts.run {
        lines.extend(of_run(run, facts.entry.as_ref(), set));
    }
    match &facts.entry {
        Some(entry) => lines.extend(of_decision(entry, asked)),
        None => lines.push("decision  none is kept: it was made by a build that had no decision log".to_owned()),
    }
    lines.extend(policies.iter().map(of_policy));
    if let Some(entry) = &facts.entry {
        lines.extend(entry.result.errors.iter().map(|error| format!("error     {error}")));
        lines.extend(of_revision(entry, asked, set));
    }
    lines.extend(facts.run.iter().flat_map(of_denials));
    lines.extend(change.iter().map(|mend| format!("change    {mend}")));
    lines
}

fn of_run(run: &RunFacts, entry: Option<&DecisionEntry>, set: &PolicySet) -> Vec<String> {
    let (intent, grant) = (&run.intent, &run.intent.grant);
    let ended = run.outcome.map_or_else(|| "goes on".to_owned(), |outcome| format!("ended `{outcome}`"));
    let limits = match serde_json::to_value(grant.limits) {
        Ok(Value::Object(limits)) => limits.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "),
        Ok(_) | Err(_) => String::new(),
    };
    let mode = match &grant.egress {
        EgressRecord::Whole(egress) => json!(egress.mode),
        EgressRecord::Digest(told) => json!(told.mode),
    };
    let right = intent.right.as_ref().map_or_else(|| "not recorded by that build".to_owned(), |right| of_right(right, entry, set));
    vec![
        format!("run       {} {ended}", intent.run),
        format!("artifact  {}", intent.artifact),
        format!("profile   `{}`, tier {}", grant.profile, grant.tier),
        format!("right     {right}"),
        format!("grant     {limits}; egress {}", mode.as_str().unwrap_or_default()),
    ]
}

fn of_right(right: &Right, entry: Option<&DecisionEntry>, set: &PolicySet) -> String {
    match right {
        Right::Untrusted => "untrusted: it has the lowest tier, which needs none".to_owned(),
        Right::Earned { evidence } => format!("earned by its artifact, on the evidence {evidence}"),
        Right::Grace { evidence, until_ms } => {
            format!("earned on the evidence {evidence}, which is stale; such runs go on until {}", rfc3339_ms(*until_ms))
        }
        Right::Trial => {
            let by = trial_policies(entry, set);
            let by = if by.is_empty() { "a policy that is not in force any more".to_owned() } else { by.join(", ") };
            format!("a trial, by: {by}; its artifact has not earned the tier")
        }
        Right::Contract { case, owner, profile } => {
            let owner = match owner {
                CaseOwner::Profile => "the profile's owner",
                CaseOwner::Artifact => "whoever handed the artifact in",
            };
            format!("a contract case for the profile `{profile}`, `{case}` by {owner}")
        }
    }
}

/// Those of the decision's policies that let code be tried.
fn trial_policies(entry: Option<&DecisionEntry>, set: &PolicySet) -> Vec<String> {
    let Some((entry, asked)) = entry.and_then(|entry| Some((entry, Recorded::read(entry)?))) else { return Vec::new() };
    let verdict = set.authority.decide(&Ask { action: Action::Trial, ..asked.ask() });
    verdict.policies.into_iter().filter(|id| verdict.allowed && entry.result.policies.contains(id)).map(|id| format!("`{id}`")).collect()
}

fn of_decision(entry: &DecisionEntry, asked: Option<&Recorded>) -> Vec<String> {
    let result = &entry.result;
    let word = if result.allowed { "allowed" } else { "refused" };
    let mut lines = vec![format!("decision  {} of {}", entry.decision_id, entry.timestamp)];
    if let Some(asked) = asked {
        let Recorded { principal, action, resource, listener, .. } = asked;
        let who = format!("`{}` ({}, {})", principal.name, principal.role, principal.id);
        lines.push(format!("asked     {who} to do `{action}` with {}, on the {} listener", resource.words(), listener.as_str()));
    }
    lines.push(format!("answer    {word} by the rule `{}`: {}", result.rule, result.reason));
    if result.policies.is_empty() && !result.allowed && result.rule == crate::model::Rule::Authorization {
        lines.push("policy    none permits it, and what no policy permits is denied".to_owned());
    }
    lines
}

fn of_policy(policy: &Value) -> String {
    let text = |name: &str| policy[name].as_str().unwrap_or_default();
    if policy["inForce"] == false {
        return format!("policy    `{}`, which is not in force any more", text("id"));
    }
    let said = if text("comment").is_empty() { text("text") } else { text("comment") };
    format!("policy    `{}` ({}:{}): {said}", text("id"), text("file"), policy["line"])
}

/// That the policies changed since, and what they would say now.
fn of_revision(entry: &DecisionEntry, asked: Option<&Recorded>, set: &PolicySet) -> Vec<String> {
    let (then, now) = (entry.bundles.policy.revision, set.revision());
    if then == now {
        return Vec::new();
    }
    let mut lines =
        vec![format!("revision  decided under the policies {then}; those in force now are {now}, and what is told of policies is theirs")];
    if let Some(answer) = asked.and_then(|_| Recorded::of(entry).ok()).map(|asked| asked.answer(set)) {
        let word = if answer.allowed() { "allow" } else { "refuse" };
        lines.push(format!("now       they would {word} it by the rule `{}`, as far as that rests on policies alone", answer.rule));
    }
    lines
}

fn of_denials(run: &RunFacts) -> Vec<String> {
    let one = |no: &crate::model::Denial| {
        format!("denied    {} {} by the rule `{}`: {}; mend: {}", no.capability, no.target, no.rule, no.reason, no.remediation)
    };
    let mut lines: Vec<String> = run.denials.iter().take(DENIALS_MAX).map(one).collect();
    let left = run.denials.len().saturating_sub(DENIALS_MAX) as u64 + run.denials_truncated;
    lines.extend((left > 0).then(|| format!("denied    {left} more")));
    lines
}
