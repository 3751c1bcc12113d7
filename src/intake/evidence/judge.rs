//! From what was seen to what it means at a tier and under a grant. Reads no source.

use crate::model::{Check, CheckReport, EgressMode, EgressRule, EgressTerms, Evidence, Finding, More, Scheme, Severity, Tier, UrlLiteral};
use std::collections::BTreeMap;

/// The findings of `evidence` at `tier`, by module name, place and check. `checks` are severities that a profile has in the place of the tier's.
/// Without a grant, URLs are told only where no grant could allow them.
pub fn judge(evidence: &Evidence, tier: Tier, checks: &BTreeMap<Check, Severity>, grant: Option<&EgressTerms>) -> CheckReport {
    let severity = |check: Check| checks.get(&check).copied().unwrap_or_else(|| check.severity(tier));
    let finding = |id: Check, message: &str, remediation: &str, location| {
        let (message, remediation) = (message.to_owned(), remediation.to_owned());
        Finding { id, severity: severity(id), message, remediation, location }
    };
    let refused = evidence.urls.iter().filter_map(|url| lack(url, grant).map(|lack| (url, lack)));
    let refused: Vec<(&UrlLiteral, String)> = refused.collect();
    let hits = evidence.hits.iter().map(|hit| finding(hit.check, &hit.message, &hit.remediation, hit.location.clone()));
    let urls = refused.iter().take(Check::HITS_MAX);
    let urls = urls.map(|(url, lack)| finding(Check::EgressUrl, lack, Check::EgressUrl.remediation(), url.location.clone()));
    let mut findings: Vec<Finding> = hits.chain(urls).filter(|finding| finding.severity > Severity::Off).collect();
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.location.line, finding.location.column, finding.id);
        a.location.file.cmp(&b.location.file).then_with(|| key(a).cmp(&key(b)))
    });
    CheckReport { tier, findings, more: counted(evidence, refused.len(), severity, grant) }
}

/// What is not among the findings. URLs that were not kept count as refused where a grant lets only some out.
fn counted(evidence: &Evidence, refused: usize, severity: impl Fn(Check) -> Severity, grant: Option<&EgressTerms>) -> Vec<More> {
    let closed = grant.is_some_and(|grant| grant.mode != EgressMode::Synthetic);
    let count = |check: Check| {
        let unkept: u64 = evidence.more.iter().filter(|(of, _)| *of == check).map(|(_, count)| *count).fold(0, u64::saturating_add);
        match check {
            Check::EgressUrl => refused.saturating_sub(Check::HITS_MAX) as u64 + if closed { unkept } else { 0 },
            _ => unkept,
        }
    };
    let more = Check::ALL.into_iter().map(|id| More { id, severity: severity(id), count: count(id) });
    more.filter(|more| more.count > 0 && more.severity > Severity::Off).collect()
}

/// Why the URL cannot be reached under the grant; `None` when it can, as far as scheme, host and port tell.
fn lack(url: &UrlLiteral, grant: Option<&EgressTerms>) -> Option<String> {
    let place = format!("`{}://{}:{}`", url.scheme, url.host, url.port);
    if url.address {
        return Some(format!("{place} names an address, and rules allow hosts by name only"));
    }
    let grant = grant?;
    match grant.mode {
        EgressMode::Deny => Some(format!("{place} cannot be reached: the profile lets nothing out")),
        // Nothing leaves, whatever is asked for.
        EgressMode::Synthetic => None,
        EgressMode::Allowlist if grant.naming(&url.host).any(|(_, rule)| allows(rule, url)) => None,
        EgressMode::Allowlist => Some(format!("no egress rule of the profile allows {place}")),
    }
}

/// Whether a rule that names the host allows the rest. Method and path are known when a request is sent; the broker looks at them then.
fn allows(rule: &EgressRule, url: &UrlLiteral) -> bool {
    let scheme = match url.scheme.as_str() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return false,
    };
    rule.schemes.contains(&scheme) && rule.ports.contains(&url.port)
}
