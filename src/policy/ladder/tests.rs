//! The rules of the ladder: each requirement at both sides.

use super::*;
use crate::model::{Attempt, AttemptReport, Check, CheckReport, Finding, Location, Outcome, Principal, Promotion, Role, RunId};
use crate::policy::PolicySet;

const NOW_MS: u64 = 1_800_000_000_000;

fn in_force() -> InForce {
    InForce { policy: Digest::of(b"policy"), build: Digest::of(b"build"), now_ms: NOW_MS }
}

/// The built-in profile of `tier` that asks for two reviews and three clean runs.
fn profile(tier: Tier) -> Profile {
    let set = PolicySet::load(None).expect("built in");
    let profile = set.profiles.default_for(tier).expect("built in");
    Profile { promotion: Promotion { reviews: 2, clean_runs: 3, ..profile.promotion }, ..profile.as_ref().clone() }
}

fn case(owner: CaseOwner, lack: Option<&str>) -> CaseResult {
    let outcome = Some(Outcome::Ok);
    CaseResult { name: "a".to_owned(), owner, run: Some(RunId::now()), outcome, lack: lack.map(str::to_owned) }
}

/// Evidence that suffices for the built-in profile of `tier`.
fn evidence(tier: Tier) -> EvidenceSet {
    let InForce { policy, build, now_ms } = in_force();
    EvidenceSet {
        artifact: Digest::of(b"artifact"),
        profile: crate::policy::name_of(tier).to_owned(),
        tier,
        policy,
        build,
        at_ms: now_ms,
        expires_at_ms: now_ms + 1,
        by: who("dev", Role::Developer),
        checks: CheckReport { tier, findings: Vec::new(), more: Vec::new() },
        egress: AttemptReport::default(),
        cases: vec![case(CaseOwner::Profile, None)],
    }
}

fn standing(tier: Tier) -> Standing {
    let (mark, profile) = (evidence(tier).mark(Digest::of(b"evidence")), crate::policy::name_of(tier).to_owned());
    Standing { tier, profile, evidence: Some(mark), stale_since_ms: None, sequence: 1, at_ms: NOW_MS }
}

fn who(id: &str, role: Role) -> Principal {
    Principal { id: id.to_owned(), name: id.to_owned(), role }
}

fn review(sequence: u64, by: &str, verdict: ReviewVerdict, author: bool) -> (Noted<Review>, bool) {
    let by = who(by, Role::Developer);
    let what = Review {
        artifact: Digest::of(b"artifact"),
        profile: "production".to_owned(),
        verdict,
        comment: "read".to_owned(),
        by,
        decision_id: None,
    };
    (Noted { what, sequence, at_ms: NOW_MS }, author)
}

fn approval(sequence: u64, by: &str) -> (Noted<Review>, bool) {
    review(sequence, by, ReviewVerdict::Approve, false)
}

fn requirements(missing: &[Missing]) -> Vec<Requirement> {
    assert!(missing.iter().all(|missing| !missing.detail.is_empty() && !missing.remediation.is_empty()), "{missing:?}");
    missing.iter().map(|missing| missing.requirement).collect()
}

fn lacking(evidence: &EvidenceSet) -> Vec<Requirement> {
    requirements(&lacks(evidence, &profile(evidence.tier), &in_force()))
}

/// What promotion says to a candidate that has everything, once `spoil` was at it.
fn promoted(spoil: impl FnOnce(&mut Played)) -> Result<Vec<u64>, Vec<Requirement>> {
    let mut played = Played {
        standing: Some(standing(Tier::Validated)),
        evidence: evidence(Tier::Production),
        reviews: vec![approval(5, "ann"), approval(6, "ben")],
        clean_runs: 3,
        profile: profile(Tier::Production),
    };
    spoil(&mut played);
    let validated = profile(Tier::Validated);
    let candidate = Candidate {
        standing: played.standing.as_ref(),
        validated: Some(&validated),
        validated_in_force: &in_force(),
        evidence: &played.evidence,
        reviews: &played.reviews,
        clean_runs: played.clean_runs,
    };
    promotion(&candidate, &played.profile, &in_force()).map_err(|missing| requirements(&missing))
}

/// A candidate that tests spoil.
struct Played {
    standing: Option<Standing>,
    evidence: EvidenceSet,
    reviews: Vec<(Noted<Review>, bool)>,
    clean_runs: u64,
    profile: Profile,
}

