//! `[[secret]]`: the right to use a secret, and where it may go.

use super::super::bounds::SECRETS_MAX;
use super::host::{HOST_MEND, host_name};
use super::rule::{filled, methods, path_prefix, reason};
use super::words::{HEADER_MEND, header_name, header_value};
use crate::config::{Place, Reader, VARIABLE_NAME_MEND, named};
use crate::model::{SecretGrant, SecretMode};
use std::collections::BTreeMap;

/// Longest format, in bytes.
const FORMAT_BYTES_MAX: usize = 256;

const MODES: [(&str, SecretMode); 2] = [("placeholder", SecretMode::Placeholder), ("inject", SecretMode::Inject)];

/// A secret, and where its hosts are.
pub(super) struct Secret {
    pub(super) grant: SecretGrant,
    pub(super) hosts: Place,
}

/// Every secret of a profile with these variables, without those that are wrong.
pub(super) fn read_all(reader: &mut Reader<'_>, vars: &BTreeMap<String, String>) -> Vec<Secret> {
    let mut names = Vec::new();
    let secrets = reader.tables("secret", SECRETS_MAX, |reader| {
        let secret = read(reader);
        if let Some(Secret { grant, .. }) = &secret {
            unlike_others(reader, &grant.name, &names, vars);
            names.push(grant.name.clone());
        }
        secret
    });
    secrets.into_iter().flatten().flatten().collect()
}

/// `env` shows variables and secrets side by side, so their names are all different.
fn unlike_others(reader: &Reader<'_>, name: &String, secrets: &[String], vars: &BTreeMap<String, String>) {
    if secrets.contains(name) {
        reader.note_at("name", format!("a secret `{name}` is there already"), "remove one of them, or list all hosts in one");
    }
    if vars.contains_key(name) {
        reader.note_at("name", format!("`{name}` is a variable too, and `env` shows both"), "rename the variable in [vars]");
    }
}

fn read(reader: &mut Reader<'_>) -> Option<Secret> {
    reader.require(&["name", "hosts", "reason"]);
    let name = reader.checked("name", VARIABLE_NAME_MEND, named);
    let hosts = filled(reader, "hosts", |reader| reader.list("hosts", &format!("{HOST_MEND}; a secret has no wildcard"), host_name));
    let methods = methods(reader);
    let path_prefix = path_prefix(reader);
    let header = reader.checked("header", HEADER_MEND, header_name);
    let format = reader.checked("format", "write the header's value with {} once, such as \"Bearer {}\"", header_format);
    let mode = reader.choice("mode", &MODES);
    let reason = reason(reader);
    let grant = SecretGrant {
        name: name?,
        hosts: hosts.filter(|hosts| !hosts.is_empty())?,
        methods: methods.unwrap_or_default(),
        path_prefix,
        header: header.unwrap_or_else(|| "authorization".to_owned()),
        format: format.unwrap_or_else(|| "{}".to_owned()),
        mode: mode.unwrap_or(SecretMode::Placeholder),
        reason,
    };
    Some(Secret { grant, hosts: reader.place("hosts") })
}

/// A header's value with `{}` in the place of the secret.
fn header_format(text: &str) -> Result<String, String> {
    header_value(text)?;
    match text.matches("{}").count() {
        1 if text.len() <= FORMAT_BYTES_MAX => Ok(text.to_owned()),
        1 => Err(format!("it has {} bytes, at most {FORMAT_BYTES_MAX} are right", text.len())),
        count => Err(format!("`{text}` has {count} places for the secret")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_exactly_one_place_and_no_way_out_of_its_header() {
        for good in ["{}", "Bearer {}", "token={}; v=1", "{{}}"] {
            assert!(header_format(good).is_ok(), "{good}");
        }
        for bad in ["", "Bearer", "{}{}", "{ }", "{}\r\nx: y", "{}\n", "{}\0", "\t{}", " {}", "{} ", "{}é"] {
            assert!(header_format(bad).is_err(), "{bad:?}");
        }
        assert!(header_format(&format!("{}{{}}", "a".repeat(254))).is_ok() && header_format(&format!("{}{{}}", "a".repeat(255))).is_err());
    }
}
