//! Keys whose values are data of any shape, as JSON: written in TOML, or as a text of JSON for what TOML cannot say.

use super::Reader;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeValue};

const DATE_MEND: &str = "write it in quotes, as the text that the code is to get";
const NUMBER_MEND: &str = "write a number that JSON has: whole ones within 64 bits, no inf and no nan";

impl Reader<'_> {
    /// Any value, as JSON. What JSON does not have is a mistake, wherever it is inside: dates, `inf`, `nan`, and whole numbers past 64 bits.
    pub fn json(&mut self, key: &'static str) -> Option<Value> {
        let value = self.take(key)?;
        self.json_of(&self.name(key), value)
    }

    /// A text of at most `bytes_max` bytes that is JSON.
    pub fn json_text(&mut self, key: &'static str, bytes_max: usize) -> Option<Value> {
        let value = self.take(key)?;
        let name = self.name(key);
        let text = self.text_of(&name, value, bytes_max)?;
        let wrong = |error| self.note(value.span(), format!("`{name}` is not JSON: {error}"), "write one JSON value in quotes");
        serde_json::from_str(&text).map_err(wrong).ok()
    }

    fn json_of(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        match value.get_ref() {
            DeValue::String(text) => Some(Value::String(text.to_string())),
            DeValue::Boolean(answer) => Some(Value::Bool(*answer)),
            DeValue::Integer(integer) => self.number(name, value, whole(integer)),
            DeValue::Float(float) => self.number(name, value, fraction(float)),
            DeValue::Datetime(_) => {
                self.note(value.span(), format!("`{name}` has a date, and JSON has none"), DATE_MEND);
                None
            }
            // All entries are read before any is missed, so that every mistake is told.
            DeValue::Array(items) => {
                let items: Vec<Option<Value>> = items.iter().map(|item| self.json_of(name, item)).collect();
                items.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
            }
            DeValue::Table(table) => {
                let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                    let key: &std::borrow::Cow<'_, str> = key.get_ref();
                    self.json_of(&format!("{name}.{key}"), value).map(|value| (key.to_string(), value))
                };
                let entries: Vec<Option<(String, Value)>> = table.iter().map(entry).collect();
                entries.into_iter().collect::<Option<Map<String, Value>>>().map(Value::Object)
            }
        }
    }

    fn number(&self, name: &str, value: &Spanned<DeValue<'_>>, number: Option<Number>) -> Option<Value> {
        if number.is_none() {
            self.note(value.span(), format!("`{name}` has a number that JSON does not have"), NUMBER_MEND);
        }
        number.map(Value::Number)
    }
}

fn whole(integer: &DeInteger<'_>) -> Option<Number> {
    let (digits, radix) = (integer.as_str(), integer.radix());
    let negative = || i64::from_str_radix(digits, radix).ok().map(Number::from);
    u64::from_str_radix(digits, radix).ok().map(Number::from).or_else(negative)
}

/// None for `inf` and `nan`, and for a number that is too large to be another.
fn fraction(float: &DeFloat<'_>) -> Option<Number> {
    float.as_str().parse().ok().and_then(Number::from_f64)
}
