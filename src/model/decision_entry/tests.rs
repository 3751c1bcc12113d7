//! Tests of the decision log's entries.

use super::*;
use crate::model::{Action, Door, Principal, Role, Tier};

/// The largest entry that texts of callers can make: every text and list over its cap, each character six bytes in JSON.
const LARGEST_BYTES: usize = 400 << 10;

fn entry(ask: &Ask<'_>, request: &Map<String, Value>, verdict: &Verdict, reason: &str) -> DecisionEntry {
    let labels = Labels { id: "a server".to_owned(), version: "0.1.0".to_owned() };
    DecisionEntry::of(&Decided {
        id: "019ac6d8-0c00-7000-8000-000000000001".parse().expect("an id"),
        ask,
        request,
        verdict,
        rule: Rule::Granted,
        reason,
        revision: Digest::of(b"policies"),
        labels: &labels,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    })
}

fn granted() -> Verdict {
    Verdict { allowed: true, policies: vec!["run-code".to_owned()], errors: Vec::new() }
}

#[test]
fn an_entry_has_the_shape_of_an_event_of_opa() {
    let principal = Principal { id: "key:1".to_owned(), name: "ci".to_owned(), role: Role::Agent };
    let resource = Resource::Profile { name: "untrusted", tier: Tier::Untrusted };
    let ask = Ask { principal: &principal, action: Action::Submit, resource, listener: Door::Public };
    let request = Map::from_iter([("inputBytes".to_owned(), json!(4))]);
    let entry = entry(&ask, &request, &granted(), "the profile grants it");
    let expected = json!({
        "decision_id": "019ac6d8-0c00-7000-8000-000000000001",
        "timestamp": "2025-11-27T19:43:58.976Z",
        "path": "cordon/submit",
        "input": {
            "principal": { "id": "key:1", "name": "ci", "role": "agent" },
            "action": "submit",
            "resource": { "type": "profile", "name": "untrusted", "tier": 0 },
            "listener": "public",
            "request": { "inputBytes": 4 },
        },
        "result": { "allowed": true, "rule": "granted", "reason": "the profile grants it", "policies": ["run-code"], "errors": [] },
        "bundles": { "policy": { "revision": Digest::of(b"policies").to_string() } },
        "labels": { "id": "a server", "version": "0.1.0" },
        "requested_by": "key:1",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    });
    let json = serde_json::to_value(&entry).expect("JSON");
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<DecisionEntry>(json).expect("reads back"), entry);
}

#[test]
fn what_a_request_adds_is_kept_at_the_cap_and_left_out_one_byte_past_it() {
    let principal = Principal::local();
    let ask = Ask { principal: &principal, action: Action::ReadLog, resource: Resource::Server, listener: Door::Operator };
    let of = |bytes: usize| -> Map<String, Value> {
        let mut request: Map<String, Value> = (0..31).map(|n| (format!("k{n:02}"), json!("x".repeat(500)))).collect();
        let rest = bytes - serde_json::to_vec(&request).expect("JSON").len() - ",\"\":\"\"".len();
        request.insert(String::new(), json!("x".repeat(rest)));
        request
    };
    let (at, past) = (of(REQUEST_BYTES_MAX), of(REQUEST_BYTES_MAX + 1));
    let kept = entry(&ask, &at, &granted(), "x");
    assert!(kept.input.get("request").is_some() && kept.erased.is_empty());
    let left_out = entry(&ask, &past, &granted(), "x");
    assert!(left_out.input.get("request").is_none());
    assert_eq!(left_out.erased, ["/input/request"]);
}

#[test]
fn the_texts_of_a_hostile_caller_make_no_entry_larger_than_its_bound() {
    let hostile = "\u{1}".repeat(1 << 16);
    let principal = Principal { id: hostile.clone(), name: hostile.clone(), role: Role::Agent };
    let authors = vec![hostile.clone(); 1000];
    let resource = Resource::Artifact { id: &hostile, tier: Tier::Untrusted, authors: &authors };
    let ask = Ask { principal: &principal, action: Action::Review, resource, listener: Door::Public };
    let request = Map::from_iter([("k".to_owned(), json!("\u{1}".repeat(2700)))]);
    let verdict = Verdict { allowed: false, policies: vec![hostile.clone(); 1000], errors: vec![hostile.clone(); 1000] };
    let entry = entry(&ask, &request, &verdict, &hostile);
    let bytes = serde_json::to_vec(&entry).expect("JSON").len();
    assert!((100 << 10..LARGEST_BYTES).contains(&bytes), "{bytes}");
    assert!(entry.masked.contains(&"/input/principal/id".to_owned()) && entry.masked.contains(&String::new()), "{:?}", entry.masked);
    assert!(entry.requested_by.ends_with("… (cut, 65536 bytes in all)"));
    assert!(!entry.result.allowed);
}

#[test]
fn only_ids_of_version_seven_are_ids_of_decisions_and_tell_their_time() {
    let id: DecisionId = "019ac6d8-0c00-7000-8000-000000000001".parse().expect("an id");
    assert_eq!(id.at_ms(), 0x019a_c6d8_0c00);
    for wrong in ["", "x", "550e8400-e29b-41d4-a716-446655440000", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(wrong.parse::<DecisionId>(), Err(DecisionIdError), "{wrong}");
    }
    let now = DecisionId::now();
    assert_eq!(now.to_string().parse(), Ok(now));
}

#[test]
fn a_trace_context_that_is_none_gives_no_trace_id() {
    for wrong in ["", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-0af7-b7ad6b7169203331-01"] {
        assert_eq!(trace_id(wrong), None, "{wrong}");
    }
}
