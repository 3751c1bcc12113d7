//! Reads one TOML table by hand: every question notes what is wrong with its answer and goes on, so that one look finds every mistake.

mod json;
mod lists;

use super::document::Document;
use super::mistake::{Mistakes, Position};
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most entries of a list or map.
const ENTRIES_MAX: usize = 256;

/// Longest text value, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// A place in the file that is kept for later: for mistakes that show only when two places are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Range<usize>);

/// What is wrong with a value, in words that follow "`key`: ", and the mend where this value has one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// How to mend this value; the key's general mend when absent.
    pub mend: Option<String>,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self { message, mend: None }
    }
}

/// A table being read. An answer of `None` means absent or wrong; wrong answers have been noted.
#[derive(Debug)]
pub struct Reader<'a> {
    document: &'a Document,
    mistakes: &'a Mistakes,
    /// Absent when the section is: then nothing in it is missing and every answer is `None`.
    table: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn top(document: &'a Document, mistakes: &'a Mistakes, table: &'a DeTable<'a>) -> Self {
        Self { document, mistakes, table: Some(table), span: 0..0, path: String::new(), known: Vec::new() }
    }

    pub(super) fn run<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let answer = read(&mut self);
        self.note_unknown_keys();
        answer
    }

    /// Notes each of `keys` that is absent.
    pub fn require(&mut self, keys: &[&'static str]) {
        let Some(table) = self.table else { return };
        for key in keys.iter().filter(|key| !table.contains_key(**key)) {
            let message = format!("`{}` is missing", self.name(key));
            self.note(self.span.clone(), message, format!("add `{key} = …`"));
        }
    }

    /// A whole number within `range`.
    pub fn u64(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(key)?;
        let mend = format!("write a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else {
            return self.wrong_kind(key, value, "a whole number", mend);
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
        if let Some(parsed) = parsed.filter(|parsed| range.contains(parsed)) {
            return Some(parsed);
        }
        let message = format!("`{}` is {number}, which is outside {} to {}", self.name(key), range.start(), range.end());
        self.note(value.span(), message, mend);
        None
    }

    /// A whole number within `range`, as `u32`.
    pub fn u32(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        self.u64(key, u64::from(*range.start())..=u64::from(*range.end())).and_then(|number| u32::try_from(number).ok())
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::Boolean(answer) => Some(*answer),
            _ => self.wrong_kind(key, value, "true or false", "write true or false, without quotes"),
        }
    }

    /// A text of at most 4096 bytes.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        self.text_of(&self.name(key), value, TEXT_BYTES_MAX)
    }

    /// A text of at most `bytes_max` bytes: a body, not a word.
    pub fn long_text(&mut self, key: &'static str, bytes_max: usize) -> Option<String> {
        let value = self.take(key)?;
        self.text_of(&self.name(key), value, bytes_max)
    }

    /// A text that parses as `T`, whose error says what is wrong; `mend` says what is right.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, key: &'static str, mend: &str) -> Option<T> {
        self.checked(key, mend, |text| text.parse::<T>().map_err(|error| error.to_string()))
    }

    /// A text that `check` accepts and turns into `T`, or refuses in words that follow "`key`: ".
    pub fn checked<T, E: Into<Wrong>>(&mut self, key: &'static str, mend: &str, check: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.take(key)?;
        let name = self.name(key);
        let text = self.text_of(&name, value, TEXT_BYTES_MAX)?;
        check(&text).map_err(|wrong| self.note_wrong(value.span(), &name, wrong.into(), mend)).ok()
    }

    /// One of a closed list of words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.checked(key, &words_of(choices), |text| chosen(text, choices))
    }

    /// A section. `read` is called also when it is absent, so that defaults are in one place.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let value = self.take(key);
        let (table, span) = match value.map(|value| (value, value.get_ref())) {
            Some((value, DeValue::Table(table))) => (Some(table), value.span()),
            Some((value, _)) => {
                self.wrong_kind::<()>(key, value, "a table", format!("write a section [{}]", self.name(key)));
                (None, value.span())
            }
            None => (None, self.span.clone()),
        };
        self.inner(table, span, self.name(key)).run(read)
    }

    /// A section without which a whole thing is absent; none when it is.
    pub fn optional_section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        let absent = !self.has(key);
        self.known.extend(absent.then_some(key));
        if absent { None } else { Some(self.section(key, read)) }
    }

    /// True when `key` is a list without entries.
    pub fn is_empty_list(&self, key: &str) -> bool {
        let value = self.table.and_then(|table| table.get(key)).map(Spanned::get_ref);
        matches!(value, Some(DeValue::Array(items)) if items.is_empty())
    }

    /// True when `key` is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Refuses `key` by name when it is there: something that exists in the language but not in this version.
    pub fn refuse(&mut self, key: &'static str, message: &str, mend: &str) {
        if self.take(key).is_some() {
            self.note_at(key, message, mend);
        }
    }

    /// Notes a mistake about the value of `key`, or about the whole section when the key is absent.
    pub fn note_at(&self, key: &str, message: impl AsRef<str>, mend: impl Into<String>) {
        self.note_in(&self.place(key), message, mend);
    }

    /// Notes a mistake in a place that was kept.
    pub fn note_in(&self, place: &Place, message: impl AsRef<str>, mend: impl Into<String>) {
        self.note(place.0.clone(), message, mend);
    }

    /// The place of the value of `key`, or that of the whole section when the key is absent.
    pub fn place(&self, key: &str) -> Place {
        let entry = self.table.and_then(|table| table.get_key_value(key));
        let span = entry.map_or(self.span.clone(), |(key, value)| match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => key.span(),
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => value.span(),
        });
        Place(span)
    }

    /// Line and column of the value of `key`, or of the whole section when the key is absent.
    pub fn position(&self, key: &str) -> Position {
        self.document.position(self.place(key).0.start)
    }

    /// A reader of a table inside this one.
    fn inner<'b>(&'b self, table: Option<&'b DeTable<'b>>, span: Range<usize>, path: String) -> Reader<'b> {
        Reader { document: self.document, mistakes: self.mistakes, table, span, path, known: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table?.get(key)
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn text_of(&self, name: &str, value: &Spanned<DeValue<'_>>, bytes_max: usize) -> Option<String> {
        let DeValue::String(text) = value.get_ref() else {
            let message = format!("`{name}` is {}, a text is needed", article(value.get_ref()));
            self.note(value.span(), message, "write a text in double quotes");
            return None;
        };
        if text.len() > bytes_max {
            self.note(value.span(), format!("`{name}` has {} bytes", text.len()), format!("keep it to {bytes_max}"));
            return None;
        }
        Some(text.to_string())
    }

    fn wrong_kind<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, needed: &str, mend: impl Into<String>) -> Option<T> {
        let message = format!("`{}` is {}, {needed} is needed", self.name(key), article(value.get_ref()));
        self.note(value.span(), message, mend);
        None
    }

    fn note_wrong(&self, span: Range<usize>, name: &str, wrong: Wrong, mend: &str) {
        self.note(span, format!("`{name}`: {}", wrong.message), wrong.mend.unwrap_or_else(|| mend.to_owned()));
    }

    fn note(&self, span: Range<usize>, message: impl AsRef<str>, mend: impl Into<String>) {
        self.mistakes.note(self.document.mistake(span, message, mend));
    }

    fn note_unknown_keys(&self) {
        let Some(table) = self.table else { return };
        for (key, _) in table.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref())) {
            let mend = format!("remove it, or correct it to one of: {}", self.known.join(", "));
            self.note(key.span(), format!("`{}` is not a key here", self.name(key.get_ref())), mend);
        }
    }
}

/// The mend for a word of a closed list.
fn words_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    format!("write {}", words.join(" or "))
}

fn chosen<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
    found.ok_or_else(|| format!("`{text}` is not one of the words it may be"))
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests;
