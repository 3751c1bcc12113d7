//! The rules of the trust ladder: what each step asks for. Pure: whoever gathers facts and records steps is elsewhere.

use crate::model::{
    CaseOwner, CaseResult, Digest, EvidenceMark, EvidenceSet, Missing, Noted, Profile, Requirement, Review, ReviewVerdict, Severity, Stale,
    Standing, Tier,
};
use std::collections::BTreeMap;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

/// What evidence must agree with to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// Digest of the policy that evidence for a profile rests on.
    pub policy: Digest,
    /// Digest of the build that gathers it and runs under it.
    pub build: Digest,
    /// Now: milliseconds since 1970, by the server's clock.
    pub now_ms: u64,
}

/// Why evidence no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// It was gathered under another policy.
    Policy,
    /// It was gathered by another build.
    Build,
    /// Its time is over.
    Expired,
}

impl Staleness {
    /// In words, after "its evidence".
    pub fn words(self) -> &'static str {
        match self {
            Self::Policy => "was gathered under another policy",
            Self::Build => "was gathered by another build",
            Self::Expired => "has expired",
        }
    }
}

/// Why `evidence` no longer counts; `None` while it does.
pub fn staleness(evidence: &EvidenceMark, in_force: &InForce) -> Option<Staleness> {
    if evidence.policy != in_force.policy {
        Some(Staleness::Policy)
    } else if evidence.build != in_force.build {
        Some(Staleness::Build)
    } else if in_force.now_ms >= evidence.expires_at_ms {
        Some(Staleness::Expired)
    } else {
        None
    }
}

/// Whether an artifact may run at the tier that it earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// Its evidence counts.
    Firm,
    /// Its evidence is stale, and it may still run, until then.
    Grace {
        /// Why it is stale.
        why: Staleness,
        /// Until when: milliseconds since 1970.
        until_ms: u64,
    },
    /// Its evidence is stale, and it may not run.
    Lost(Staleness),
    /// It stands on nothing.
    None,
}

/// Whether an artifact that stands as `standing` may run under `profile`, which it earned.
pub fn footing(standing: &Standing, profile: &Profile, in_force: &InForce) -> Footing {
    let Some(evidence) = &standing.evidence else { return Footing::None };
    let Some(why) = staleness(evidence, in_force) else { return Footing::Firm };
    let since = standing.stale_since_ms.unwrap_or(in_force.now_ms);
    let until_ms = since.saturating_add(profile.promotion.grace_hours.saturating_mul(HOUR_MS));
    match profile.promotion.stale {
        Stale::Warn if in_force.now_ms < until_ms => Footing::Grace { why, until_ms },
        Stale::Warn | Stale::Refuse => Footing::Lost(why),
    }
}

/// What `evidence` lacks for `profile`: empty when it suffices for what can be gathered by a machine.
pub fn lacks(evidence: &EvidenceSet, profile: &Profile, in_force: &InForce) -> Vec<Missing> {
    let fresh = fresh(evidence, profile, in_force);
    let found = [fresh, checks(evidence), egress(evidence), owners_cases(evidence), own_cases(evidence)];
    found.into_iter().flatten().collect()
}

fn missing(requirement: Requirement, detail: String, remediation: impl Into<String>) -> Option<Missing> {
    Some(Missing { requirement, detail, remediation: remediation.into() })
}

fn fresh(evidence: &EvidenceSet, profile: &Profile, in_force: &InForce) -> Option<Missing> {
    let again = "gather it again: POST /v1/artifacts/{id}/validate";
    if evidence.profile != profile.name || evidence.tier != profile.tier {
        return missing(Requirement::Evidence, format!("it is about the profile `{}`", evidence.profile), again);
    }
    let stale = staleness(&evidence.mark(evidence.artifact), in_force)?;
    missing(Requirement::Evidence, format!("it {}", stale.words()), again)
}

fn checks(evidence: &EvidenceSet) -> Option<Missing> {
    let rejects = evidence.checks.findings.iter().filter(|finding| finding.severity == Severity::Reject);
    let count = rejects.clone().count();
    if evidence.checks.tier != evidence.tier {
        return missing(Requirement::StaticChecks, "the static checks were judged at another tier".to_owned(), "gather evidence again");
    }
    if evidence.checks.passes() {
        return None;
    }
    let first = rejects.map(ToString::to_string).next().unwrap_or_else(|| "findings that were counted and not kept".to_owned());
    missing(
        Requirement::StaticChecks,
        format!("{count} findings are rejects at tier {}; the first: {first}", evidence.tier),
        "mend the source, and submit it",
    )
}

fn egress(evidence: &EvidenceSet) -> Option<Missing> {
    let refused: Vec<_> = evidence.egress.attempts.iter().filter(|attempt| attempt.refused.is_some()).collect();
    let mend = format!("let the operator add a rule to the profile `{}`, or take the request out of the source", evidence.profile);
    match refused.first() {
        Some(first) => {
            let why = first.refused.as_deref().unwrap_or_default();
            missing(Requirement::Egress, format!("it asked for {} {} in run {}: {why}", first.method, first.url, first.run), mend)
        }
        None if evidence.egress.more > 0 => missing(
            Requirement::Egress,
            format!("it asked for {} places more than are looked at", evidence.egress.more),
            "ask for fewer places",
        ),
        None => None,
    }
}

