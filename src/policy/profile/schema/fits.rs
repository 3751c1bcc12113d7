//! Whether a value fits a schema, by the keywords that ours has. A keyword that is not known here is a problem, so that none is passed over.

use serde_json::{Map, Value};

/// What is said and not asked.
const WORDS: [&str; 4] = ["$schema", "title", "description", "default"];

/// The problems that `schema` has with `value`, each with its place. Patterns are not looked at: the reader knows names better.
pub(super) fn problems(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let keywords = schema.as_object().expect("a schema is an object");
    let told = keywords.iter().filter(|(keyword, _)| !WORDS.contains(&keyword.as_str())).flat_map(|(keyword, asked)| {
        let of_parts = match (keyword.as_str(), value) {
            ("properties", Value::Object(table)) => known(asked, table, place),
            ("additionalProperties", Value::Object(table)) => others(schema, asked, table, place),
            ("items", Value::Array(items)) => items.iter().flat_map(|item| problems(asked, item, &format!("{place}[]"))).collect(),
            _ => Vec::new(),
        };
        let wrong = (!holds(keyword, asked, value)).then(|| format!("{place}: {value} is not {keyword} {asked}"));
        wrong.into_iter().chain(of_parts).collect::<Vec<_>>()
    });
    told.collect()
}

/// What `keyword` asks of the value itself; of a value of another type it asks nothing.
fn holds(keyword: &str, asked: &Value, value: &Value) -> bool {
    let least = |size: usize| size as u64 >= asked.as_u64().expect("a number");
    let most = |size: usize| size as u64 <= asked.as_u64().expect("a number");
    match (keyword, value) {
        ("properties" | "additionalProperties" | "items" | "pattern", _) => true,
        ("type", value) => asked == kind(value),
        ("enum", value) => asked.as_array().expect("a list").contains(value),
        ("anyOf", value) => asked.as_array().expect("a list").iter().any(|one| problems(one, value, "").is_empty()),
        ("required", Value::Object(table)) => {
            asked.as_array().expect("a list").iter().all(|key| table.contains_key(key.as_str().expect("a key")))
        }
        ("minimum", Value::Number(number)) => number.as_f64() >= asked.as_f64(),
        ("maximum", Value::Number(number)) => number.as_f64() <= asked.as_f64(),
        ("minLength", Value::String(text)) => least(text.chars().count()),
        ("maxLength", Value::String(text)) => most(text.chars().count()),
        ("minItems", Value::Array(items)) => least(items.len()),
        ("maxItems", Value::Array(items)) => most(items.len()),
        ("uniqueItems", Value::Array(items)) => items.iter().enumerate().all(|(at, item)| !items[..at].contains(item)),
        ("required" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems", _) => true,
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn known(properties: &Value, table: &Map<String, Value>, place: &str) -> Vec<String> {
    let inner = |(key, value): (&String, &Value)| properties.get(key).map(|schema| problems(schema, value, &format!("{place}.{key}")));
    table.iter().filter_map(inner).flatten().collect()
}

/// The keys that `properties` does not name: none may be there, or all fit `asked`.
fn others(schema: &Value, asked: &Value, table: &Map<String, Value>, place: &str) -> Vec<String> {
    let others = table.iter().filter(|(key, _)| schema["properties"].get(key.as_str()).is_none());
    let told = others.flat_map(|(key, value)| match asked {
        Value::Bool(false) => vec![format!("{place}.{key} is no key here")],
        asked => problems(asked, value, &format!("{place}.{key}")),
    });
    told.collect()
}
