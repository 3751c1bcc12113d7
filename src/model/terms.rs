//! What a profile lets out, with what is worked out of it once when the profile is read: its digest, how records tell it, and an index of its rules.

use super::rule_index::RuleIndex;
use super::{Digest, EgressGrant, EgressMode, EgressRule};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;
use std::sync::Arc;

/// Longest JSON text of a grant that a record has in it, in bytes; a longer one is told by its digest. An estimate: some 15 rules, which a reader
/// takes in at a look, and which cost less than the rest of a record.
const WHOLE_BYTES_MAX: usize = 4 << 10;

/// A grant that does not change any more. As plain data it is the grant.
#[derive(Debug, Clone)]
pub struct EgressTerms {
    plain: Arc<EgressGrant>,
    record: EgressRecord,
    index: RuleIndex,
}

/// How a record tells what a run may send out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EgressRecord {
    /// By its digest: a long one.
    Digest(EgressDigest),
    /// As it is: a short one.
    Whole(Arc<EgressGrant>),
}

/// A grant that is too long for records. Its text is kept once, under its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressDigest {
    /// How requests are answered.
    pub mode: EgressMode,
    /// Digest of its JSON text.
    pub digest: Digest,
    /// How many rules it has.
    pub rule_count: usize,
}

impl EgressTerms {
    /// The terms of `grant`.
    pub fn new(grant: EgressGrant) -> Self {
        let plain = Arc::new(grant);
        let text = json(&plain);
        let record = if text.len() > WHOLE_BYTES_MAX {
            EgressRecord::Digest(EgressDigest { mode: plain.mode, digest: Digest::of(&text), rule_count: plain.rules.len() })
        } else {
            EgressRecord::Whole(Arc::clone(&plain))
        };
        Self { index: RuleIndex::new(&plain.rules), record, plain }
    }

    /// How a record tells them.
    pub fn record(&self) -> &EgressRecord {
        &self.record
    }

    /// Their JSON text: what the digest of a long one is of, and what is to be kept under it.
    pub fn text(&self) -> Vec<u8> {
        json(&self.plain)
    }

    /// The rules that name `host`, which is as the WHATWG parser writes it, with their places, in the order of the profile. How many other rules
    /// there are makes no difference.
    pub fn naming(&self, host: &str) -> impl Iterator<Item = (usize, &EgressRule)> {
        self.index.naming(host).filter_map(|place| Some((place, self.plain.rules.get(place)?)))
    }

    /// The first rule that names a host above `host`, or is for the names below it: what a mistaken reader would take for a rule for `host`.
    pub fn near(&self, host: &str) -> Option<&EgressRule> {
        self.index.near(host).and_then(|place| self.plain.rules.get(place))
    }
}

fn json(grant: &EgressGrant) -> Vec<u8> {
    // A struct of strings, numbers and lists always has a JSON form.
    serde_json::to_vec(grant).unwrap_or_default()
}

impl Deref for EgressTerms {
    type Target = EgressGrant;
    fn deref(&self) -> &EgressGrant {
        &self.plain
    }
}

impl From<EgressGrant> for EgressTerms {
    fn from(grant: EgressGrant) -> Self {
        Self::new(grant)
    }
}

impl Default for EgressTerms {
    fn default() -> Self {
        Self::new(EgressGrant::default())
    }
}

impl PartialEq for EgressTerms {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain
    }
}

impl Eq for EgressTerms {}

impl Serialize for EgressTerms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.plain.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EgressTerms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        EgressGrant::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Enforcement, HostPattern};

    fn rule(reason: &str) -> EgressRule {
        EgressRule { reason: reason.to_owned(), ..EgressRule::sample(HostPattern::Name("good.example".to_owned())) }
    }

    fn terms(reason: &str) -> EgressTerms {
        EgressGrant { mode: EgressMode::Allowlist, rules: vec![rule(reason)], ..EgressGrant::default() }.into()
    }

    #[test]
    fn a_record_has_a_grant_in_it_up_to_a_length_and_its_digest_past_it() {
        let room = WHOLE_BYTES_MAX - terms("").text().len();
        let (whole, long) = (terms(&"r".repeat(room)), terms(&"r".repeat(room + 1)));
        assert!(matches!(whole.record(), EgressRecord::Whole(grant) if **grant == *whole));
        let told = EgressDigest { mode: EgressMode::Allowlist, digest: Digest::of(&long.text()), rule_count: 1 };
        assert_eq!(long.record(), &EgressRecord::Digest(told));
        for terms in [whole, long, EgressTerms::default()] {
            let json = serde_json::to_string(terms.record()).expect("JSON");
            assert_eq!(&serde_json::from_str::<EgressRecord>(&json).expect("a record"), terms.record());
            assert_eq!(serde_json::from_slice::<EgressTerms>(&terms.text()).expect("a grant"), terms);
        }
    }

    #[test]
    fn a_grant_without_rules_on_trial_has_the_text_that_it_always_had() {
        let text = r#"{"mode":"allowlist","rules":[{"host":{"name":"good.example"},"ports":[443],"schemes":["https"],"methods":["GET"],"pathPrefix":"/","maxResponseBytes":1,"maxRequests":1,"reason":"r"}]}"#;
        assert_eq!(terms("r").text(), text.as_bytes());
        let tried = EgressRule { enforcement: Enforcement::Audit, ..rule("r") };
        assert!(serde_json::to_string(&tried).expect("JSON").contains(r#""enforcement":"audit""#));
    }
}
