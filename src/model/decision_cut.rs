//! Bounds what a decision log entry keeps of a caller's texts. What is cut says so, in its place and by its JSON pointer.

use serde_json::{Map, Value};

/// Longest text of an entry's input, in characters. Source: longer than every id, name and reason that this server makes.
pub(super) const TEXT_CHARS_MAX: usize = 500;
/// Most items of a list or an object of an entry's input.
pub(super) const ITEMS_MAX: usize = 32;
/// Deepest nesting of an entry's input.
pub(super) const DEPTH_MAX: usize = 6;
/// Most pointers that are kept; the last one then stands for the whole entry.
pub(super) const POINTERS_MAX: usize = 32;

/// Cuts values to their bounds and remembers where.
#[derive(Default)]
pub(super) struct Cutter {
    masked: Vec<String>,
}

impl Cutter {
    /// JSON pointers to what was cut.
    pub(super) fn masked(self) -> Vec<String> {
        self.masked
    }

    /// `text`, which stands at the pointer `at`.
    pub(super) fn text(&mut self, text: &str, at: &str) -> String {
        match text.char_indices().nth(TEXT_CHARS_MAX) {
            None => text.to_owned(),
            Some((end, _)) => {
                self.mark(at);
                format!("{}… (cut, {} bytes in all)", text.get(..end).unwrap_or_default(), text.len())
            }
        }
    }

    /// `texts`, which stand at the pointer `at`.
    pub(super) fn texts(&mut self, texts: &[String], at: &str) -> Vec<String> {
        let mut kept: Vec<String> =
            texts.iter().take(ITEMS_MAX).enumerate().map(|(index, text)| self.text(text, &format!("{at}/{index}"))).collect();
        if let Some(note) = self.rest(texts.len(), at) {
            kept.push(note);
        }
        kept
    }

    /// `value`, which stands at the pointer `at`, inside `depth` others.
    pub(super) fn value(&mut self, value: &Value, at: &str, depth: usize) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text, at)),
            Value::Array(_) | Value::Object(_) if depth == DEPTH_MAX => {
                self.mark(at);
                Value::String("… (cut, nested too deeply)".to_owned())
            }
            Value::Array(items) => self.array(items, at, depth),
            Value::Object(members) => self.object(members, at, depth),
        }
    }

    fn array(&mut self, items: &[Value], at: &str, depth: usize) -> Value {
        let kept = items.iter().take(ITEMS_MAX).enumerate();
        let mut kept: Vec<Value> = kept.map(|(index, item)| self.value(item, &format!("{at}/{index}"), depth + 1)).collect();
        kept.extend(self.rest(items.len(), at).map(Value::String));
        Value::Array(kept)
    }

    fn object(&mut self, members: &Map<String, Value>, at: &str, depth: usize) -> Value {
        let mut kept = Map::new();
        for (name, member) in members.iter().take(ITEMS_MAX) {
            let name = self.text(name, at);
            let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            let member = self.value(member, &place, depth + 1);
            kept.insert(name, member);
        }
        if let Some(note) = self.rest(members.len(), at) {
            kept.insert("…".to_owned(), Value::String(note));
        }
        Value::Object(kept)
    }

    /// What to say of the items past [`ITEMS_MAX`].
    fn rest(&mut self, count: usize, at: &str) -> Option<String> {
        let more = count.checked_sub(ITEMS_MAX).filter(|more| *more > 0)?;
        self.mark(at);
        Some(format!("… (cut, {more} more)"))
    }

    fn mark(&mut self, at: &str) {
        if self.masked.len() + 1 < POINTERS_MAX {
            self.masked.push(at.to_owned());
        } else if self.masked.len() < POINTERS_MAX {
            // The pointer to the whole, as RFC 6901 writes it: there are more than are listed.
            self.masked.push(String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cut(value: Value) -> (Value, Vec<String>) {
        let mut cutter = Cutter::default();
        let kept = cutter.value(&value, "/input", 0);
        (kept, cutter.masked())
    }

    #[test]
    fn a_text_at_the_cap_is_kept_and_one_character_more_is_cut_and_says_so() {
        for unit in ["x", "é", "\u{1F600}"] {
            let exact = json!({ "a": unit.repeat(TEXT_CHARS_MAX) });
            assert_eq!(cut(exact.clone()), (exact, Vec::new()));
            let text = unit.repeat(TEXT_CHARS_MAX + 1);
            let (kept, masked) = cut(json!({ "a": text }));
            let says = format!("{}… (cut, {} bytes in all)", unit.repeat(TEXT_CHARS_MAX), text.len());
            assert_eq!((kept, masked), (json!({ "a": says }), vec!["/input/a".to_owned()]));
        }
    }

    #[test]
    fn lists_and_objects_at_the_cap_are_kept_and_one_item_more_is_told() {
        let list = |count: usize| Value::from((0..count).collect::<Vec<_>>());
        let object = |count: usize| Value::Object((0..count).map(|n| (format!("k{n:03}"), n.into())).collect());
        for exact in [list(ITEMS_MAX), object(ITEMS_MAX)] {
            assert_eq!(cut(exact.clone()), (exact, Vec::new()));
        }
        let (kept, masked) = cut(list(ITEMS_MAX + 2));
        assert_eq!((&kept[ITEMS_MAX], masked), (&json!("… (cut, 2 more)"), vec!["/input".to_owned()]));
        let (kept, masked) = cut(object(ITEMS_MAX + 1));
        assert_eq!((&kept["…"], masked), (&json!("… (cut, 1 more)"), vec!["/input".to_owned()]));
    }

    #[test]
    fn nesting_at_the_cap_is_kept_and_one_level_more_is_cut() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inside, _| json!([inside]));
        assert_eq!(cut(nested(DEPTH_MAX)), (nested(DEPTH_MAX), Vec::new()));
        let (_, masked) = cut(nested(DEPTH_MAX + 1));
        assert_eq!(masked, [format!("/input{}", "/0".repeat(DEPTH_MAX))]);
    }

    #[test]
    fn pointers_are_escaped_and_past_their_cap_one_stands_for_all() {
        let long = "x".repeat(TEXT_CHARS_MAX + 1);
        assert_eq!(cut(json!({ "a/b~c": long })).1, ["/input/a~1b~0c"]);
        let many = Value::from(vec![Value::from(vec![long.as_str(); ITEMS_MAX]); 2]);
        let (_, masked) = cut(many);
        assert_eq!((masked.len(), masked.last().map(String::as_str)), (POINTERS_MAX, Some("")));
        let (_, masked) = cut(Value::from(vec![long.as_str(); POINTERS_MAX - 1]));
        assert_eq!((masked.len(), masked.iter().any(String::is_empty)), (POINTERS_MAX - 1, false));
    }
}
