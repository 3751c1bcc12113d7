//! Which rules name a host, found without looking at the others: made once per profile, asked at each decision.
//!
//! A wildcard stands for exactly one label, so a host has one name and one parent by which rules can name it.

use super::{EgressRule, HostPattern, host};
use std::collections::HashMap;

/// Places of rules in their list, in its order, by the names in their patterns.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleIndex {
    /// By the exact name.
    names: HashMap<String, Vec<usize>>,
    /// By what follows the `*.`.
    parents: HashMap<String, Vec<usize>>,
}

impl RuleIndex {
    pub(super) fn new(rules: &[EgressRule]) -> Self {
        let mut index = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            let (map, name) = match &rule.host {
                HostPattern::Name(name) => (&mut index.names, name),
                HostPattern::OneBelow(parent) => (&mut index.parents, parent),
            };
            map.entry(name.clone()).or_default().push(place);
        }
        index
    }

    /// Places of the rules whose pattern allows `name`, first ones first: those for which [`host::matches`] holds.
    pub(super) fn naming(&self, name: &str) -> impl Iterator<Item = usize> {
        let (mut own, mut wild) = match host::is_name(name) {
            true => (places(&self.names, name), name.split_once('.').map_or(&[][..], |(_, parent)| places(&self.parents, parent))),
            false => (&[][..], &[][..]),
        };
        std::iter::from_fn(move || {
            let next = match (own.first(), wild.first()) {
                (Some(a), Some(b)) if b < a => &mut wild,
                (Some(_), _) => &mut own,
                (None, _) => &mut wild,
            };
            let (first, rest) = next.split_first()?;
            *next = rest;
            Some(*first)
        })
    }

    /// Place of the first rule whose pattern has `name` in it, or a name above it, without allowing it by its exact name. `name` is one that
    /// DNS carries, so it has few labels.
    pub(super) fn near(&self, name: &str) -> Option<usize> {
        let above = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent));
        let named = above.clone().skip(1).filter_map(|name| places(&self.names, name).first());
        let wild = above.filter_map(|name| places(&self.parents, name).first());
        named.chain(wild).min().copied()
    }
}

fn places<'p>(map: &'p HashMap<String, Vec<usize>>, name: &str) -> &'p [usize] {
    map.get(name).map_or(&[], Vec::as_slice)
}
