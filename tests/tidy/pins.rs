//! Versions, checksums, reasons and notices of what comes from elsewhere.

use sha2::{Digest as _, Sha256};

/// Crates that move together and must be in the tree exactly once, with the start of the version wanted.
/// Two V8s would each bring their own heap and flags. Source: DESIGN §6.
const SET: &[(&str, &str)] = &[("v8", "150.4.0"), ("deno_core", "0.413.0"), ("serde_v8", "0.322."), ("oxc", "0.146.0"), ("sled", "0.34.7")];

/// Crates that must not come in: another engine, a TLS built in C, the store's unfinished successor's C library.
const BANNED: &[&str] = &["rquickjs", "boa_engine", "aws-lc-sys", "openssl-sys", "zstd-sys"];

/// Complaints about the versions in `lock`, the text of Cargo.lock.
pub(crate) fn wrong_pins(lock: &str) -> Vec<String> {
    let Ok(table) = lock.parse::<toml::Table>() else { return vec!["Cargo.lock does not parse".to_owned()] };
    let packages = table.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let field = |package: &toml::Value, name: &str| package.get(name).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let packages: Vec<(String, String)> = packages.map(|package| (field(package, "name"), field(package, "version"))).collect();
    let versions = |name: &str| packages.iter().filter(|(own, _)| own == name).map(|(_, version)| version.as_str()).collect::<Vec<_>>();
    let set = SET.iter().filter_map(|(name, wanted)| match versions(name)[..] {
        [version] if version.starts_with(wanted) => None,
        ref found => Some(format!("`{name}`: exactly one, of version {wanted}*, but Cargo.lock has {found:?}")),
    });
    let banned = BANNED.iter().filter(|name| !versions(name).is_empty()).map(|name| format!("`{name}` must not be in the tree"));
    set.chain(banned).collect()
}

/// Direct dependencies of `manifests` without a reason: `# name: why` in `reasons`, or a comment behind them in their manifest.
pub(crate) fn unexplained(manifests: &[String], reasons: &str) -> Vec<String> {
    let explained = |name: &str| {
        let listed = reasons.lines().filter_map(|line| line.strip_prefix("# ")).filter_map(|line| line.split_once(": "));
        listed.into_iter().any(|(own, reason)| own.trim() == name && reason.trim().len() > 10)
    };
    let beside = |manifest: &str, name: &str| {
        manifest
            .lines()
            .any(|line| line.split(['=', '.', ' ']).next() == Some(name) && line.rsplit_once(" # ").is_some_and(|(_, why)| why.len() > 10))
    };
    let mut complaints = Vec::new();
    for manifest in manifests {
        match manifest.parse::<toml::Table>() {
            Ok(table) => {
                let missing = dependencies(&table).into_iter().filter(|name| !explained(name) && !beside(manifest, name));
                complaints.extend(missing.map(|name| format!("`{name}` has no line `# {name}: <reason>` in deny.toml")));
            }
            Err(error) => complaints.push(format!("a Cargo.toml does not parse: {error}")),
        }
    }
    complaints
}

/// The names of a manifest's direct dependencies that are no members of this workspace.
fn dependencies(table: &toml::Table) -> Vec<String> {
    let target_tables = table
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(toml::Value::as_table);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let lists = std::iter::once(table).chain(target_tables).flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)));
    let foreign = lists.filter_map(toml::Value::as_table).flatten().filter(|(_, spec)| spec.get("path").is_none());
    foreign.map(|(name, _)| name.clone()).collect()
}

/// Complaints about files whose SHA-256 is not the one in `sums` (lines of `sha256sum`).
pub(crate) fn wrong_checksums(sums: &str, bytes_of: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<String> {
    let rows: Vec<_> = sums.lines().filter_map(|line| line.split_once("  ")).collect();
    if rows.is_empty() {
        return vec!["SHA256SUMS names no file".to_owned()];
    }
    let wrong = rows.into_iter().filter_map(|(wanted, name)| match bytes_of(name) {
        None => Some(format!("{name} is not there")),
        Some(bytes) => {
            let found = hex::encode(Sha256::digest(bytes));
            (found != wanted).then(|| format!("{name} has the checksum {found} instead of {wanted}"))
        }
    });
    wrong.collect()
}

/// Licence texts that the README beside the archive names by `licenses/NAME` and that are absent, and texts that it does not name.
pub(crate) fn missing_notices(readme: &str, present: &[String]) -> Vec<String> {
    let named: Vec<&str> = readme
        .split("licenses/")
        .skip(1)
        .filter_map(|rest| rest.split([')', '`', ' ', '\n']).next())
        .filter(|name| !name.is_empty())
        .collect();
    let none = named.is_empty().then(|| "third_party/v8/README.md names no licence text".to_owned());
    let absent =
        named.iter().filter(|name| !present.iter().any(|own| own == *name)).map(|name| format!("licenses/{name} is named and absent"));
    let silent = present.iter().filter(|own| !named.contains(&own.as_str())).map(|own| format!("licenses/{own} is there and not named"));
    none.into_iter().chain(absent).chain(silent).collect()
}

#[test]
fn a_second_v8_a_moved_pin_and_a_banned_crate_are_found() {
    let package = |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let good: String =
        SET.iter().map(|(name, version)| package(name, &format!("{version}{}", if version.ends_with('.') { "0" } else { "" }))).collect();
    assert!(wrong_pins(&good).is_empty());
    assert_eq!(wrong_pins(&(good.clone() + &package("v8", "152.2.0"))).len(), 1);
    assert_eq!(wrong_pins(&(good.clone() + &package("openssl-sys", "0.9.1"))).len(), 1);
    assert_eq!(wrong_pins(&good.replace("0.413.0", "0.414.0")).len(), 1);
    assert_eq!(wrong_pins("").len(), SET.len());
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[dependencies]\na = \"1\"\nb = { version = \"1\" } # because it parses b\nown = { path = \"own\" }\n[dev-dependencies]\nc.workspace = true\n".to_owned();
    assert_eq!(unexplained(std::slice::from_ref(&manifest), "# c: measures things well\n").len(), 1);
    assert!(unexplained(&[manifest], "# a: serves the listeners\n# c: measures things well\n").is_empty());
}

#[test]
fn a_changed_byte_a_missing_file_and_an_empty_list_are_found() {
    let sums = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  x.gz\n";
    assert!(wrong_checksums(sums, |_| Some(b"abc".to_vec())).is_empty());
    assert_eq!(wrong_checksums(sums, |_| Some(b"abd".to_vec())).len(), 1);
    assert_eq!(wrong_checksums(sums, |_| None).len(), 1);
    assert_eq!(wrong_checksums("", |_| None).len(), 1);
}

#[test]
fn a_notice_named_and_absent_or_there_and_silent_is_found() {
    assert!(missing_notices("see [V8](licenses/V8.txt)", &["V8.txt".to_owned()]).is_empty());
    assert_eq!(missing_notices("see `licenses/V8.txt`", &[]).len(), 1);
    assert_eq!(missing_notices("see `licenses/V8.txt`", &["V8.txt".to_owned(), "ICU.txt".to_owned()]).len(), 1);
    assert_eq!(missing_notices("", &[]).len(), 1);
}