fn owners_cases(evidence: &EvidenceSet) -> Option<Missing> {
    let owners = |case: &&CaseResult| case.owner == CaseOwner::Profile;
    if !evidence.cases.iter().any(|case| owners(&case)) {
        // INVARIANT (no trust by default): what nobody wrote down cannot be met.
        let detail = format!("the owner of the profile `{}` wrote no contract case", evidence.profile);
        return missing(
            Requirement::ContractCases,
            detail,
            "let them add [[case]] to the profile: cases that come with an artifact never suffice",
        );
    }
    red(evidence.cases.iter().filter(owners), Requirement::ContractCases)
}

fn own_cases(evidence: &EvidenceSet) -> Option<Missing> {
    red(evidence.cases.iter().filter(|case| case.owner == CaseOwner::Artifact), Requirement::ArtifactCases)
}

/// The first case that is not green.
fn red<'a>(cases: impl Iterator<Item = &'a CaseResult>, requirement: Requirement) -> Option<Missing> {
    let case = cases.into_iter().find(|case| case.lack.is_some())?;
    let run = case.run.map_or_else(String::new, |run| format!(" (run {run})"));
    let detail = format!("case `{}`{run}: {}", case.name, case.lack.as_deref().unwrap_or_default());
    missing(requirement, detail, "mend the source, and submit it; or let the case's owner mend the case")
}

/// What is known of an artifact that is to enter tier 2.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Where it stands.
    pub standing: Option<&'a Standing>,
    /// The profile that it stands on.
    pub validated: Option<&'a Profile>,
    /// What evidence for that profile must agree with.
    pub validated_in_force: &'a InForce,
    /// Evidence for the profile that it is to enter.
    pub evidence: &'a EvidenceSet,
    /// Its reviews, in any order and at least the latest of each reviewer, with whether the reviewer is one of its authors.
    pub reviews: &'a [(Noted<Review>, bool)],
    /// Its clean runs at tier 1, under the evidence that it stands on.
    pub clean_runs: u64,
}

/// The sequence numbers of the reviews on which the artifact may enter `profile`; or what is missing. `in_force` is of that profile.
pub fn promotion(candidate: &Candidate<'_>, profile: &Profile, in_force: &InForce) -> Result<Vec<u64>, Vec<Missing>> {
    let mut lacking: Vec<Missing> = tier_one(candidate).into_iter().chain(lacks(candidate.evidence, profile, in_force)).collect();
    let reviews = reviews(candidate.reviews, profile);
    let wanted = profile.promotion.clean_runs;
    if candidate.clean_runs < wanted {
        let detail = format!("it has {} clean runs at tier 1 under its evidence, of {wanted}", candidate.clean_runs);
        lacking.extend(missing(Requirement::CleanRuns, detail, "let it run at tier 1: a run counts that ends `ok` without a denial"));
    }
    match reviews {
        Ok(reviews) if lacking.is_empty() => Ok(reviews),
        Ok(_) => Err(lacking),
        Err(review) => {
            lacking.push(review);
            Err(lacking)
        }
    }
}

/// What is missing of a footing at tier 1.
fn tier_one(candidate: &Candidate<'_>) -> Option<Missing> {
    let (Some(standing), Some(profile)) = (candidate.standing.filter(|standing| standing.tier == Tier::Validated), candidate.validated)
    else {
        let stands = candidate.standing.map_or(Tier::Untrusted, |standing| standing.tier);
        return missing(
            Requirement::Tier,
            format!("it stands at tier {stands}, not at tier 1"),
            "validate it first: POST /v1/artifacts/{id}/validate",
        );
    };
    match footing(standing, profile, candidate.validated_in_force) {
        Footing::Firm => None,
        Footing::Grace { why, .. } | Footing::Lost(why) => missing(
            Requirement::Evidence,
            format!("its evidence for tier 1 {}", why.words()),
            "validate it again: POST /v1/artifacts/{id}/validate",
        ),
        Footing::None => {
            missing(Requirement::Evidence, "it has no evidence for tier 1".to_owned(), "validate it: POST /v1/artifacts/{id}/validate")
        }
    }
}

/// The reviews that carry a promotion into `profile`. Of each reviewer only the latest word counts.
fn reviews(reviews: &[(Noted<Review>, bool)], profile: &Profile) -> Result<Vec<u64>, Missing> {
    let mut latest: BTreeMap<&str, &Noted<Review>> = BTreeMap::new();
    for (review, author) in reviews {
        // Nobody approves their own code; whoever objected and then became an author still objects.
        let counts = !author || review.what.verdict == ReviewVerdict::Object;
        if review.what.profile == profile.name && counts {
            let held = latest.entry(review.what.by.id.as_str()).or_insert(review);
            if review.sequence > held.sequence {
                *held = review;
            }
        }
    }
    let said = |detail, remediation: &str| Missing { requirement: Requirement::Reviews, detail, remediation: remediation.to_owned() };
    if let Some(objection) = latest.values().find(|review| review.what.verdict == ReviewVerdict::Object) {
        return Err(said(
            format!("`{}` objects: {}", objection.what.by.name, objection.what.comment),
            "mend what they object to, or let them approve",
        ));
    }
    let wanted = profile.promotion.reviews;
    if (latest.len() as u64) < wanted {
        return Err(said(
            format!("it has {} approving reviews by principals who are not among its authors, of {wanted}", latest.len()),
            "let somebody who never submitted it review it: POST /v1/artifacts/{id}/reviews",
        ));
    }
    Ok(latest.values().map(|review| review.sequence).collect())
}

#[cfg(test)]
mod tests;
