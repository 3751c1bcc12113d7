//! What comes along with an artifact, and is no part of it.

use super::{ContractCase, Digest, EgressFixture, Expectation, ExpectedDenial, Origin, Outcome, Principal};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What came along with an artifact: claims of whoever submitted it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Manifest {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A version for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The artifact that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Digest>,
    /// Its own contract cases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<SentCase>,
}

/// A contract case that came along with an artifact, as its sender writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentCase {
    /// Its name, unique among the artifact's.
    pub name: String,
    /// The input; `null` when absent.
    #[serde(default)]
    pub input: Value,
    /// The export that runs; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// Answers to what it sends out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixtures: Vec<SentFixture>,
    /// What must come of it.
    #[serde(default)]
    pub expect: SentExpectation,
}

/// A canned answer of such a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentFixture {
    /// The method that it answers; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The URL that it answers; each `*` stands for any number of characters.
    pub url: String,
    /// Status of the answer; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Its body.
    #[serde(default)]
    pub body: String,
}

/// What must come of such a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentExpectation {
    /// It ends as one of these; `ok` when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
    /// Its result is equal to this; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub result: Option<Value>,
    /// Each of these is among its denials, and an empty list says that there is none; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denials: Option<Vec<ExpectedDenial>>,
}

/// What is there, also when it is null.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

impl SentCase {
    /// The case as it runs.
    pub fn case(&self) -> ContractCase {
        let SentExpectation { outcomes, result, denials } = self.expect.clone();
        let outcomes = if outcomes.is_empty() { vec![Outcome::Ok] } else { outcomes };
        ContractCase {
            name: self.name.clone(),
            input: self.input.clone(),
            entrypoint: self.entrypoint.clone().unwrap_or_else(|| "default".to_owned()),
            fixtures: self.fixtures.iter().map(SentFixture::fixture).collect(),
            expect: Expectation { outcomes, result, denials },
        }
    }
}

impl SentFixture {
    fn fixture(&self) -> EgressFixture {
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        EgressFixture {
            method: self.method.clone().unwrap_or_else(|| "*".to_owned()),
            url: self.url.clone(),
            status: self.status.unwrap_or(200),
            headers: headers.collect(),
            body_digest: Digest::of(self.body.as_bytes()),
            body: self.body.clone().into(),
            latency_ms: 0,
        }
    }
}

/// One submission of an artifact: who sent it, and what they say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// The artifact.
    pub artifact: Digest,
    /// Who sent it.
    pub by: Principal,
    /// Where it came from, as claimed.
    pub origin: Origin,
    /// What came along.
    #[serde(default)]
    pub manifest: Manifest,
}

impl Submission {
    /// Tells submissions apart: one that says the same again is the same.
    pub fn digest(&self) -> Digest {
        // Plain data with string keys always has a JSON form.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_of_null_is_expected_and_an_absent_one_is_not() {
        let expect = |value| serde_json::from_value::<SentExpectation>(value).map(|expect| expect.result).ok();
        assert_eq!(expect(json!({"result": null})), Some(Some(Value::Null)));
        assert_eq!(expect(json!({})), Some(None));
        assert_eq!(expect(json!({"results": 1})), None);
    }

    #[test]
    fn what_a_case_leaves_out_has_a_default_and_a_digest_of_its_own() {
        let sent: SentCase = serde_json::from_value(json!({"name": "a", "fixtures": [{"url": "https://a.example/"}]})).expect("a case");
        let case = sent.case();
        assert_eq!((case.entrypoint.as_str(), case.expect.outcomes.as_slice()), ("default", [Outcome::Ok].as_slice()));
        assert_eq!((case.fixtures[0].method.as_str(), case.fixtures[0].status), ("*", 200));
        let other = Manifest { cases: vec![sent], ..Manifest::default() };
        let submission =
            |manifest| Submission { artifact: Digest::of(b""), by: Principal::local(), origin: Origin::default(), manifest }.digest();
        assert_ne!(submission(other), submission(Manifest::default()));
    }
}
