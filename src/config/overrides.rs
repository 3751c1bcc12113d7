//! What wins over the file: flags first, then `CORDON_…` variables. An empty variable counts as unset.

use super::mistake::{Mistake, Mistakes};
use super::sections::{ADDRESS_MEND, FILTER_MEND, LOG_FORMATS, filter, path};
use super::{Config, LogFormat};
use std::path::PathBuf;

/// The flags of `cordon serve` that stand for settings, as text, so that their mistakes are told together with the file's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--listen ADDR`
    pub listen: Option<String>,
    /// `--operator-listen ADDR`
    pub operator_listen: Option<String>,
    /// `--data DIR`
    pub data: Option<PathBuf>,
    /// `--policies DIR`
    pub policies: Option<PathBuf>,
}

/// A value and the flag or variable it came from.
struct Given {
    name: &'static str,
    text: String,
}

/// Looks answers up: a flag, else a variable.
pub(super) struct Layers<'a> {
    pub(super) flags: &'a Overrides,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) mistakes: &'a Mistakes,
}

impl Layers<'_> {
    /// The file to read: `--config`, `CORDON_CONFIG`; none when neither is given.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        self.flags.config.clone().or_else(|| self.variable("CORDON_CONFIG").map(|given| PathBuf::from(given.text)))
    }

    /// Lays flags and variables over what the file said.
    pub(super) fn lay_over(&self, config: &mut Config) {
        let Overrides { config: _, listen, operator_listen, data, policies } = self.flags;
        let address = |text: &str| text.parse().map_err(|error| format!("`{text}`: {error}"));
        self.set(&mut config.server.listen, self.given(("--listen", listen), "CORDON_LISTEN"), ADDRESS_MEND, address);
        let given = self.given(("--operator-listen", operator_listen), "CORDON_OPERATOR_LISTEN");
        self.set(&mut config.server.operator_listen, given, ADDRESS_MEND, address);
        self.set_folder(&mut config.server.data, data, "--data", "CORDON_DATA");
        let mut folder = config.server.policies.take().unwrap_or_default();
        self.set_folder(&mut folder, policies, "--policies", "CORDON_POLICIES");
        config.server.policies = (!folder.as_os_str().is_empty()).then_some(folder);
        self.set(&mut config.log.filter, self.variable("CORDON_LOG"), FILTER_MEND, filter);
        self.set(&mut config.log.format, self.variable("CORDON_LOG_FORMAT"), "write pretty or json", log_format);
    }

    fn set_folder(&self, target: &mut PathBuf, flag: &Option<PathBuf>, name: &'static str, variable: &'static str) {
        match flag {
            Some(folder) if folder.as_os_str().is_empty() => {
                self.mistakes.note(Mistake::of(name, "the path is empty", "write a folder's path"));
            }
            Some(folder) => folder.clone_into(target),
            None => self.set(target, self.variable(variable), "write a folder's path", path),
        }
    }

    fn set<T>(&self, target: &mut T, given: Option<Given>, mend: &str, parse: impl FnOnce(&str) -> Result<T, String>) {
        let Some(Given { name, text }) = given else { return };
        match parse(&text) {
            Ok(value) => *target = value,
            Err(wrong) => self.mistakes.note(Mistake::of(name, wrong, mend)),
        }
    }

    fn given(&self, (name, flag): (&'static str, &Option<String>), variable: &'static str) -> Option<Given> {
        flag.clone().map(|text| Given { name, text }).or_else(|| self.variable(variable))
    }

    fn variable(&self, name: &'static str) -> Option<Given> {
        (self.env)(name).filter(|text| !text.is_empty()).map(|text| Given { name, text })
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    let found = LOG_FORMATS.iter().find(|(word, _)| *word == text).map(|(_, format)| *format);
    found.ok_or_else(|| format!("`{text}` is not a log format"))
}
