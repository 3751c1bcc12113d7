//! Names: look-alikes, and names as obfuscators make them.

use super::globals;
use super::sink::{Sink, shown};
use super::text;
use crate::model::Check;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest different mangled names that are told. An estimate: one may be a joke.
const MANGLED: usize = 5;

/// The names of one module.
#[derive(Debug, Default)]
pub(super) struct Names {
    plain: BTreeSet<String>,
    /// Names beyond ASCII, with the first place.
    foreign: BTreeMap<String, u32>,
    mangled: BTreeMap<String, u32>,
}

impl Names {
    /// Takes in a name at `at`.
    pub(super) fn take(&mut self, name: &str, at: u32) {
        if !name.is_ascii() {
            self.foreign.entry(name.to_owned()).or_insert(at);
            return;
        }
        if is_mangled(name) {
            self.mangled.entry(name.to_owned()).or_insert(at);
        }
        if !self.plain.contains(name) {
            self.plain.insert(name.to_owned());
        }
    }

    /// Tells what there is to tell.
    pub(super) fn tell(self, sink: &mut Sink) {
        for (name, at) in &self.foreign {
            let skeleton: String = name.chars().map(text::likeness).collect();
            let twin = self.plain.contains(&skeleton) || globals::is_offered(&skeleton);
            if twin || text::mixes_scripts(name) {
                sink.hit(Check::Homoglyph, *at, format!("the name `{}` looks like `{}`", shown(name), shown(&skeleton)));
            }
        }
        if self.mangled.len() >= MANGLED
            && let Some((name, at)) = self.mangled.iter().min_by_key(|(_, at)| **at)
        {
            let message = format!("{} names such as `{}`", self.mangled.len(), shown(name));
            sink.hit(Check::MangledNames, *at, message);
        }
    }
}

fn is_mangled(name: &str) -> bool {
    if let Some(digits) = name.strip_prefix("_0x") {
        return digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    name.len() >= 6 && name.bytes().all(|byte| matches!(byte, b'I' | b'l' | b'O' | b'0' | b'1'))
}