#[test]
fn evidence_counts_until_its_last_millisecond_under_its_policy_and_build_only() {
    let mark = standing(Tier::Validated).evidence.expect("a mark");
    let good = in_force();
    assert_eq!(staleness(&mark, &good), None);
    assert_eq!(staleness(&mark, &InForce { now_ms: mark.expires_at_ms - 1, ..good }), None);
    assert_eq!(staleness(&mark, &InForce { now_ms: mark.expires_at_ms, ..good }), Some(Staleness::Expired));
    assert_eq!(staleness(&mark, &InForce { policy: Digest::of(b"other"), ..good }), Some(Staleness::Policy));
    assert_eq!(staleness(&mark, &InForce { build: Digest::of(b"other"), ..good }), Some(Staleness::Build));
}

#[test]
fn grace_ends_at_its_last_millisecond_and_a_profile_that_refuses_has_none() {
    let (warns, hour) = (profile(Tier::Production), 3_600_000);
    let until_ms = NOW_MS + warns.promotion.grace_hours * hour;
    let held = Standing { stale_since_ms: Some(NOW_MS), ..standing(Tier::Production) };
    let at =
        |now_ms, held: &Standing, profile: &Profile| footing(held, profile, &InForce { now_ms, build: Digest::of(b"new"), ..in_force() });
    assert_eq!(at(until_ms - 1, &held, &warns), Footing::Grace { why: Staleness::Build, until_ms });
    assert_eq!(at(until_ms, &held, &warns), Footing::Lost(Staleness::Build));
    let refuses = Profile { promotion: Promotion { stale: Stale::Refuse, ..warns.promotion }, ..warns.clone() };
    assert_eq!(at(NOW_MS, &held, &refuses), Footing::Lost(Staleness::Build));
    assert_eq!(footing(&held, &refuses, &in_force()), Footing::Firm, "fresh again");
    assert_eq!(footing(&Standing { evidence: None, ..held }, &warns, &in_force()), Footing::None);
}

#[test]
fn a_profile_without_cases_cannot_validate_anything_and_own_cases_never_suffice() {
    let with = |cases| lacking(&EvidenceSet { cases, ..evidence(Tier::Validated) });
    let (profile, own) = (|lack| case(CaseOwner::Profile, lack), |lack| case(CaseOwner::Artifact, lack));
    assert_eq!(with(vec![profile(None)]), []);
    assert_eq!(with(Vec::new()), [Requirement::ContractCases]);
    assert_eq!(with(vec![own(None), own(None)]), [Requirement::ContractCases]);
    assert_eq!(with(vec![profile(None), profile(Some("red"))]), [Requirement::ContractCases]);
    assert_eq!(with(vec![profile(None), own(Some("red"))]), [Requirement::ArtifactCases]);
    assert_eq!(with(vec![own(Some("red"))]), [Requirement::ContractCases, Requirement::ArtifactCases]);
}

#[test]
fn a_reject_stands_in_the_way_and_a_warning_does_not() {
    let with = |severity, tier| {
        let location = Location { file: "main.ts".into(), line: 1, column: 1 };
        let finding = Finding { id: Check::CodeEval, severity, message: "x".into(), remediation: "y".into(), location };
        lacking(&EvidenceSet { checks: CheckReport { tier, findings: vec![finding], more: Vec::new() }, ..evidence(Tier::Validated) })
    };
    assert_eq!(with(Severity::Warn, Tier::Validated), []);
    assert_eq!(with(Severity::Reject, Tier::Validated), [Requirement::StaticChecks]);
    assert_eq!(with(Severity::Warn, Tier::Untrusted), [Requirement::StaticChecks], "judged at another tier");
}

#[test]
fn whatever_was_sent_out_must_be_allowed_and_seen() {
    let with = |refused: Option<&str>, more| {
        let refused = refused.map(str::to_owned);
        let attempt = Attempt { method: "GET".to_owned(), url: "https://a.example/".to_owned(), refused, run: RunId::now() };
        lacking(&EvidenceSet {
            egress: AttemptReport { runs: 1, attempts: vec![attempt], more, partial: false },
            ..evidence(Tier::Validated)
        })
    };
    assert_eq!(with(None, 0), []);
    assert_eq!(with(Some("no rule"), 0), [Requirement::Egress]);
    assert_eq!(with(None, 1), [Requirement::Egress], "what was not looked at is not allowed");
}

