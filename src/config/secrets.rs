//! `[secrets.NAME]` and `[vault]`: where the values of secrets come from. Values are never in the file, nor read here.

use super::reader::Reader;
use super::sections::path;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::{Host, Url};

/// Longest name of a variable or secret, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Mend for [`variable_name`].
pub const VARIABLE_NAME_MEND: &str = "use letters, digits and `_`, not starting with a digit, at most 128; `__proto__` is taken";

/// The form of the names that `env` shows. `__proto__` would set the prototype of the object it becomes a property of.
pub fn variable_name(text: &str) -> Result<(), String> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let right = starts && plain && text.len() <= NAME_BYTES_MAX && text != "__proto__";
    if right { Ok(()) } else { Err("this is not a name for a variable".to_owned()) }
}

/// The name itself, if it is one that `env` can show.
pub fn named(text: &str) -> Result<String, String> {
    variable_name(text).map(|()| text.to_owned())
}

/// `[secrets.NAME]`: where one secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `env`: a variable of the server's environment, read at start.
    Env(String),
    /// `file`: a file's text, watched. A relative path starts at the configuration's folder.
    File(PathBuf),
    /// `vault`, written `mount/path#field`: a field of a secret in HashiCorp Vault's KV version 2.
    Vault {
        /// Where the engine is mounted: what stands before the first `/`.
        mount: String,
        /// The secret's path below the mount, without `data/`.
        path: String,
        /// The field of the secret.
        field: String,
    },
}

/// Where the token for Vault comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultToken {
    /// `token_env`: a variable of the server's environment.
    Env(String),
    /// `token_file`: a file's text, such as an agent of Vault writes it. A relative path starts at the configuration's folder.
    File(PathBuf),
}

/// `[vault]`: the server that `vault` sources are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSettings {
    /// `address`: its URL, as the WHATWG parser writes it; `https`, or `http` on loopback.
    pub address: String,
    /// `token_env` or `token_file`.
    pub token: VaultToken,
    /// `namespace`: of an enterprise server. Default none.
    pub namespace: Option<String>,
    /// `refresh_s`: how often secrets are read again. Default 300 s; 10 s to 1 day.
    pub refresh: Duration,
}

/// Reads all `[secrets.NAME]`. Sources that were wrong are left out.
pub(super) fn read_secrets(reader: &mut Reader<'_>) -> BTreeMap<String, SecretSource> {
    let sources = reader.table_map("secrets", VARIABLE_NAME_MEND, variable_name, SecretSource::read);
    sources.into_iter().filter_map(|(name, source)| source.map(|source| (name, source))).collect()
}

impl SecretSource {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let env = reader.checked("env", VARIABLE_NAME_MEND, named).map(Self::Env);
        let file = reader.checked("file", "write a file's path", path).map(Self::File);
        let vault = reader.checked("vault", "write mount/path#field, such as kv/orders/api#token", vault_path);
        one_of(reader, &["env", "file", "vault"]).then_some(())?;
        env.or(file).or(vault)
    }

    /// Lets a relative path start at `folder`.
    pub(super) fn start_at(&mut self, folder: &Path) {
        if let Self::File(file) = self {
            *file = folder.join(&file);
        }
    }
}

impl VaultSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.require(&["address"]);
        let address = reader.checked("address", "write https://name:port, or http:// and an address of loopback", address);
        let env = reader.checked("token_env", VARIABLE_NAME_MEND, named).map(VaultToken::Env);
        let file = reader.checked("token_file", "write a file's path", path).map(VaultToken::File);
        let namespace = reader.checked("namespace", "use letters, digits, `-`, `_` and `/`", namespace);
        let refresh = Duration::from_secs(reader.u64("refresh_s", 10..=86_400).unwrap_or(300));
        one_of(reader, &["token_env", "token_file"]).then_some(())?;
        Some(Self { address: address?, token: env.or(file)?, namespace, refresh })
    }

    /// Lets a relative path start at `folder`.
    pub(super) fn start_at(&mut self, folder: &Path) {
        if let VaultToken::File(file) = &mut self.token {
            *file = folder.join(&file);
        }
    }
}

/// True when exactly one of `keys` is there; notes a mistake otherwise.
fn one_of(reader: &Reader<'_>, keys: &[&'static str]) -> bool {
    let given: Vec<&str> = keys.iter().copied().filter(|key| reader.has(key)).collect();
    match given[..] {
        [_] => return true,
        [] => reader.note_at("", format!("none of {} is there", keys.join(", ")), "write exactly one of them"),
        [_, second, ..] => reader.note_at(second, format!("{} are there together", given.join(" and ")), "write exactly one of them"),
    }
    false
}

/// `mount/path#field`. Nothing in it needs an escape in a URL, and no segment of the path is empty or climbs.
fn vault_path(text: &str) -> Result<SecretSource, String> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let segment = |part: &str| plain(part) && part != "." && part != "..";
    let parts = text.split_once('#').and_then(|(place, field)| place.split_once('/').map(|(mount, path)| (mount, path, field)));
    let right = parts.filter(|(mount, path, field)| segment(mount) && path.split('/').all(segment) && plain(field));
    let (mount, path, field) = right.ok_or_else(|| format!("`{text}` is not a place in Vault"))?;
    Ok(SecretSource::Vault { mount: mount.to_owned(), path: path.to_owned(), field: field.to_owned() })
}

/// The URL of a Vault: a token goes there, so it goes over TLS or does not leave the machine.
fn address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        "https" | "http" if !plain => Err("the address of a Vault has no user, query or fragment".to_owned()),
        "https" => Ok(url.into()),
        "http" if loopback => Ok(url.into()),
        "http" => Err(format!("`{text}` would send the token in plain text to another machine")),
        other => Err(format!("`{other}` is not a protocol that Vault speaks")),
    }
}

fn namespace(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/'));
    if plain && !text.trim_matches('/').is_empty() { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a namespace")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_vault_is_mount_path_and_field_and_climbs_nowhere() {
        let place =
            |mount: &str, path: &str, field: &str| SecretSource::Vault { mount: mount.into(), path: path.into(), field: field.into() };
        assert_eq!(vault_path("kv/path#field"), Ok(place("kv", "path", "field")));
        assert_eq!(vault_path("kv/a/b-1_x.y#f"), Ok(place("kv", "a/b-1_x.y", "f")));
        for bad in [
            "",
            "kv/path",
            "kv#f",
            "/p#f",
            "kv/#f",
            "kv/p#",
            "kv/a//b#f",
            "kv/../p#f",
            "kv/.#f",
            "../p#f",
            "kv/a?b#f",
            "kv/a%2fb#f",
            "kv/a#b#c",
            "kv/ a#f",
        ] {
            assert!(vault_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_token_of_vault_goes_over_tls_or_stays_on_the_machine() {
        for good in [
            "https://vault.example:8200",
            "https://vault.example/behind/this",
            "http://127.0.0.1:8200",
            "http://127.9.0.1",
            "http://[::1]:1",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "vault.example",
            "http://vault.example",
            "http://localhost:8200",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "ftp://127.0.0.1",
            "https://user@vault.example",
            "https://:x@vault.example",
            "https://vault.example/?a",
            "https://vault.example/#a",
            "https://",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
