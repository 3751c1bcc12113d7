//! What can happen on the ladder, and to whom.

use crate::model::{Principal, Role};
use proptest::prelude::*;

/// Who acts.
pub(super) const PEOPLE: [(&str, Role); 6] = [
    ("agent", Role::Agent),
    ("ann", Role::Developer),
    ("ben", Role::Developer),
    ("olga", Role::Operator),
    ("otto", Role::Operator),
    ("eve", Role::Auditor),
];

pub(super) fn person(index: usize) -> Principal {
    let (id, role) = PEOPLE[index];
    Principal { id: id.to_owned(), name: id.to_owned(), role }
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    Submit(usize),
    Validate(usize, bool),
    Approve(usize),
    Object(usize),
    Promote(usize, bool),
    /// A promotion whose evidence is there while the same person becomes an author, another objects, the policies change, or it is demoted.
    PromoteLate(usize, Late),
    Demote(usize),
    CleanRun,
    NewPolicy,
    NewBuild,
    Time,
    Notice,
}

/// What happens while evidence is gathered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Late {
    Author,
    Objection,
    Policy,
    Demotion,
}

/// Random ways, on which tier 2 is reached now and then.
pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = 0..PEOPLE.len();
    // An operator who is likely to get through, so that tier 2 is reached often.
    let able = prop_oneof![3 => 3..5_usize, 1 => 0..PEOPLE.len()];
    let late = prop_oneof![Just(Late::Author), Just(Late::Objection), Just(Late::Policy), Just(Late::Demotion)];
    let act = prop_oneof![
        1 => who.clone().prop_map(Act::Submit),
        6 => (1..5_usize, prop::bool::weighted(0.9)).prop_map(|(who, green)| Act::Validate(who, green)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, green)| Act::Validate(who, green)),
        8 => (1..5_usize).prop_map(Act::Approve),
        1 => who.clone().prop_map(Act::Approve),
        1 => who.clone().prop_map(Act::Object),
        9 => (able.clone(), prop::bool::weighted(0.9)).prop_map(|(who, green)| Act::Promote(who, green)),
        2 => (able, late).prop_map(|(who, late)| Act::PromoteLate(who, late)),
        1 => who.prop_map(Act::Demote),
        10 => Just(Act::CleanRun),
        1 => Just(Act::NewPolicy),
        1 => Just(Act::NewBuild),
        1 => Just(Act::Time),
        1 => Just(Act::Notice),
    ];
    prop::collection::vec(act, 10..60)
}
