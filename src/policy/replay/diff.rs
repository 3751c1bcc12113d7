//! What other policies would have said otherwise, over many recorded decisions.

use super::{Answer, Recorded, Unreplayable};
use crate::model::{Action, DecisionEntry, DecisionId, Digest, Limits, Role, Rule, Tier};
use crate::policy::PolicySet;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Decisions that would be another one, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    /// What was asked.
    pub action: Action,
    /// The role of who asked.
    pub role: Role,
    /// The profile that it was about, where it was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What the present policies say: a rule.
    pub before: String,
    /// What the candidate says: a rule, and for runs that stay allowed the limits that change.
    pub after: String,
    /// Whether the candidate allows it.
    pub allowed: bool,
    /// How many.
    pub count: u64,
    /// The first of them that was asked again.
    pub example: DecisionId,
}

/// What would be otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// The decisions that would be another one, the most frequent kind first.
    pub flips: Vec<Flip>,
    /// How many decisions were asked again.
    pub replayed: u64,
    /// How many were not, and why.
    pub skipped: BTreeMap<Unreplayable, u64>,
    /// Artifacts whose evidence would go stale, of those that were run.
    pub stale: BTreeSet<Digest>,
    /// How many were made under other policies than the present ones.
    pub made_otherwise: u64,
}

impl Diff {
    /// How many decisions would be another one.
    pub fn flipped(&self) -> u64 {
        self.flips.iter().map(|flip| flip.count).sum()
    }

    /// Adds what `candidate` says otherwise than `current` to what was asked in `entries`. Of each kind the first that is added is the example.
    pub fn add(&mut self, entries: &[DecisionEntry], current: &PolicySet, candidate: &PolicySet) {
        for entry in entries {
            self.made_otherwise += u64::from(entry.bundles.policy.revision != current.revision());
            match Recorded::of(entry) {
                Ok(recorded) => self.again(&recorded, entry.decision_id, current, candidate),
                Err(why) => *self.skipped.entry(why).or_default() += 1,
            }
        }
        self.flips.sort_by_key(|flip| std::cmp::Reverse(flip.count));
    }

    fn again(&mut self, recorded: &Recorded, id: DecisionId, current: &PolicySet, candidate: &PolicySet) {
        self.replayed += 1;
        self.stale.extend(goes_stale(recorded, current, candidate));
        let (before, after) = (recorded.answer(current), recorded.answer(candidate));
        let changes = match (before.limits, after.limits) {
            (Some(before), Some(after)) => changed(&before, &after),
            _ => Vec::new(),
        };
        if before.rule != after.rule || !changes.is_empty() {
            self.note(recorded, id, before.rule, (after, &changes));
        }
    }

    fn note(&mut self, recorded: &Recorded, example: DecisionId, before: Rule, (after, changes): (Answer, &[String])) {
        let limits = if changes.is_empty() { String::new() } else { format!(" ({})", changes.join(", ")) };
        let flip = Flip {
            action: recorded.action,
            role: recorded.principal.role,
            profile: recorded.profile().map(str::to_owned),
            before: before.to_string(),
            after: format!("{}{limits}", after.rule),
            allowed: after.allowed(),
            count: 1,
            example,
        };
        match self.flips.iter_mut().find(|known| alike(known, &flip)) {
            Some(known) => known.count += 1,
            None => self.flips.push(flip),
        }
    }
}

fn alike(one: &Flip, other: &Flip) -> bool {
    (one.action, one.role, &one.profile, &one.before, &one.after) == (other.action, other.role, &other.profile, &other.before, &other.after)
}

/// Limits of what is sent in: a run that keeps to them gets nothing less by a lower one.
const SENT_IN: [&str; 3] = ["sourceBytes", "modules", "inputBytes"];

/// Each limit of what a run may use that differs, with both numbers.
fn changed(before: &Limits, after: &Limits) -> Vec<String> {
    let object = |limits: &Limits| match serde_json::to_value(limits) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let after = object(after);
    let differs = |(name, old): (String, Value)| {
        let new = after.get(&name).filter(|new| **new != old && !SENT_IN.contains(&name.as_str()))?;
        Some(format!("{name} {old} -> {new}"))
    };
    object(before).into_iter().filter_map(differs).collect()
}

/// The artifact, if it stands on evidence that does not count under `candidate` any more.
fn goes_stale(recorded: &Recorded, current: &PolicySet, candidate: &PolicySet) -> Option<Digest> {
    let stood = recorded.request.standing.as_ref().filter(|stood| stood.tier > Tier::Untrusted)?;
    let rests_on = |set: &PolicySet| set.profiles.by_name(&stood.profile).map(|profile| set.evidence_policy(profile));
    let (before, after) = (rests_on(current)?, rests_on(candidate)?);
    recorded.request.artifact.filter(|_| before != after)
}
