//! Where in its file a profile says what. The profile itself is plain data and has no places; this looks at the file once more, for them alone.

use crate::config::{Document, Mistakes, Position, Reader};
use std::collections::BTreeMap;

/// Most tables of one kind: more than any reader takes.
const TABLES_MAX: usize = 1024;

const TOP: [&str; 3] = ["name", "durability", "egress"];
const RULE: [&str; 6] = ["host", "ports", "schemes", "methods", "path_prefix", "reason"];
const FIXTURE: [&str; 1] = ["url"];
const SECRET: [&str; 3] = ["name", "hosts", "reason"];

/// The places of some keys of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(BTreeMap<&'static str, Position>);

/// The places of a profile.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The file.
    pub(super) file: String,
    /// Keys of the profile itself.
    pub(super) top: Keys,
    /// Those of each rule, in the order of the file.
    pub(super) rules: Vec<Keys>,
    /// Those of each fixture.
    pub(super) fixtures: Vec<Keys>,
    /// Those of each secret.
    pub(super) secrets: Vec<Keys>,
}

impl Keys {
    /// The place of `key`, that of its table when the key is absent, or the start of the file.
    pub(super) fn at(&self, key: &str) -> Position {
        self.0.get(key).copied().unwrap_or(Position { line: 1, column: 1 })
    }

    fn of(reader: &Reader<'_>, keys: &[&'static str]) -> Self {
        Self(keys.iter().map(|key| (*key, reader.position(key))).collect())
    }
}

impl Places {
    /// The places of the profile in `document`, which reads without mistakes, so that its tables are those of the profile.
    pub(super) fn of(document: &Document) -> Self {
        // Its reader has told the mistakes already; what this one notes are keys that it did not ask for.
        let unheard = Mistakes::default();
        let places = document.read(&unheard, |reader| {
            let (rules, fixtures) = reader.section("egress", |egress| (tables(egress, "rule", &RULE), tables(egress, "fixture", &FIXTURE)));
            let secrets = tables(reader, "secret", &SECRET);
            Self { file: document.name().to_owned(), top: Keys::of(reader, &TOP), rules, fixtures, secrets }
        });
        places.unwrap_or_default()
    }
}

fn tables(reader: &mut Reader<'_>, key: &'static str, keys: &[&'static str]) -> Vec<Keys> {
    reader.tables(key, TABLES_MAX, |table| Keys::of(table, keys)).unwrap_or_default()
}
