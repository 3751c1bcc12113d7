//! The index of rules against what it stands for: a walk over all of them.

use crate::egress::Target;
use crate::egress::decide::decide;
use crate::model::{EgressGrant, EgressMode, EgressRule, EgressTerms, Enforcement, HostPattern, Scheme, host, path};
use proptest::prelude::*;
use proptest::sample::select;
use std::cmp::Reverse;

fn terms(rules: Vec<EgressRule>) -> EgressTerms {
    EgressGrant { mode: EgressMode::Allowlist, rules, ..EgressGrant::default() }.into()
}

/// How much of a rule that names the host fits a target: all of it at 4.
fn fits(rule: &EgressRule, target: &Target) -> usize {
    let each = [
        rule.schemes.contains(&target.scheme),
        rule.ports.contains(&target.port),
        rule.methods.contains(&target.method),
        path::fit(&rule.path_prefix, target.path()),
    ];
    each.into_iter().take_while(|fits| *fits).count()
}

/// True when a rule looks as if it allowed the host.
fn is_near(rule: &EgressRule, name: &str) -> bool {
    match &rule.host {
        HostPattern::Name(own) => host::below(own, name).is_some(),
        HostPattern::OneBelow(parent) => parent == name || host::below(parent, name).is_some(),
    }
}

/// The rule that decides on a target: the one that allows it, or else the one that its refusal is about.
fn by_walking(rules: &[EgressRule], target: &Target) -> Result<usize, Option<usize>> {
    let naming = || rules.iter().enumerate().filter(|(_, rule)| host::matches(&rule.host, &target.host));
    let whole = |kind| naming().find(|(_, rule)| rule.enforcement == kind && fits(rule, target) == 4);
    if let Some((place, _)) = whole(Enforcement::Enforce).or_else(|| whole(Enforcement::Audit)) {
        return Ok(place);
    }
    let nearest = naming().min_by_key(|(place, rule)| (Reverse(fits(rule, target)), *place));
    let near = || rules.iter().enumerate().find(|(_, rule)| is_near(rule, &target.host));
    Err(nearest.or_else(near).map(|(place, _)| place))
}

fn names() -> impl Strategy<Value = String> {
    let label = select(vec!["a", "b", "example", "127", "0", "1", "0x7f", "xn--a", "a-"]);
    let odd = select(vec!["", ".", "a..b", "[::1]", "127.0.0.1", "a.", ".a", "A.b", "*.a", "a!.b"]);
    prop_oneof![8 => proptest::collection::vec(label, 1..5).prop_map(|labels| labels.join(".")), 1 => odd.prop_map(str::to_owned)]
}

prop_compose! {
    fn rules()(
        (wild, name) in (any::<bool>(), names()),
        schemes in select(vec![vec![Scheme::Https], vec![Scheme::Http], vec![Scheme::Https, Scheme::Http]]),
        ports in select(vec![vec![443], vec![80], vec![443, 80], vec![8443]]),
        methods in select(vec![vec!["GET"], vec!["POST"], vec!["GET", "POST"]]),
        path_prefix in select(vec!["/", "/v1", "/v1/", "/v2"]),
        enforcement in select(vec![Enforcement::Enforce, Enforcement::Audit]),
    ) -> EgressRule {
        EgressRule {
            host: if wild { HostPattern::OneBelow(name) } else { HostPattern::Name(name) },
            ports,
            schemes,
            methods: methods.into_iter().map(str::to_owned).collect(),
            path_prefix: path_prefix.to_owned(),
            max_response_bytes: 1,
            max_requests: 1,
            inject: None,
            enforcement,
            reason: "a test".to_owned(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_index_decides_as_a_walk_over_all_rules_does_and_says_the_same(
        rules in proptest::collection::vec(rules(), 0..12),
        name in names(),
        site in select(vec!["https://{}/v1/a", "https://{}/", "http://{}/v1", "https://{}:8443/v2", "https://{}:80/v1%2f"]),
        method in select(vec!["GET", "POST", "PUT"]),
    ) {
        let Ok(target) = Target::parse(method, &site.replace("{}", &name)) else { return Ok(()) };
        let all = terms(rules.clone());
        let decided = decide(&all, &target).map(|permit| permit.index);
        match by_walking(&rules, &target) {
            Ok(place) => prop_assert_eq!(decided, Ok(place)),
            // Alone, the rule leads to the same words.
            Err(place) => {
                let alone = terms(place.and_then(|place| rules.get(place)).cloned().into_iter().collect());
                prop_assert_eq!(decided, decide(&alone, &target).map(|_| usize::MAX));
            }
        }
    }

    #[test]
    fn the_index_names_the_rules_that_the_matcher_matches(rules in proptest::collection::vec(rules(), 0..12), name in names()) {
        let found: Vec<usize> = terms(rules.clone()).naming(&name).map(|(place, _)| place).collect();
        let matched: Vec<usize> = (0..rules.len()).filter(|place| host::matches(&rules[*place].host, &name)).collect();
        prop_assert_eq!(found, matched);
    }
}
