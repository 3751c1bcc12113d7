use super::*;
use crate::model::{Digest, Principal};
use std::collections::BTreeMap;

/// A store in memory that can be told to fail.
#[derive(Debug, Default, Clone)]
struct Memory(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    records: BTreeMap<String, Vec<u8>>,
    failing: bool,
}

impl Memory {
    fn fail(&self, failing: bool) {
        self.0.lock().expect("lock").failing = failing;
    }
}

impl KeyStore for Memory {
    fn load_all(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        Ok(self.0.lock().expect("lock").records.clone().into_iter().collect())
    }

    fn put(&self, id: &str, record: &[u8]) -> Result<(), String> {
        let mut inner = self.0.lock().expect("lock");
        if inner.failing {
            return Err("the disk is full".into());
        }
        inner.records.insert(id.into(), record.into());
        Ok(())
    }
}

fn ring() -> (KeyRing, Memory) {
    let memory = Memory::default();
    (KeyRing::open(Box::new(memory.clone())).expect("empty"), memory)
}

fn header(token: &Token) -> String {
    format!("Bearer {}", token.reveal())
}

#[test]
fn without_any_key_whoever_asks_is_local_and_with_one_nobody_is() {
    let (ring, _) = ring();
    assert_eq!(ring.authenticate(None), Ok(Principal::local()));
    assert_eq!(ring.authenticate(Some("Bearer nonsense")), Ok(Principal::local()));
    let (info, token) = ring.create("ci", Role::Agent).expect("made");
    assert!(ring.authenticate(None).is_err());
    let expected = Principal { id: format!("key:{}", info.id), name: "ci".into(), role: Role::Agent };
    assert_eq!(ring.authenticate(Some(&header(&token))), Ok(expected));
}

#[test]
fn revoking_the_last_key_does_not_open_the_server() {
    let (ring, memory) = ring();
    let (info, token) = ring.create("ci", Role::Operator).expect("made");
    ring.revoke(info.id.as_str()).expect("revoked");
    let again = KeyRing::open(Box::new(memory)).expect("reads back");
    for ring in [ring, again] {
        assert!(ring.authenticate(None).is_err() && ring.authenticate(Some(&header(&token))).is_err());
        assert!(!ring.is_empty());
    }
}

#[test]
fn every_way_of_having_no_valid_key_is_refused_in_the_same_words() {
    let (ring, _) = ring();
    let (_, good) = ring.create("good", Role::Agent).expect("made");
    let (gone, revoked) = ring.create("gone", Role::Agent).expect("made");
    ring.revoke(gone.id.as_str()).expect("revoked");
    let (old, outdated) = ring.create("old", Role::Agent).expect("made");
    ring.rotate(old.id.as_str()).expect("rotated");
    let unknown = Token::random(KeyId::parse("0123456789ab").expect("an id")).expect("random");
    let forged = Token::random(good.id().clone()).expect("random");
    let mut headers = [&revoked, &outdated, &unknown, &forged].map(header).to_vec();
    headers.extend(["", "Bearer", "Bearer ", "Basic Y2s6Y2s=", "Bearer ck__"].map(str::to_owned));
    headers.push(good.reveal());
    headers.push(format!("Bearer {} ", good.reveal()).replace("ck_", "ck-"));
    headers.push(format!("{}, {}", header(&good), header(&good)));
    let expected = ring.authenticate(None).expect_err("no key");
    assert_eq!(expected.status, 401);
    for header in headers {
        assert_eq!(ring.authenticate(Some(&header)), Err(expected.clone()), "{header}");
    }
    assert!(ring.authenticate(Some(&header(&good))).is_ok());
    assert!(ring.authenticate(Some(&header(&good).replace("Bearer", "bEARER "))).is_ok());
}

#[test]
fn a_rotated_key_has_a_new_secret_at_once_and_the_same_id() {
    let (ring, memory) = ring();
    let (info, old) = ring.create("ci", Role::Developer).expect("made");
    let (rotated, new) = ring.rotate(info.id.as_str()).expect("rotated");
    assert_eq!((&rotated.id, &rotated.name, rotated.role), (&info.id, &info.name, info.role));
    let again = KeyRing::open(Box::new(memory)).expect("reads back");
    for ring in [&ring, &again] {
        assert!(ring.authenticate(Some(&header(&old))).is_err());
        assert!(ring.authenticate(Some(&header(&new))).is_ok());
    }
    ring.revoke(info.id.as_str()).expect("revoked");
    assert_eq!(ring.rotate(info.id.as_str()).expect_err("revoked"), KeyError::Revoked(info.id));
}

