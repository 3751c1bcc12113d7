//! One server's ladder with an artifact on it, and a model of what that may have reached.

use super::acts::{Act, Late, PEOPLE, person};
use crate::artifact::{Artifacts, clean_run_change};
use crate::model::{
    Action, Ask, AttemptReport, CaseOwner, CaseResult, CheckReport, Digest, Door, Durability, EvidenceSet, LadderStep, Principal, Profile,
    Promotion, Resource, Review, ReviewVerdict, Role, RunId, Standing, Tier,
};
use crate::policy::{Authority, Machine, Policies, PolicySet, Profiles, name_of};
use crate::provenance::{Log, now_ms};
use crate::run::ladder::Stair;
use crate::run::ladder::climb::Climb;
use crate::store::Batch;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a promotion asks for here.
const REVIEWS: u64 = 2;
const CLEAN_RUNS: u64 = 2;

/// A machine with a clock and a build that tests set.
struct Played {
    hardening: BTreeMap<String, String>,
    build: AtomicU64,
    clock_ms: AtomicU64,
}

impl Machine for Played {
    fn hardening(&self, _: &Profile) -> &BTreeMap<String, String> {
        &self.hardening
    }

    fn evidence_build(&self, _: &Profile) -> Digest {
        Digest::of(&self.build.load(Ordering::Relaxed).to_be_bytes())
    }

    fn now_ms(&self) -> u64 {
        self.clock_ms.load(Ordering::Relaxed)
    }
}

/// Version `version` of the policies.
fn set(version: u64) -> PolicySet {
    let built_in = Profiles::load(None).expect("built in");
    let of = |profile: &Arc<Profile>| {
        let digest = Digest::of(format!("{} {version}", profile.name).as_bytes());
        let promotion = Promotion { reviews: REVIEWS, clean_runs: CLEAN_RUNS, ..profile.promotion };
        (profile.name.clone(), Profile { digest, promotion, ..profile.as_ref().clone() })
    };
    PolicySet::new(Profiles::variants(built_in.iter().map(of)), Authority::load(None).expect("built in"))
}

/// One server's ladder, and an artifact on it.
pub(super) struct World<'a> {
    log: &'a Log,
    artifacts: &'a Artifacts,
    policy: Policies,
    machine: Played,
    turn: tokio::sync::Mutex<()>,
    id: Digest,
    version: u64,
    pub(super) model: Model,
}

/// What the artifact may have reached, told without a look at how that is decided.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) tier: u8,
    authors: BTreeSet<usize>,
    /// The last word of each reviewer.
    approves: BTreeMap<usize, bool>,
    /// Policy, build and expiry of the evidence that it stands on.
    evidence: Option<(u64, u64, u64)>,
    clean_runs: u64,
}

impl Model {
    fn reviews_carry(&self) -> bool {
        // Whoever objected and then became an author still objects; their approval counts no more.
        let others = self.approves.iter().filter(|(who, approves)| !self.authors.contains(who) || !**approves);
        others.clone().all(|(_, approves)| *approves) && others.count() as u64 >= REVIEWS
    }
}

impl<'a> World<'a> {
    /// Version 0 of everything, and an artifact that nobody sent yet.
    pub(super) fn new(log: &'a Log, artifacts: &'a Artifacts, id: Digest) -> Self {
        let machine = Played { hardening: BTreeMap::new(), build: AtomicU64::new(0), clock_ms: AtomicU64::new(now_ms()) };
        let (policy, turn) = (Policies::new(set(0)), tokio::sync::Mutex::default());
        Self { log, artifacts, policy, machine, turn, id, version: 0, model: Model::default() }
    }

