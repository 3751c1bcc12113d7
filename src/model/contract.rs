//! Contract cases: what code that is to enter a profile must do, written by the profile's owner or sent along with an artifact.

use super::{Denial, EgressFixture, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One run with synthetic data, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractCase {
    /// Its name, unique among the cases of its owner.
    pub name: String,
    /// The input.
    pub input: Value,
    /// The export that runs.
    pub entrypoint: String,
    /// Answers to what it sends out; the first that matches answers, and what none matches is denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixtures: Vec<EgressFixture>,
    /// What must come of it.
    pub expect: Expectation,
}

/// What must come of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expectation {
    /// It ends as one of these; never empty.
    pub outcomes: Vec<Outcome>,
    /// Its result is equal to this, as JSON; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Each of these is among its denials, and an empty list says that there is none; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denials: Option<Vec<ExpectedDenial>>,
}

/// A denial, by the fields that are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedDenial {
    /// The capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// How the target begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl ExpectedDenial {
    /// True when `denial` is what is expected.
    pub fn is(&self, denial: &Denial) -> bool {
        let same = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        same(&self.capability, &denial.capability)
            && same(&self.rule, &denial.rule)
            && self.target.as_deref().is_none_or(|target| denial.target.starts_with(target))
    }
}

/// Bytes of JSON that [`Expectation::lack`] shows of a value.
const SHOWN_CHARS: usize = 200;

impl Expectation {
    /// What is not as expected, in words; `None` when all is. `result` is JSON.
    pub fn lack(&self, outcome: Outcome, result: &Value, denials: &[Denial]) -> Option<String> {
        if !self.outcomes.contains(&outcome) {
            let wanted: Vec<&str> = self.outcomes.iter().map(|outcome| outcome.as_str()).collect();
            return Some(format!("it ended as {outcome}, not as {}", wanted.join(" or ")));
        }
        if let Some(wanted) = self.result.as_ref().filter(|wanted| !same(wanted, result)) {
            return Some(format!("its result is {}, not {}", shown(result), shown(wanted)));
        }
        match &self.denials {
            None => None,
            Some(none) if none.is_empty() => denials.first().map(|denial| format!("{} {} was denied", denial.capability, denial.target)),
            Some(wanted) => {
                let missing = wanted.iter().find(|wanted| !denials.iter().any(|denial| wanted.is(denial)))?;
                Some(format!("nothing was denied that is {}", shown(missing)))
            }
        }
    }
}

/// Equal as JSON that JavaScript reads: there `1` and `1.0` are one number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (one, other) => one == other,
    }
}

fn shown(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn denial() -> Denial {
        let text = str::to_owned;
        Denial {
            capability: text("egress"),
            target: text("https://a.example/x"),
            rule: text("egress.default-deny"),
            reason: String::new(),
            remediation: String::new(),
        }
    }

    #[test]
    fn an_expectation_names_what_it_lacks_and_nothing_when_all_is_there() {
        let base = Expectation { outcomes: vec![Outcome::Ok], result: None, denials: None };
        assert_eq!(base.lack(Outcome::Ok, &json!(1), &[denial()]), None);
        assert_eq!(base.lack(Outcome::Exception, &json!(1), &[]).as_deref(), Some("it ended as exception, not as ok"));
        let result = Expectation { result: Some(json!({"a": 1})), ..base.clone() };
        assert_eq!(result.lack(Outcome::Ok, &json!({"a": 1}), &[]), None);
        assert_eq!(result.lack(Outcome::Ok, &json!(null), &[]).as_deref(), Some(r#"its result is null, not {"a":1}"#));
        let none = Expectation { denials: Some(Vec::new()), ..base };
        assert_eq!(none.lack(Outcome::Ok, &json!(1), &[]), None);
        assert!(none.lack(Outcome::Ok, &json!(1), &[denial()]).is_some());
    }

    #[test]
    fn results_are_compared_as_javascript_reads_them() {
        let equal = |one: &str, other: &str| {
            let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            same(&value(one), &value(other))
        };
        for (one, other) in [("1", "1.0"), ("-0.0", "0"), ("1e2", "100"), (r#"{"a":[1.0],"b":null}"#, r#"{"b":null,"a":[1]}"#)] {
            assert!(equal(one, other) && equal(other, one), "{one} {other}");
        }
        for (one, other) in
            [("1", "1.5"), ("1", "\"1\""), ("[1]", "[1,1]"), (r#"{"a":1}"#, r#"{"a":1,"b":1}"#), ("null", "0"), ("true", "1")]
        {
            assert!(!equal(one, other) && !equal(other, one), "{one} {other}");
        }
    }

    #[test]
    fn each_field_of_an_expected_denial_narrows_it() {
        let any = ExpectedDenial { capability: None, target: None, rule: None };
        assert!(any.is(&denial()));
        let with = |capability: &str, target: &str, rule: &str| {
            let text = |text: &str| Some(text.to_owned());
            ExpectedDenial { capability: text(capability), target: text(target), rule: text(rule) }
        };
        assert!(with("egress", "https://a.example/", "egress.default-deny").is(&denial()));
        for other in
            [with("secret", "", "egress.default-deny"), with("egress", "https://b", "egress.default-deny"), with("egress", "", "x")]
        {
            assert!(!other.is(&denial()), "{other:?}");
        }
    }
}
