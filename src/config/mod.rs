//! The server's configuration: `cordon.toml`, `CORDON_…` variables and flags become one plain [`Config`], or every mistake at once.
//!
//! Also the small reader of TOML tables that profiles share.

mod document;
mod egress;
mod machine;
mod mistake;
mod overrides;
mod reader;
mod secrets;
mod sections;

pub use document::Document;
pub use egress::EgressSettings;
pub use machine::Machine;
pub use mistake::{ConfigErrors, Excerpt, Mistake, Mistakes, Position};
pub use overrides::Overrides;
pub use reader::{Place, Reader, Wrong};
pub use secrets::{SecretSource, VARIABLE_NAME_MEND, VaultSettings, VaultToken, named, variable_name};
pub use sections::{Admission, Log, LogFormat, Pool, Rate, Server, path};

use overrides::Layers;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that is read from the working directory when none is named and it exists.
const DEFAULT_FILE: &str = "cordon.toml";

/// Everything an operator can set. Parsed, in range, plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Listeners, folders and connections.
    pub server: Server,
    /// How much may go on at once.
    pub admission: Admission,
    /// How much each principal may ask for.
    pub rate: Rate,
    /// Cells forked ahead.
    pub pool: Pool,
    /// How outbound requests are made.
    pub egress: EgressSettings,
    /// Where the values of secrets come from, by the secret's name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// The Vault that some of them come from.
    pub vault: Option<VaultSettings>,
    /// Logging.
    pub log: Log,
}

impl Config {
    /// Flags win over variables (`CORDON_CONFIG`, `CORDON_LISTEN`, `CORDON_OPERATOR_LISTEN`, `CORDON_DATA`, `CORDON_POLICIES`, `CORDON_LOG`,
    /// `CORDON_LOG_FORMAT`), these over the file, the file over defaults. The file is the one named, else `cordon.toml` in the
    /// working directory when there is one.
    pub fn load(overrides: &Overrides, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        Self::load_on(Machine::probe(), overrides, env)
    }

    /// [`Config::load`] with defaults for `machine`.
    pub fn load_on(machine: Machine, overrides: &Overrides, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let mistakes = Mistakes::default();
        let layers = Layers { flags: overrides, env: &env, mistakes: &mistakes };
        let file = layers.config_file().or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()));
        let document = file.as_deref().and_then(|file| Document::load(file, &mistakes)).unwrap_or_else(|| Document::new("(none)", ""));
        let read = document.read(&mistakes, |reader| Self::read(reader, machine));
        // After a syntax error the flags and variables are looked at all the same, over defaults that nobody gets to see.
        let read = read.or_else(|| Document::new("(none)", "").read(&mistakes, |reader| Self::read(reader, machine)));
        let config = read.map(|mut config| {
            config.start_paths_at(file.as_deref());
            layers.lay_over(&mut config);
            config.check_listeners(&mistakes);
            Self { file, ..config }
        });
        match mistakes.none_or(config)? {
            Some(config) => Ok(config),
            None => Err(Mistake::of("(none)", "the built-in defaults cannot be read", "report this as a defect").into()),
        }
    }

    fn read(reader: &mut Reader<'_>, machine: Machine) -> Self {
        let secrets = secrets::read_secrets(reader);
        if !reader.has("vault") && secrets.values().any(|source| matches!(source, SecretSource::Vault { .. })) {
            reader.note_at(
                "secrets",
                "a secret comes from Vault and there is no [vault]",
                "add [vault] with address and token_env or token_file",
            );
        }
        Self {
            file: None,
            server: reader.section("server", Server::read),
            admission: reader.section("admission", |section| Admission::read(section, machine)),
            rate: reader.section("rate", Rate::read),
            pool: reader.section("pool", |reader| Pool::read(reader, machine)),
            egress: reader.section("egress", EgressSettings::read),
            secrets,
            vault: reader.optional_section("vault", VaultSettings::read).flatten(),
            log: reader.section("log", Log::read),
        }
    }

    /// Relative paths in the file start at the file's folder, so that the file means the same from everywhere.
    fn start_paths_at(&mut self, file: Option<&Path>) {
        let Some(folder) = file.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) else { return };
        self.server.data = folder.join(&self.server.data);
        self.server.policies = self.server.policies.take().map(|policies| folder.join(policies));
        self.egress.extra_ca_file = self.egress.extra_ca_file.take().map(|file| folder.join(file));
        self.secrets.values_mut().for_each(|source| source.start_at(folder));
        self.vault.iter_mut().for_each(|vault| vault.start_at(folder));
    }

    fn check_listeners(&self, mistakes: &Mistakes) {
        let Server { listen, operator_listen, .. } = &self.server;
        if listen == operator_listen && listen.port() != 0 {
            let message = format!("the public and the operator listener are both {listen}");
            mistakes.note(Mistake::of("server.operator_listen", message, "give them different ports"));
        }
    }
}

#[cfg(test)]
mod tests;
