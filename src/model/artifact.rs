//! Immutable guest source: named modules and which of them is the main one.

use super::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The name of a module inside its artifact: a relative path such as `lib/math.ts`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModuleName(String);

/// Caused by the caller's `code`, `modules` or `mainModule`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// A module name that could mean something outside the artifact.
    #[error(
        "module name `{0}` is not a plain relative path: use letters, digits, `.`, `-`, `_` and `/`, at most 200 bytes, without `.` or `..` segments"
    )]
    Name(String),
    /// A module whose kind is unknown.
    #[error("module `{0}` has no known kind: end its name with .js, .mjs, .ts or .mts")]
    Kind(String),
    /// `mainModule` is not among the modules.
    #[error("mainModule `{0}` is not among the modules")]
    NoMain(String),
    /// No module at all.
    #[error("`modules` is empty: give at least the main module")]
    Empty,
}

/// The longest module name accepted, in bytes.
const NAME_BYTES_MAX: usize = 200;

impl ModuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when the module is TypeScript by its name.
    pub fn is_typescript(&self) -> bool {
        self.0.ends_with(".ts") || self.0.ends_with(".mts")
    }
}

impl TryFrom<String> for ModuleName {
    type Error = ArtifactError;
    fn try_from(name: String) -> Result<Self, ArtifactError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        let segment = |s: &str| !s.is_empty() && s != "." && s != "..";
        if name.len() > NAME_BYTES_MAX || !name.chars().all(plain) || !name.split('/').all(segment) {
            return Err(ArtifactError::Name(name.chars().take(NAME_BYTES_MAX).collect()));
        }
        if ![".js", ".mjs", ".ts", ".mts"].iter().any(|end| name.ends_with(end)) {
            return Err(ArtifactError::Kind(name));
        }
        Ok(Self(name))
    }
}

impl From<ModuleName> for String {
    fn from(name: ModuleName) -> Self {
        name.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Immutable guest source. The supervisor treats every source as opaque text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    modules: BTreeMap<ModuleName, String>,
    main_module: ModuleName,
}

impl Artifact {
    /// An artifact of `modules` that starts at `main_module`.
    pub fn new(modules: BTreeMap<ModuleName, String>, main_module: ModuleName) -> Result<Self, ArtifactError> {
        if modules.is_empty() {
            return Err(ArtifactError::Empty);
        }
        if !modules.contains_key(&main_module) {
            return Err(ArtifactError::NoMain(main_module.0));
        }
        Ok(Self { modules, main_module })
    }

    /// A snippet: one TypeScript module called `main.ts`. JavaScript is read as TypeScript, a superset of it.
    pub fn snippet(code: String) -> Self {
        let name = ModuleName("main.ts".to_owned());
        Self { modules: BTreeMap::from([(name.clone(), code)]), main_module: name }
    }

    /// Its id: the digest of its canonical bytes (main module's name, then each module's name and source in name order).
    pub fn id(&self) -> Digest {
        let parts = self.modules.iter().flat_map(|(name, source)| [name.0.as_bytes(), source.as_bytes()]);
        Digest::of_parts([b"cordon/artifact/v1".as_slice(), self.main_module.0.as_bytes()].into_iter().chain(parts))
    }

    /// The modules by name.
    pub fn modules(&self) -> &BTreeMap<ModuleName, String> {
        &self.modules
    }

    /// Where a run starts.
    pub fn main_module(&self) -> &ModuleName {
        &self.main_module
    }

    /// The sum of the sources' lengths in bytes.
    pub fn source_bytes(&self) -> u64 {
        self.modules.values().map(|source| source.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<ModuleName, ArtifactError> {
        ModuleName::try_from(text.to_owned())
    }

    #[test]
    fn a_module_name_cannot_leave_its_artifact() {
        for good in ["main.ts", "lib/a.js", "a-b_c.mjs", "x.mts"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in ["", "/main.ts", "../main.ts", "a/../b.ts", "./a.ts", "a//b.ts", "a b.ts", "ext:core.js", "é.ts", "a\\b.ts"] {
            assert!(matches!(name(bad), Err(ArtifactError::Name(_))), "{bad}");
        }
        assert!(matches!(name("main.py"), Err(ArtifactError::Kind(_))));
        assert!(name(&format!("{}.ts", "a".repeat(197))).is_ok());
        assert!(name(&format!("{}.ts", "a".repeat(198))).is_err());
    }

    #[test]
    fn the_id_depends_on_every_name_every_source_and_the_main_module() {
        let make = |main: &str, a: &str, b: &str| {
            let modules = [("a.ts", a), ("b.ts", b)].into_iter().map(|(n, s)| (ModuleName(n.into()), s.to_owned())).collect();
            Artifact::new(modules, ModuleName(main.into())).map(|artifact| artifact.id())
        };
        let base = make("a.ts", "1", "2");
        assert_eq!(base, make("a.ts", "1", "2"));
        for other in [make("b.ts", "1", "2"), make("a.ts", "12", ""), make("a.ts", "", "12"), make("a.ts", "1", "3")] {
            assert_ne!(base, other);
        }
        assert!(matches!(make("c.ts", "1", "2"), Err(ArtifactError::NoMain(_))));
    }
}
