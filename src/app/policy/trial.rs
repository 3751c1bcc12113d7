//! Runs tests: those of requests at once, those of runs in cells of a house without doors, under variants of their profiles that reach nothing.

use super::verdict::{Lack, Tried};
use crate::app::failure::Failure;
use crate::app::house::{self, House};
use crate::cell::ZygoteKind;
use crate::config::{Config, EgressSettings};
use crate::egress::judge;
use crate::model::{
    Digest, Door, EgressGrant, EgressMode, LimitsRequest, Origin, Principal, Problem, ProblemCode, Profile, RunReport, RunRequest,
    RunSource,
};
use crate::policy::suite::{Asked, PolicyTest, RequestTest, RunExpectation, RunTest};
use crate::policy::{self, Authority, Machine, PolicySet, Profiles, Question, Sizes};
use crate::provenance::Log;
use crate::run::cancellation;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for room, which only another test of the same house can take.
const ROOM_WAIT: Duration = Duration::from_secs(600);

/// What is said of the request of a test under `profile`; nothing is resolved and nothing sent.
pub(super) fn request(asked: &RequestTest, profile: &Profile) -> Tried {
    let started = Instant::now();
    let said = judge(&profile.egress, profile.limits.sub_requests, &asked.method, &asked.url);
    let lack = match &said {
        Ok(leave) => asked.expect.lack(true, Some(&leave.rule), None),
        Err(refusal) => asked.expect.lack(false, Some(&refusal.rule), Some(refusal.code)),
    };
    Tried { took: started.elapsed(), lack: lack.map(|what| Lack::of_request(what, said)) }
}

/// The profile of a run that is tried: requests are answered by the test's fixtures and reach nothing, secrets are placeholders without values,
/// and the rest is the profile's own. Where nothing answers and the profile itself lets nothing out, its own refusal is heard.
fn variant(profile: &Profile, run: &RunTest) -> Profile {
    let mode = match profile.egress.mode {
        EgressMode::Deny if run.fixtures.is_empty() => EgressMode::Deny,
        EgressMode::Deny | EgressMode::Synthetic | EgressMode::Allowlist => EgressMode::Synthetic,
    };
    let egress = EgressGrant { mode, rules: Vec::new(), fixtures: run.fixtures.clone(), secrets: profile.egress.secrets.clone() };
    Profile { egress: Arc::new(egress.into()), ..profile.clone() }
}

/// The name of the variant for the test at `index`.
fn variant_name(index: usize) -> String {
    format!("test-{index}")
}

/// A house in which the runs of some tests are tried.
pub(super) struct Bench {
    house: House,
}

impl Bench {
    /// A house for the runs among `tests`, `jobs` of them at once, with its records in `log`.
    pub(super) async fn furnish(config: &Config, profiles: &Profiles, tests: &[PolicyTest], jobs: u16, log: Log) -> Result<Self, Failure> {
        let variants = tests.iter().enumerate().filter_map(|(index, test)| match &test.asked {
            Asked::Run(run) => Some((variant_name(index), variant(profiles.by_name(&test.profile)?, run))),
            Asked::Request(_) => None,
        });
        let keys = Arc::new(house::open_keys(&log)?);
        // Who may run what is for a server to say; here the operator of this machine tries out what profiles allow.
        let set = PolicySet::new(Profiles::variants(variants), Authority::load(None)?);
        let house = house::furnish_for(&closed(config, jobs), set, log, keys, &[]).await?;
        Ok(Self { house })
    }

    /// Tries the run of the test at `index`. `Err` when it could not be tried.
    pub(super) async fn run(&self, index: usize, run: &RunTest) -> Result<Tried, Failure> {
        let started = Instant::now();
        let input = RawValue::from_string(run.input.to_string()).map_err(|error| Failure::machine(error.to_string(), "report this"))?;
        let request = RunRequest {
            door: Door::Operator,
            source: RunSource::Inline(run.artifact.clone()),
            input,
            entrypoint: run.entrypoint.clone(),
            profile: Some(variant_name(index)),
            limits: LimitsRequest::default(),
            origin: Origin::default(),
            traceparent: None,
            served: false,
        };
        let rule = self.refusing_rule(&request, run);
        let (_guard, cancel) = cancellation();
        let lack = match self.house.conduct.submit(Principal::local(), request, None, cancel).await {
            Ok(answer) => ended(&run.expect, &answer.body)?,
            Err(problem) => refused(&run.expect, rule, problem)?,
        };
        Ok(Tried { took: started.elapsed(), lack })
    }

    /// The rule by which policy refuses the run, if it does. What refuses it later, such as its parser, has no such rule.
    fn refusing_rule(&self, request: &RunRequest, run: &RunTest) -> Option<&'static str> {
        let parts = self.house.conduct.parts();
        let question = Question {
            principal: &Principal::local(),
            door: request.door,
            profile: request.profile.as_deref(),
            standing: None,
            asked: &request.limits,
            sizes: Sizes::of(&run.artifact, request.input.get().len() as u64),
            machine: &Layers(&parts.hardening),
        };
        policy::grant(&parts.policy.current(), &question).err().map(|refused| refused.decision.rule.as_str())
    }

    /// Ends its cells.
    pub(super) fn stop(&self) {
        self.house.conduct.parts().cells.stop();
    }
}