#[test]
fn evidence_for_another_profile_or_from_another_time_is_none() {
    let other = |spoil: fn(&mut EvidenceSet)| {
        let mut evidence = evidence(Tier::Validated);
        spoil(&mut evidence);
        requirements(&lacks(&evidence, &profile(Tier::Validated), &in_force()))
    };
    assert_eq!(other(|evidence| evidence.profile = "other".to_owned()), [Requirement::Evidence]);
    assert_eq!(other(|evidence| evidence.policy = Digest::of(b"other")), [Requirement::Evidence]);
    assert_eq!(other(|evidence| evidence.expires_at_ms = NOW_MS), [Requirement::Evidence]);
    assert_eq!(other(|evidence| evidence.expires_at_ms = NOW_MS + 1), []);
}

#[test]
fn promotion_names_the_reviews_that_it_rests_on() {
    assert_eq!(promoted(|_| {}), Ok(vec![5, 6]));
}

#[test]
fn one_clean_run_too_few_is_too_few() {
    assert_eq!(promoted(|played| played.clean_runs = 2), Err(vec![Requirement::CleanRuns]));
    assert_eq!(promoted(|played| played.clean_runs = 4), Ok(vec![5, 6]));
}

#[test]
fn one_review_too_few_is_too_few_and_nobody_counts_twice() {
    assert_eq!(promoted(|played| played.reviews.truncate(1)), Err(vec![Requirement::Reviews]));
    assert_eq!(promoted(|played| played.reviews = vec![approval(5, "ann"), approval(6, "ann")]), Err(vec![Requirement::Reviews]));
    assert_eq!(promoted(|played| played.reviews[0].0.what.profile = "other".to_owned()), Err(vec![Requirement::Reviews]));
}

#[test]
fn an_approval_of_an_author_never_counts_and_an_objection_outlasts_becoming_one() {
    let authored = |verdict| promoted(move |played| played.reviews[0] = review(5, "ann", verdict, true));
    assert_eq!(authored(ReviewVerdict::Approve), Err(vec![Requirement::Reviews]));
    let third = promoted(|played| played.reviews.push(review(7, "cid", ReviewVerdict::Object, true)));
    assert_eq!(third, Err(vec![Requirement::Reviews]), "whoever objected and then sent the sources still objects");
}

#[test]
fn an_objection_blocks_however_many_approve_until_the_same_reviewer_approves() {
    let with = |reviews: Vec<(Noted<Review>, bool)>| promoted(|played| played.reviews.extend(reviews));
    let object = |sequence, by| review(sequence, by, ReviewVerdict::Object, false);
    assert_eq!(with(vec![object(7, "cid")]), Err(vec![Requirement::Reviews]));
    assert_eq!(with(vec![object(7, "cid"), approval(8, "dan")]), Err(vec![Requirement::Reviews]));
    assert_eq!(with(vec![approval(8, "cid"), object(7, "cid")]), Ok(vec![5, 6, 8]));
    assert_eq!(with(vec![approval(7, "cid"), object(8, "cid")]), Err(vec![Requirement::Reviews]));
}

#[test]
fn tier_two_is_entered_from_firm_footing_at_tier_one_only() {
    assert_eq!(promoted(|played| played.standing = None), Err(vec![Requirement::Tier]));
    for tier in [Tier::Untrusted, Tier::Production] {
        assert_eq!(promoted(|played| played.standing = Some(standing(tier))), Err(vec![Requirement::Tier]), "{tier}");
    }
    let stale = |played: &mut Played| {
        let mark = played.standing.as_mut().and_then(|standing| standing.evidence.as_mut());
        mark.expect("a mark").expires_at_ms = NOW_MS;
    };
    assert_eq!(promoted(stale), Err(vec![Requirement::Evidence]));
    assert_eq!(promoted(|played| played.standing.as_mut().expect("stands").evidence = None), Err(vec![Requirement::Evidence]));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let nothing = promoted(|played| {
        (played.standing, played.clean_runs) = (None, 0);
        played.reviews.clear();
        played.evidence.cases.clear();
    });
    let all = vec![Requirement::Tier, Requirement::ContractCases, Requirement::CleanRuns, Requirement::Reviews];
    assert_eq!(nothing, Err(all));
}
