//! What would be said of a request, for whoever asks without making one.

use super::refusal::{FIXTURES, Refusal};
use super::{Target, admit, decide, fixture};
use crate::model::{EgressMode, EgressTerms, Enforcement};

/// Leave that a request would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// What allows it: `egress.` and the host of a rule, or `egress.fixtures`.
    pub rule: String,
    /// The place of the rule, or of the fixture, in the grant.
    pub index: usize,
    /// True when only a rule on trial allows it.
    pub would_deny: bool,
}

/// What is said of a run's first request, of `method` to `url`, under `grant` and a limit of `sub_requests`. By rules and fixtures alone: no name is
/// resolved, nothing is sent, and no secret is looked for. Whoever wrote the request causes refusals.
pub fn judge(grant: &EgressTerms, sub_requests: u64, method: &str, url: &str) -> Result<Leave, Refusal> {
    let target = Target::parse(method, url)?;
    if sub_requests == 0 {
        return Err(admit::too_many(&target, sub_requests));
    }
    match grant.mode {
        EgressMode::Deny => Err(admit::deny(&target)),
        EgressMode::Synthetic => {
            fixture::find(grant, &target).map(|(index, _)| Leave { rule: FIXTURES.to_owned(), index, would_deny: false })
        }
        EgressMode::Allowlist => decide::decide(grant, &target).map(|decide::Permit { rule, index }| Leave {
            rule: rule.name(),
            index,
            would_deny: rule.enforcement == Enforcement::Audit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, EgressFixture, EgressGrant, EgressRule, HostPattern};

    fn grant(mode: EgressMode) -> EgressTerms {
        let rule = |host: &str| EgressRule::sample(HostPattern::Name(host.to_owned()));
        let fixture = EgressFixture {
            method: "GET".to_owned(),
            url: "https://good.example/*".to_owned(),
            status: 200,
            headers: Vec::new(),
            body_digest: Digest::of(b""),
            body: bytes::Bytes::new(),
            latency_ms: 0,
        };
        let tried = EgressRule { enforcement: Enforcement::Audit, ..rule("tried.example") };
        let rules = vec![rule("other.example"), rule("good.example"), tried];
        EgressGrant { mode, rules, fixtures: vec![fixture], ..EgressGrant::default() }.into()
    }

    #[test]
    fn what_is_said_names_the_rule_or_the_fixture_in_each_mode() {
        let said =
            |mode, method, url| judge(&grant(mode), 1, method, url).map(|leave| (leave.rule, leave.index)).map_err(|no| (no.code, no.rule));
        let good = "https://good.example/a";
        let denied = |code, rule: &str| Err((code, rule.to_owned()));
        assert_eq!(said(EgressMode::Allowlist, "GET", good), Ok(("egress.good.example".to_owned(), 1)));
        assert_eq!(said(EgressMode::Allowlist, "POST", good), denied("methodDenied", "egress.good.example"));
        assert_eq!(said(EgressMode::Allowlist, "GET", "https://evil.example/"), denied("egressDenied", "egress.default-deny"));
        assert_eq!(said(EgressMode::Synthetic, "GET", good), Ok(("egress.fixtures".to_owned(), 0)));
        assert_eq!(said(EgressMode::Synthetic, "POST", good), denied("noFixture", "egress.fixtures"));
        assert_eq!(said(EgressMode::Deny, "GET", good), denied("egressDenied", "egress.default-deny"));
        assert_eq!(said(EgressMode::Allowlist, "GET", "https://a:b@good.example/"), denied("badTarget", "egress.default-deny"));
    }

    #[test]
    fn what_is_said_of_a_request_tells_when_only_a_rule_on_trial_allows_it() {
        let said = |url| judge(&grant(EgressMode::Allowlist), 1, "GET", url).map(|leave| leave.would_deny).ok();
        assert_eq!((said("https://tried.example/"), said("https://good.example/")), (Some(true), Some(false)));
    }

    #[test]
    fn a_run_that_may_make_one_request_is_judged_by_rules_and_one_that_may_make_none_is_not() {
        let code = |most| judge(&grant(EgressMode::Allowlist), most, "GET", "https://good.example/").map_err(|refusal| refusal.code);
        assert!(code(1).is_ok());
        assert_eq!(code(0).map(drop), Err("tooManyRequests"));
    }
}
