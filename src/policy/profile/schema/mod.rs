//! The form of a profile's file as types, from which `policies/profile.schema.json` is made for editors. The reader decides, and says more than a
//! schema can; a test holds that both know the same keys, words and ranges.

mod case;
mod egress;
mod fits;
mod tests;

use super::bounds::*;
use crate::model::{Check, LAYERS, Severity};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A capability profile: what a run may do, its budgets, and what code must do to enter its tier. The server's reader knows rules besides these.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Cordon capability profile")]
struct Profile {
    /// Its name, also its file's without .toml.
    #[schemars(length(max = 64), pattern("^[a-z][a-z0-9_-]*$"))]
    name: String,
    /// 0: untrusted proposals; 1: validated automation; 2: production-approved.
    #[schemars(range(min = 0, max = 2))]
    tier: u8,
    /// One sentence on what it is for.
    #[schemars(length(min = 1))]
    description: String,
    /// When an answer may leave: once its record is on disk, or once the operating system has it. Unless given, batched at tier 0, strict above.
    durability: Option<Durability>,
    /// Hardening layers without which it does not run.
    #[schemars(default, schema_with = "layers")]
    require_hardening: Option<Vec<String>>,
    /// Whether V8 only interprets, so that no memory ever becomes executable.
    jitless: Option<bool>,
    /// The budgets.
    limits: Limits,
    /// Plain variables that env shows; no secrets.
    vars: Option<BTreeMap<String, String>>,
    /// What runs may send out.
    egress: Option<egress::Egress>,
    /// Secrets that requests may carry.
    #[schemars(length(max = SECRETS_MAX))]
    secret: Option<Vec<egress::Secret>>,
    /// Severities of static checks that differ from those of the tier.
    #[schemars(default, schema_with = "checks")]
    checks: Option<Checks>,
    /// What it asks of an artifact that is to enter it. Not at tier 0.
    promotion: Option<Promotion>,
    /// What code that is to enter it must do. Not at tier 0.
    #[schemars(length(max = CASES_MAX))]
    case: Option<Vec<case::Case>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Durability {
    Strict,
    Batched,
}

/// Severities by the ids of checks.
type Checks = BTreeMap<String, String>;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Limits {
    /// CPU time in milliseconds.
    #[schemars(range(min = *CPU_MS.start(), max = *CPU_MS.end()))]
    cpu_ms: u64,
    /// Time in milliseconds, waiting included.
    #[schemars(range(min = *WALL_MS.start(), max = *WALL_MS.end()))]
    wall_ms: u64,
    /// V8's heap and buffers together, in MiB.
    #[schemars(range(min = *MEMORY_MB.start(), max = *MEMORY_MB.end()))]
    memory_mb: u64,
    /// Requests that it may send; 0 unless given.
    #[schemars(range(min = *SUB_REQUESTS.start(), max = *SUB_REQUESTS.end()))]
    sub_requests: Option<u64>,
    /// The result as JSON text, in bytes.
    #[schemars(range(min = *OUTPUT_BYTES.start(), max = *OUTPUT_BYTES.end()))]
    output_bytes: Option<u64>,
    /// Text of its log, in bytes.
    #[schemars(range(min = *LOG_BYTES.start(), max = *LOG_BYTES.end()))]
    log_bytes: Option<u64>,
    /// Lines of its log.
    #[schemars(range(min = *LOG_LINES.start(), max = *LOG_LINES.end()))]
    log_lines: Option<u64>,
    /// All modules together, in bytes.
    #[schemars(range(min = *SOURCE_BYTES.start(), max = *SOURCE_BYTES.end()))]
    source_bytes: Option<u64>,
    /// Modules of an artifact.
    #[schemars(range(min = *MODULES.start(), max = *MODULES.end()))]
    modules: Option<u64>,
    /// The input as JSON text, in bytes.
    #[schemars(range(min = *INPUT_BYTES.start(), max = *INPUT_BYTES.end()))]
    input_bytes: Option<u64>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Promotion {
    /// Approving reviews, each by another principal, none by an author. At tier 2 only.
    #[schemars(range(min = *REVIEWS.start(), max = *REVIEWS.end()))]
    reviews: Option<u64>,
    /// Runs at tier 1 that ended ok without a denial. At tier 2 only.
    #[schemars(range(min = *CLEAN_RUNS.start(), max = *CLEAN_RUNS.end()))]
    clean_runs: Option<u64>,
    /// For how many days evidence is good.
    #[schemars(range(min = *EVIDENCE_DAYS.start(), max = *EVIDENCE_DAYS.end()))]
    evidence_days: Option<u64>,
    /// What stale evidence means: runs are refused, or go on for the grace time. Unless given, refuse at tier 1, warn at tier 2.
    stale: Option<Stale>,
    /// For how many hours runs go on where stale is warn.
    #[schemars(range(min = *GRACE_HOURS.start(), max = *GRACE_HOURS.end()))]
    grace_hours: Option<u64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Stale {
    Refuse,
    Warn,
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"enum": LAYERS}, "uniqueItems": true})
}

fn checks(_: &mut SchemaGenerator) -> Schema {
    let severity = |check: Check| json!({"description": check.title(), "enum": Severity::ALL.map(Severity::as_str)});
    let ids: Map<String, Value> = Check::ALL.into_iter().map(|check| (check.to_string(), severity(check))).collect();
    json_schema!({"type": "object", "properties": ids, "additionalProperties": false})
}

/// TOML has no null: a key is there or not.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    // How a number is kept is not the file's business.
    object.remove("format");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(mut choices)) = object.remove("anyOf") else { return };
    choices.retain(|choice| choice != &json!({"type": "null"}));
    match choices.pop() {
        // What the field says of itself stays.
        Some(Value::Object(only)) if choices.is_empty() => {
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
        last => drop(object.insert("anyOf".to_owned(), choices.into_iter().chain(last).collect())),
    }
}

/// The schema as its file has it. Draft 7, which the common TOML servers of editors know.
fn text() -> String {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<Profile>();
    RecursiveTransform(without_null).transform(&mut schema);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}