    fn stair(&self) -> Stair<'_> {
        Stair { log: self.log, artifacts: self.artifacts, policy: &self.policy, machine: &self.machine, turn: &self.turn }
    }

    fn standing(&self) -> Option<Standing> {
        self.artifacts.standing(&self.id).expect("read")
    }

    fn build(&self) -> u64 {
        self.machine.build.load(Ordering::Relaxed)
    }

    fn fresh(&self) -> bool {
        let now = self.machine.now_ms();
        self.model.evidence.is_some_and(|(policy, build, expires)| policy == self.version && build == self.build() && now < expires)
    }

    fn may(&self, who: usize, action: Action) -> bool {
        let by = person(who);
        let author = self.artifacts.is_author(&self.id, &by.id).expect("read");
        let authors = if author { vec![by.id.clone()] } else { Vec::new() };
        let tier = self.standing().map_or(Tier::Untrusted, |standing| standing.tier);
        let resource = Resource::Artifact { id: &self.id.to_string(), tier, authors: &authors };
        self.policy.current().authority.decide(&Ask { principal: &by, action, resource, listener: Door::Public }).allowed
    }

    fn evidence(&self, tier: Tier, green: bool) -> EvidenceSet {
        let set = self.policy.current();
        let profile = set.profiles.default_for(tier).expect("built in");
        let in_force = self.stair().in_force(&set, profile);
        let lack = (!green).then(|| "red".to_owned());
        EvidenceSet {
            artifact: self.id,
            profile: profile.name.clone(),
            tier,
            policy: in_force.policy,
            build: in_force.build,
            at_ms: in_force.now_ms,
            expires_at_ms: in_force.now_ms + 1000,
            by: Principal::server(),
            checks: CheckReport { tier, findings: Vec::new(), more: Vec::new() },
            egress: AttemptReport::default(),
            cases: vec![CaseResult { name: "a".to_owned(), owner: CaseOwner::Profile, run: Some(RunId::now()), outcome: None, lack }],
        }
    }

    /// The step that `who` asks for; true when it is taken.
    async fn climb(&mut self, who: usize, tier: Tier, green: bool, late: Option<Late>) -> bool {
        let (action, step) = match tier {
            Tier::Production => (Action::Promote, LadderStep::Promoted),
            Tier::Validated | Tier::Untrusted => (Action::Validate, LadderStep::Validated),
        };
        // As `Conduct::validate` does: what stands higher is not pulled down by it.
        let higher = tier == Tier::Validated && self.standing().is_some_and(|standing| standing.tier == Tier::Production);
        if !self.may(who, action) || higher {
            return false;
        }
        let set = self.policy.current();
        let profile = Arc::clone(set.profiles.default_for(tier).expect("built in"));
        let (before, by) = (self.standing(), person(who));
        let author = self.stair().is_author(&self.id, &by).expect("read");
        let evidence = self.evidence(tier, green);
        if let Some(late) = late {
            self.meanwhile(who, late).await;
        }
        let decision = Some(("a decision".to_owned(), Batch::new()));
        let climb = Climb { artifact: self.id, step, profile, before, by, author, decision };
        self.stair().climb(climb, evidence).await.is_ok()
    }

    async fn meanwhile(&mut self, who: usize, late: Late) {
        match late {
            Late::Author => self.submit(who).await,
            Late::Objection => self.review(2, false).await,
            Late::Policy => self.new_policy(),
            Late::Demotion => self.demote(4).await,
        }
    }

    async fn submit(&mut self, who: usize) {
        let author = self.artifacts.author_change(&self.id, &person(who)).expect("read");
        self.log.store().commit(author, Durability::Batched).await.expect("stored");
        self.model.authors.insert(who);
    }

    async fn review(&mut self, who: usize, approves: bool) {
        let verdict = if approves { ReviewVerdict::Approve } else { ReviewVerdict::Object };
        let may = self.may(who, Action::Review);
        assert!(!may || !self.model.authors.contains(&who), "an author may not review");
        if may {
            let (profile, comment) = (name_of(Tier::Production).to_owned(), "read".to_owned());
            let what = Review { artifact: self.id, profile, verdict, comment, by: person(who), decision_id: None };
            self.stair().reviewed(what, Batch::new()).await.expect("recorded");
            self.model.approves.insert(who, approves);
        }
    }

    fn new_policy(&mut self) {
        self.version += 1;
        self.policy.replace(set(self.version));
    }

    async fn demote(&mut self, who: usize) {
        let may = self.may(who, Action::Demote);
        assert_eq!(may, PEOPLE[who].1 == Role::Operator);
        if may {
            let done = self.stair().down(self.id, "because".to_owned(), person(who), ("a decision".to_owned(), Batch::new())).await;
            assert_eq!(done.is_ok(), self.model.tier > 0, "demotion always takes");
            (self.model.tier, self.model.evidence, self.model.clean_runs) = (0, None, 0);
        }
    }

    async fn validate(&mut self, who: usize, green: bool) {
        let able = matches!(PEOPLE[who].1, Role::Developer | Role::Operator) && green && self.model.tier < 2;
        let taken = self.climb(who, Tier::Validated, green, None).await;
        assert_eq!(taken, able, "validation by {who}");
        if taken {
            self.model.tier = 1;
            self.model.clean_runs = 0;
            self.model.evidence = Some((self.version, self.build(), self.machine.now_ms() + 1000));
        }
    }

    async fn promote(&mut self, who: usize, green: bool, late: Option<Late>) {
        let leave = PEOPLE[who].1 == Role::Operator && !self.model.authors.contains(&who);
        let before = (self.version, self.model.authors.contains(&who));
        let taken = self.climb(who, Tier::Production, green, late).await;
        let stays = before == (self.version, self.model.authors.contains(&who));
        let ready = self.model.tier == 1 && self.fresh() && self.model.reviews_carry() && self.model.clean_runs >= CLEAN_RUNS;
        assert_eq!(taken, leave && green && stays && ready, "promotion by {who}, late {late:?}: {:?}", self.model);
        if taken {
            self.model.tier = 2;
            self.model.evidence = Some((self.version, self.build(), self.machine.now_ms() + 1000));
        }
    }

    /// A run by id at tier 1 that ended well; policy lets only what stands firm count.
    async fn clean_run(&mut self) {
        let Some(mark) = self.standing().filter(|standing| standing.tier == Tier::Validated).and_then(|standing| standing.evidence) else {
            return;
        };
        if self.fresh() {
            let change = clean_run_change(&self.id, &mark.id, RunId::now());
            self.log.store().commit(change, Durability::Batched).await.expect("stored");
            self.model.clean_runs += 1;
        }
    }

    pub(super) async fn act(&mut self, act: Act) {
        match act {
            Act::Submit(who) => self.submit(who).await,
            Act::Validate(who, green) => self.validate(who, green).await,
            Act::Approve(who) => self.review(who, true).await,
            Act::Object(who) => self.review(who, false).await,
            Act::Promote(who, green) => self.promote(who, green, None).await,
            Act::PromoteLate(who, late) => self.promote(who, true, Some(late)).await,
            Act::Demote(who) => self.demote(who).await,
            Act::CleanRun => self.clean_run().await,
            Act::NewPolicy => self.new_policy(),
            Act::NewBuild => drop(self.machine.build.fetch_add(1, Ordering::Relaxed)),
            Act::Time => drop(self.machine.clock_ms.fetch_add(1000, Ordering::Relaxed)),
            Act::Notice => {
                if let Some(seen) = self.standing().filter(|standing| standing.tier > Tier::Untrusted) {
                    self.stair().mark_stale((&self.id, &seen), !self.fresh(), &Principal::server()).await.expect("recorded");
                }
            }
        }
        let stands = self.standing().map_or(0, |standing| standing.tier as u8);
        assert_eq!(stands, self.model.tier, "after {act:?}: {:?}", self.model);
        // Evidence of the same millisecond and content is the same evidence: its clean runs would be those of before.
        self.machine.clock_ms.fetch_add(1, Ordering::Relaxed);
    }

    /// The standing is what the last step says that put it anywhere.
    pub(super) fn agrees_with_its_steps(&self) {
        let steps = self.artifacts.steps(&self.id).expect("read");
        let last = steps.iter().find(|row| !matches!(row.what.step, LadderStep::Failed | LadderStep::WentStale | LadderStep::FreshAgain));
        let said = last.map(|row| (row.what.to, row.sequence));
        assert_eq!(self.standing().map(|standing| (standing.tier, standing.sequence)), said);
        let promoted = steps.iter().filter(|row| row.what.step == LadderStep::Promoted);
        assert!(promoted.clone().all(|row| row.what.reviews.len() as u64 >= REVIEWS && row.what.clean_runs >= Some(CLEAN_RUNS)));
    }
}
