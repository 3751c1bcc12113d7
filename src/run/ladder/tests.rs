//! Random ways on the ladder: the real rules, authorization, store and log, against a model of a few lines. Evidence alone is played.

use super::climb::Climb;
use super::{Stair, now_ms};
use crate::artifact::{Artifacts, clean_run_change};
use crate::model::{
    Action, Ask, AttemptReport, CaseOwner, CaseResult, CheckReport, Digest, Door, Durability, EvidenceSet, LadderStep, Principal, Profile,
    Promotion, Resource, Review, ReviewVerdict, Role, RunId, Standing, Tier,
};
use crate::policy::{Authority, Machine, Policies, PolicySet, Profiles, name_of};
use crate::provenance::{Log, verify};
use crate::store::{Batch, Options, Store};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a promotion asks for here.
const REVIEWS: u64 = 2;
const CLEAN_RUNS: u64 = 2;

/// Who acts.
const PEOPLE: [(&str, Role); 6] = [
    ("agent", Role::Agent),
    ("ann", Role::Developer),
    ("ben", Role::Developer),
    ("olga", Role::Operator),
    ("otto", Role::Operator),
    ("eve", Role::Auditor),
];

fn person(index: usize) -> Principal {
    let (id, role) = PEOPLE[index];
    Principal { id: id.to_owned(), name: id.to_owned(), role }
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Act {
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
enum Late {
    Author,
    Objection,
    Policy,
    Demotion,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
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
struct World<'a> {
    log: &'a Log,
    artifacts: &'a Artifacts,
    policy: Policies,
    machine: Played,
    turn: tokio::sync::Mutex<()>,
    id: Digest,
    version: u64,
    model: Model,
}

/// What the artifact may have reached, told without a look at how that is decided.
#[derive(Debug, Default)]
struct Model {
    tier: u8,
    authors: BTreeSet<usize>,
    /// The last word of each reviewer.
    approves: BTreeMap<usize, bool>,
    /// Policy, build and expiry of the evidence that it stands on.
    evidence: Option<(u64, u64, u64)>,
    clean_runs: u64,
}

impl Model {
    fn reviews_carry(&self) -> bool {
        let others: Vec<bool> =
            self.approves.iter().filter(|(who, _)| !self.authors.contains(who)).map(|(_, approves)| *approves).collect();
        others.iter().all(|approves| *approves) && others.len() as u64 >= REVIEWS
    }
}

impl World<'_> {
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

    async fn act(&mut self, act: Act) {
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
                    self.stair().mark_stale((&self.id, &seen), true, &Principal::server()).await.expect("recorded");
                }
            }
        }
        let stands = self.standing().map_or(0, |standing| standing.tier as u8);
        assert_eq!(stands, self.model.tier, "after {act:?}: {:?}", self.model);
        // Evidence of the same millisecond and content is the same evidence: its clean runs would be those of before.
        self.machine.clock_ms.fetch_add(1, Ordering::Relaxed);
    }

    /// The standing is what the last step says that put it anywhere.
    fn agrees_with_its_steps(&self) {
        let steps = self.artifacts.steps(&self.id).expect("read");
        let last = steps.iter().find(|row| !matches!(row.what.step, LadderStep::Failed | LadderStep::WentStale));
        let said = last.map(|row| (row.what.to, row.sequence));
        assert_eq!(self.standing().map(|standing| (standing.tier, standing.sequence)), said);
        let promoted = steps.iter().filter(|row| row.what.step == LadderStep::Promoted);
        assert!(promoted.clone().all(|row| row.what.reviews.len() as u64 >= REVIEWS && row.what.clean_runs >= Some(CLEAN_RUNS)));
    }
}

#[test]
fn no_way_on_the_ladder_leads_higher_than_a_model_of_its_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("opens").0;
    let (log, artifacts) = (Log::open(store.clone()).expect("opens").0, Artifacts::new(store.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (number, reached) = (AtomicU64::new(0), AtomicU64::new(0));
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) }, |(acts in acts())| {
        let id = Digest::of(&number.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let machine = Played { hardening: BTreeMap::new(), build: AtomicU64::new(0), clock_ms: AtomicU64::new(now_ms()) };
        let (policy, turn) = (Policies::new(set(0)), tokio::sync::Mutex::default());
        let mut world = World { log: &log, artifacts: &artifacts, policy, machine, turn, id, version: 0, model: Model::default() };
        runtime.block_on(async {
            world.submit(0).await;
            for act in acts {
                world.act(act).await;
                reached.fetch_add(u64::from(world.model.tier == 2), Ordering::Relaxed);
            }
        });
        world.agrees_with_its_steps();
    });
    assert!(reached.into_inner() > 0, "no way led to tier 2: nothing was shown");
    assert!(verify(&store).expect("read").holds());
}

#[tokio::test]
async fn an_objection_is_heard_behind_any_number_of_approvals_by_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("opens").0;
    let (artifacts, id) = (Artifacts::new(store.clone()), Digest::of(b"a"));
    let review = |by: usize, verdict| Review {
        artifact: id,
        profile: name_of(Tier::Production).to_owned(),
        verdict,
        comment: "read".to_owned(),
        by: person(by),
        decision_id: None,
    };
    let mut batch = crate::artifact::review_change(review(1, ReviewVerdict::Object), 1, 1);
    for sequence in 2..crate::artifact::NOTES_MAX as u64 * 2 + 2 {
        batch = batch.then(crate::artifact::review_change(review(2, ReviewVerdict::Approve), sequence, 1));
    }
    store.commit(batch, Durability::Batched).await.expect("stored");
    let words = artifacts.last_words(&id).expect("read");
    let told: Vec<_> = words.iter().map(|row| (row.what.by.name.as_str(), row.what.verdict, row.sequence)).collect();
    assert_eq!(told, [("ann", ReviewVerdict::Object, 1), ("ben", ReviewVerdict::Approve, 2001)]);
}
