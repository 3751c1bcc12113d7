//! The host's JavaScript, compiled in. Nothing is read from a source folder at run time.

use deno_core::{ExtensionFileSource, FastStaticString};

/// Scripts of the Web API crates: specifier and source. Made by `build.rs`.
pub const WEB: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// Cordon's own scripts, in the order of their names.
pub const OWN: &[(&str, &str)] = &[
    ("ext:cordon/clock.js", include_str!("../../js/clock.js")),
    ("ext:cordon/console.js", include_str!("../../js/console.js")),
    ("ext:cordon/crypto.js", include_str!("../../js/crypto.js")),
    ("ext:cordon/errors.js", include_str!("../../js/errors.js")),
    ("ext:cordon/fetch.js", include_str!("../../js/fetch.js")),
    ("ext:cordon/globals.js", include_str!("../../js/globals.js")),
    ("ext:cordon/guard.js", include_str!("../../js/guard.js")),
    ("ext:cordon/handler.js", include_str!("../../js/handler.js")),
    ("ext:cordon/memory.js", include_str!("../../js/memory.js")),
    ("ext:cordon/platform.js", include_str!("../../js/platform.js")),
    ("ext:cordon/run.js", include_str!("../../js/run.js")),
    ("ext:cordon/serve.js", include_str!("../../js/serve.js")),
    ("ext:cordon/subtle/bytes.js", include_str!("../../js/subtle/bytes.js")),
    ("ext:cordon/subtle/curves.js", include_str!("../../js/subtle/curves.js")),
    ("ext:cordon/subtle/errors.js", include_str!("../../js/subtle/errors.js")),
    ("ext:cordon/subtle/jwk.js", include_str!("../../js/subtle/jwk.js")),
    ("ext:cordon/subtle/key.js", include_str!("../../js/subtle/key.js")),
    ("ext:cordon/subtle/normalize.js", include_str!("../../js/subtle/normalize.js")),
    ("ext:cordon/subtle/rsa.js", include_str!("../../js/subtle/rsa.js")),
    ("ext:cordon/subtle/secret.js", include_str!("../../js/subtle/secret.js")),
    ("ext:cordon/subtle/subtle.js", include_str!("../../js/subtle/subtle.js")),
    ("ext:cordon/wire.js", include_str!("../../js/wire.js")),
    // In the name of the script that it stands for.
    ("ext:deno_fetch/22_http_client.js", include_str!("../../js/http_client.js")),
];

/// The scripts of `table` whose specifiers start with `prefix`, as an extension carries them.
pub(crate) fn sources(table: &'static [(&'static str, &'static str)], prefix: &str) -> Vec<ExtensionFileSource> {
    let mine = table.iter().filter(|(specifier, _)| specifier.starts_with(prefix));
    mine.map(|(specifier, source)| ExtensionFileSource::new_computed(specifier, (*source).into())).collect()
}

/// Every embedded script, for the build's identity.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    WEB.iter().chain(OWN).copied()
}

/// Kept so that a script that V8 may share without a copy has one spelling.
pub(crate) const START: FastStaticString = deno_core::ascii_str!("Deno.core.loadExtScript('ext:cordon/globals.js')");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_ascii_and_loadable_without_a_file() {
        for (specifier, source) in all() {
            assert!(source.is_ascii() && source.len() > 100, "{specifier}");
        }
        for source in sources(WEB, "ext:deno_web/").iter().chain(&sources(OWN, "ext:cordon/")) {
            assert!(source.is_runtime_loadable(), "{}", source.specifier);
        }
    }
}
