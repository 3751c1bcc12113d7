//! Keys that hold many values: lists, maps, and tables that come more than once. Each has a cap.

use super::{ENTRIES_MAX, Reader, TEXT_BYTES_MAX, Wrong, chosen, words_of};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

impl<'a> Reader<'a> {
    /// A list of at most 256 different texts, each of which `check` accepts.
    pub fn texts(&mut self, key: &'static str, mend: &str, check: impl Fn(&str) -> Result<(), String>) -> Option<Vec<String>> {
        self.list(key, mend, |text| check(text).map(|()| text.to_owned()))
    }

    /// A list of at most 256 texts that `check` turns into different values.
    pub fn list<T: PartialEq, E: Into<Wrong>>(
        &mut self,
        key: &'static str,
        mend: &str,
        check: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let items = self.items(key, ENTRIES_MAX, &format!("write a list in square brackets; in it: {mend}"))?;
        Some(self.listed(key, mend, items.iter(), check))
    }

    /// One text that `check` turns into a value, or a list of them as in [`Reader::list`].
    pub fn one_or_list<T: PartialEq, E: Into<Wrong>>(
        &mut self,
        key: &'static str,
        mend: &str,
        check: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        match self.table.and_then(|table| table.get(key)) {
            Some(value) if !value.get_ref().is_array() => {
                self.known.push(key);
                Some(self.listed(key, mend, std::iter::once(value), check))
            }
            Some(_) | None => self.list(key, mend, check),
        }
    }

    /// The values of `items` that are right and different.
    fn listed<'b, T: PartialEq, E: Into<Wrong>>(
        &self,
        key: &str,
        mend: &str,
        items: impl Iterator<Item = &'b Spanned<DeValue<'b>>>,
        check: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let name = self.name(key);
        let mut values = Vec::new();
        for item in items {
            let Some(text) = self.text_of(&name, item, TEXT_BYTES_MAX) else { continue };
            match check(&text) {
                Err(wrong) => self.note_wrong(item.span(), &name, wrong.into(), mend),
                Ok(value) if values.contains(&value) => {
                    self.note(item.span(), format!("`{name}` names `{text}` twice"), "remove one of them")
                }
                Ok(value) => values.push(value),
            }
        }
        values
    }

    /// A list of at most 256 different whole numbers within `range`.
    pub fn numbers(&mut self, key: &'static str, range: RangeInclusive<u16>) -> Option<Vec<u16>> {
        let name = self.name(key);
        let mend = format!("write whole numbers from {} to {}, each once", range.start(), range.end());
        let mut numbers = Vec::new();
        for item in self.items(key, ENTRIES_MAX, &format!("write a list in square brackets; in it: {mend}"))?.iter() {
            let number = match item.get_ref() {
                DeValue::Integer(number) => u16::from_str_radix(number.as_str(), number.radix()).ok(),
                _ => None,
            };
            match number.filter(|number| range.contains(number) && !numbers.contains(number)) {
                Some(number) => numbers.push(number),
                None => self.note(item.span(), format!("`{name}` has an entry that it may not have"), &mend),
            }
        }
        Some(numbers)
    }

    /// A table of at most 256 texts under names that `check` accepts; empty when absent.
    pub fn text_map(&mut self, key: &'static str, mend: &str, check: impl Fn(&str) -> Result<(), String>) -> BTreeMap<String, String> {
        self.long_text_map(key, mend, TEXT_BYTES_MAX, check)
    }

    /// A table of at most 256 texts of at most `bytes_max` bytes each, under names that `check` accepts; empty when absent.
    pub fn long_text_map(
        &mut self,
        key: &'static str,
        mend: &str,
        bytes_max: usize,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        for (path, entry, value) in self.entries(key, mend, check) {
            map.extend(self.text_of(&path, value, bytes_max).map(|text| (entry, text)));
        }
        map
    }

    /// A table of at most 256 words of a closed list, under names that `check` accepts; empty when absent.
    pub fn choice_map<T: Copy>(
        &mut self,
        key: &'static str,
        mend: &str,
        check: impl Fn(&str) -> Result<(), String>,
        choices: &[(&str, T)],
    ) -> BTreeMap<String, T> {
        let mut map = BTreeMap::new();
        for (path, entry, value) in self.entries(key, mend, check) {
            let Some(text) = self.text_of(&path, value, TEXT_BYTES_MAX) else { continue };
            match chosen(&text, choices) {
                Ok(choice) => drop(map.insert(entry, choice)),
                Err(wrong) => self.note_wrong(value.span(), &path, wrong.into(), &words_of(choices)),
            }
        }
        map
    }

    /// Tables `[key.NAME]`, at most 256, under names that `check` accepts.
    pub fn table_map<T>(
        &mut self,
        key: &'static str,
        mend: &str,
        check: impl Fn(&str) -> Result<(), String>,
        read: impl Fn(&mut Reader<'_>) -> T,
    ) -> BTreeMap<String, T> {
        let mut map = BTreeMap::new();
        for (path, entry, value) in self.entries(key, mend, check) {
            if let Some(table) = self.table_of(&path, value, &format!("write a section [{path}]")) {
                map.insert(entry, self.inner(Some(table), value.span(), path).run(&read));
            }
        }
        map
    }

    /// Tables `[[key]]`, at most `most`, in the order of the file. None when the key is absent.
    pub fn tables<T>(&mut self, key: &'static str, most: usize, mut read: impl FnMut(&mut Reader<'_>) -> T) -> Option<Vec<T>> {
        let name = self.name(key);
        let mend = format!("write it as [[{name}]], once for each");
        let mut values = Vec::new();
        for item in self.items(key, most, &mend)?.iter() {
            if let Some(table) = self.table_of(&name, item, &mend) {
                values.push(self.inner(Some(table), item.span(), name.clone()).run(&mut read));
            }
        }
        Some(values)
    }

    fn items(&mut self, key: &'static str, most: usize, mend: &str) -> Option<&'a DeArray<'a>> {
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else { return self.wrong_kind(key, value, "a list", mend) };
        if items.len() > most {
            self.note_at(key, format!("`{}` has {} entries", self.name(key), items.len()), format!("keep it to {most}"));
            return None;
        }
        Some(items)
    }

    /// The entries of the table `key` whose names are right: path, name, value.
    fn entries(
        &mut self,
        key: &'static str,
        mend: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<(String, String, &'a Spanned<DeValue<'a>>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let name = self.name(key);
        let Some(table) = self.table_of(&name, value, &format!("write a section [{name}]")) else { return Vec::new() };
        if table.len() > ENTRIES_MAX {
            self.note(value.span(), format!("`{name}` has {} entries", table.len()), format!("keep it to {ENTRIES_MAX}"));
        }
        let mut right = Vec::new();
        for (entry, value) in table.iter().take(ENTRIES_MAX) {
            let path = format!("{name}.{}", entry.get_ref());
            match check(entry.get_ref()) {
                Err(wrong) => self.note_wrong(entry.span(), &path, wrong.into(), mend),
                Ok(()) => right.push((path, entry.get_ref().to_string(), value)),
            }
        }
        right
    }

    fn table_of<'b>(&self, name: &str, value: &'b Spanned<DeValue<'b>>, mend: &str) -> Option<&'b DeTable<'b>> {
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("`{name}` is {}, a table is needed", super::article(value.get_ref()));
            self.note(value.span(), message, mend);
            return None;
        };
        Some(table)
    }
}
