//! Random ways on the ladder: the real rules, authorization, store and log, against a model of a few lines. Evidence alone is played.

mod acts;
mod world;

use crate::artifact::{Artifacts, NOTES_MAX, review_change};
use crate::model::{Digest, Durability, Review, ReviewVerdict};
use crate::policy::name_of;
use crate::provenance::{Log, verify};
use crate::store::{Options, Store};
use acts::{Act, acts, person};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use world::World;

#[test]
fn no_way_on_the_ladder_leads_higher_than_a_model_of_its_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("opens").0;
    let (log, artifacts) = (Log::open(store.clone()).expect("opens").0, Artifacts::new(store.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (number, reached) = (AtomicU64::new(0), AtomicU64::new(0));
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) }, |(acts in acts())| {
        let id = Digest::of(&number.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let mut world = World::new(&log, &artifacts, id);
        runtime.block_on(async {
            world.act(Act::Submit(0)).await;
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
        profile: name_of(crate::model::Tier::Production).to_owned(),
        verdict,
        comment: "read".to_owned(),
        by: person(by),
        decision_id: None,
    };
    let mut batch = review_change(review(1, ReviewVerdict::Object), 1, 1);
    for sequence in 2..NOTES_MAX as u64 * 2 + 2 {
        batch = batch.then(review_change(review(2, ReviewVerdict::Approve), sequence, 1));
    }
    store.commit(batch, Durability::Batched).await.expect("stored");
    let words = artifacts.last_words(&id).expect("read");
    let told: Vec<_> = words.iter().map(|row| (row.what.by.name.as_str(), row.what.verdict, row.sequence)).collect();
    assert_eq!(told, [("ann", ReviewVerdict::Object, 1), ("ben", ReviewVerdict::Approve, 2001)]);
}