/// The machine, as far as the code of a test can ask: it has earned nothing that rests on a build or a time.
struct Layers<'a>(&'a BTreeMap<ZygoteKind, BTreeMap<String, String>>);

impl Machine for Layers<'_> {
    fn hardening(&self, profile: &Profile) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.0.get(&ZygoteKind::Runs(profile.tier, profile.jit)).unwrap_or(&NONE)
    }

    fn evidence_build(&self, _: &Profile) -> Digest {
        Digest::of(b"")
    }

    fn now_ms(&self) -> u64 {
        0
    }
}

/// `config` for a house that holds no secret and needs no machine of its own.
fn closed(config: &Config, jobs: u16) -> Config {
    let jobs = u64::from(jobs);
    let mut closed = Config { egress: EgressSettings::default(), secrets: BTreeMap::new(), vault: None, ..config.clone() };
    for idle in [&mut closed.pool.untrusted, &mut closed.pool.validated, &mut closed.pool.production, &mut closed.pool.intake] {
        *idle = jobs;
    }
    closed.admission.queue_max = closed.admission.queue_max.max(jobs);
    closed.admission.queue_wait = ROOM_WAIT;
    closed
}

fn ended(expect: &RunExpectation, body: &[u8]) -> Result<Option<Lack>, Failure> {
    let unreadable = |error: serde_json::Error| Failure::machine(error.to_string(), "report this");
    let report: RunReport = serde_json::from_slice(body).map_err(unreadable)?;
    let result = serde_json::from_str(report.result.get()).map_err(unreadable)?;
    let what = match expect {
        RunExpectation::Ends(expect) => expect.lack(report.outcome, &result, &report.denials),
        RunExpectation::Refused(expect) => expect.lack(true, None, None),
    };
    Ok(what.map(|what| Lack::of_report(what, report)))
}

/// A refusal of policy is an answer; one of a house that has no room or no disk is none.
fn refused(expect: &RunExpectation, rule: Option<&str>, problem: Problem) -> Result<Option<Lack>, Failure> {
    match problem.code {
        ProblemCode::InvalidRequest
        | ProblemCode::PolicyDenied
        | ProblemCode::TooLarge
        | ProblemCode::Rejected
        | ProblemCode::Quarantined
        | ProblemCode::KillSwitch => {}
        ProblemCode::Unauthenticated
        | ProblemCode::ForeignOrigin
        | ProblemCode::NotFound
        | ProblemCode::MethodNotAllowed
        | ProblemCode::IdempotencyConflict
        | ProblemCode::Conflict
        | ProblemCode::RateLimited
        | ProblemCode::Overloaded
        | ProblemCode::Draining
        | ProblemCode::HandlerFailed
        | ProblemCode::InternalError => return Err(problem.into()),
    }
    let code = problem.code.as_str();
    let what = match expect {
        RunExpectation::Ends(_) => Some(format!("it was refused before it started: {}", problem.detail)),
        RunExpectation::Refused(expect) => expect.lack(false, rule, Some(code)),
    };
    let came = json!({"decision": "deny", "rule": rule, "code": code, "detail": problem.detail});
    Ok(what.map(|what| Lack::of_decision(what, came, problem.denials, Some(problem.remediation))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Artifact, EgressFixture, Expectation, Outcome};

    fn run(fixtures: Vec<EgressFixture>) -> RunTest {
        let expect = RunExpectation::Ends(Expectation { outcomes: vec![Outcome::Ok], result: None, denials: None });
        let input = serde_json::Value::Null;
        RunTest { artifact: Artifact::snippet(String::new()), input, entrypoint: "default".to_owned(), fixtures, expect }
    }

    #[test]
    fn a_run_that_is_tried_reaches_nothing_whatever_its_profile_allows() {
        let profiles = Profiles::load(None).expect("built in");
        let profile = profiles.by_name("production").expect("there");
        let fixture = EgressFixture {
            method: "GET".to_owned(),
            url: "https://api.example/*".to_owned(),
            status: 200,
            headers: Vec::new(),
            body_digest: Digest::of(b""),
            body: bytes::Bytes::new(),
            latency_ms: 0,
        };
        for mode in [EgressMode::Deny, EgressMode::Synthetic, EgressMode::Allowlist] {
            let profile = Profile { egress: Arc::new(EgressGrant { mode, ..EgressGrant::default() }.into()), ..profile.as_ref().clone() };
            for fixtures in [Vec::new(), vec![fixture.clone()]] {
                let tried = variant(&profile, &run(fixtures.clone()));
                let own = mode == EgressMode::Deny && fixtures.is_empty();
                assert_eq!(tried.egress.mode, if own { EgressMode::Deny } else { EgressMode::Synthetic });
                assert!(tried.egress.rules.is_empty() && tried.egress.fixtures == fixtures);
                assert_eq!((tried.tier, tried.limits), (profile.tier, profile.limits));
            }
        }
    }
}