#[test]
fn the_store_never_holds_a_secret() {
    let (ring, memory) = ring();
    let (_, token) = ring.create("ci", Role::Agent).expect("made");
    let secret = token.reveal()[16..].to_owned();
    let stored = memory.load_all().expect("reads");
    assert_eq!(stored.len(), 1);
    let text = String::from_utf8(stored[0].1.clone()).expect("text");
    assert!(!text.contains(&secret) && text.contains(&token.hash().to_string()), "{text}");
    assert!(!format!("{:?}", ring.list()).contains(&secret));
}

#[test]
fn what_could_not_be_stored_does_not_take_effect() {
    let (ring, memory) = ring();
    let (info, token) = ring.create("ci", Role::Agent).expect("made");
    memory.fail(true);
    assert!(matches!(ring.create("other", Role::Agent), Err(KeyError::Store(_))));
    assert!(matches!(ring.rotate(info.id.as_str()), Err(KeyError::Store(_))));
    assert!(matches!(ring.revoke(info.id.as_str()), Err(KeyError::Store(_))));
    assert!(ring.authenticate(Some(&header(&token))).is_ok());
    assert_eq!(ring.list().len(), 1);
}

#[test]
fn a_damaged_record_fails_the_whole_because_it_might_be_a_revocation() {
    let (ring, memory) = ring();
    let (info, _) = ring.create("ci", Role::Agent).expect("made");
    memory.put("0123456789ab", b"{}").expect("stored");
    assert!(matches!(KeyRing::open(Box::new(memory.clone())), Err(KeyError::Damaged(_))));
    let copy = memory.0.lock().expect("lock").records[info.id.as_str()].clone();
    memory.put("0123456789ab", &copy).expect("stored");
    assert!(matches!(KeyRing::open(Box::new(memory)), Err(KeyError::Damaged(_))), "a record under another id");
}

#[test]
fn names_are_plain_and_belong_to_one_live_key() {
    let (ring, _) = ring();
    let (info, _) = ring.create("ci", Role::Agent).expect("made");
    assert_eq!(ring.create("ci", Role::Agent).expect_err("taken"), KeyError::NameTaken("ci".into()));
    ring.revoke(info.id.as_str()).expect("revoked");
    assert!(ring.create("ci", Role::Agent).is_ok());
    for (name, right) in [
        ("a".repeat(64), true),
        ("a".repeat(65), false),
        ("9.a-b_c".into(), true),
        (String::new(), false),
        ("-a".into(), false),
        ("a b".into(), false),
    ] {
        assert_eq!(ring.create(&name, Role::Agent).is_ok(), right, "{name}");
    }
}

#[test]
fn keys_are_listed_oldest_first_and_unknown_ones_are_named() {
    let (ring, _) = ring();
    let made: Vec<KeyId> = ["a", "b"].iter().map(|name| ring.create(name, Role::Auditor).expect("made").0.id).collect();
    let mut listed: Vec<KeyId> = ring.list().into_iter().map(|info| info.id).collect();
    assert!(ring.list().is_sorted_by_key(|info| info.created_at_ms));
    listed.sort();
    let mut expected = made.clone();
    expected.sort();
    assert_eq!(listed, expected);
    let first = ring.revoke(made[0].as_str()).expect("revoked");
    assert_eq!(ring.revoke(made[0].as_str()), Ok(first));
    assert_eq!(ring.revoke("nonsense").expect_err("unknown"), KeyError::Unknown("nonsense".into()));
}

#[test]
fn the_number_of_keys_is_bounded() {
    let memory = Memory::default();
    let info = |n: usize| KeyInfo {
        id: KeyId::parse(&format!("{n:012x}")).expect("an id"),
        name: KeyName::parse(&format!("k{n}")).expect("a name"),
        role: Role::Agent,
        created_at_ms: 0,
        rotated_at_ms: None,
        revoked_at_ms: None,
    };
    for n in 0..KEYS_MAX - 1 {
        memory.put(&format!("{n:012x}"), &KeyRecord { info: info(n), hash: Digest::of(b"x") }.to_bytes()).expect("stored");
    }
    let ring = KeyRing::open(Box::new(memory)).expect("reads");
    assert!(ring.create("last", Role::Agent).is_ok());
    assert_eq!(ring.create("more", Role::Agent).expect_err("full"), KeyError::TooMany);
}
