//! `[[case]]`.

use super::super::bounds::*;
use super::egress::Fixture;
use crate::model::Outcome;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Case {
    /// Different from those of the other cases.
    #[schemars(length(min = 1, max = CASE_NAME_CHARS_MAX))]
    name: String,
    /// The input, in TOML without dates; null unless this or input_json is given.
    #[schemars(default, schema_with = "anything")]
    input: Option<()>,
    /// The input as a text of JSON, for null and the like.
    input_json: Option<String>,
    /// The export that runs; default unless given.
    #[schemars(length(min = 1, max = ENTRYPOINT_CHARS_MAX))]
    entrypoint: Option<String>,
    /// Answers to what it sends; the first that matches answers, and what none matches is denied.
    #[schemars(length(max = FIXTURES_MAX))]
    fixture: Option<Vec<Fixture>>,
    /// What must come of it.
    expect: Option<Expect>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Expect {
    /// How it ends, or a list of ways; ok unless given.
    #[schemars(default, schema_with = "outcomes")]
    outcome: Option<()>,
    /// What it gives, in TOML without dates; anything unless this or result_json is given.
    #[schemars(default, schema_with = "anything")]
    result: Option<()>,
    /// What it gives, as a text of JSON.
    result_json: Option<String>,
    /// Each is among its denials; an empty list: there is none. Unless given, any.
    #[schemars(length(max = DENIALS_MAX))]
    denials: Option<Vec<Denial>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Denial {
    /// The capability, such as egress.
    #[schemars(length(min = 1))]
    capability: Option<String>,
    /// How the target begins.
    #[schemars(length(min = 1))]
    target: Option<String>,
    /// The rule, such as egress.default-deny.
    #[schemars(length(min = 1))]
    rule: Option<String>,
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({})
}

fn outcomes(_: &mut SchemaGenerator) -> Schema {
    let one = json!({"enum": Outcome::ALL.map(Outcome::as_str)});
    json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "uniqueItems": true}]})
}
