//! Embeds the JavaScript of the `deno_webidl`, `deno_web` and `deno_fetch` crates.
//!
//! Those crates name their scripts by the absolute path of their package folder and read them when a snapshot is made.
//! Cordon makes no snapshot and reads nothing at run time, so the scripts it needs are compiled in here.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The scripts that the realm loads: package, and file within it. Order does not matter; each loads what it needs.
const SCRIPTS: [(&str, &str); 24] = [
    ("deno_webidl", "00_webidl.js"),
    ("deno_web", "00_infra.js"),
    ("deno_web", "00_url.js"),
    ("deno_web", "01_console.js"),
    ("deno_web", "01_dom_exception.js"),
    ("deno_web", "01_mimesniff.js"),
    ("deno_web", "01_urlpattern.js"),
    ("deno_web", "02_event.js"),
    ("deno_web", "02_structured_clone.js"),
    ("deno_web", "02_timers.js"),
    ("deno_web", "03_abort_signal.js"),
    ("deno_web", "05_base64.js"),
    ("deno_web", "06_streams.js"),
    ("deno_web", "08_text_encoding.js"),
    ("deno_web", "09_file.js"),
    ("deno_web", "12_location.js"),
    ("deno_web", "13_message_port.js"),
    ("deno_web", "14_compression.js"),
    ("deno_web", "15_performance.js"),
    ("deno_fetch", "20_headers.js"),
    ("deno_fetch", "21_formdata.js"),
    ("deno_fetch", "22_body.js"),
    ("deno_fetch", "23_request.js"),
    ("deno_fetch", "23_response.js"),
];

/// The package of which only scripts are read: it is in a tree of its own (`scripts/Cargo.toml`), of which nothing is compiled.
const READ_ONLY: &str = "deno_fetch";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=scripts/Cargo.toml");
    let (own, read) = (metadata("Cargo.toml", &[])?, metadata("scripts/Cargo.toml", &["--locked"])?);
    let mut table = String::from("&[\n");
    for (package, file) in SCRIPTS {
        let metadata = if package == READ_ONLY { &read } else { &own };
        let path = folder(metadata, package)?.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        if !fs::read_to_string(&path)?.is_ascii() {
            return Err(format!("{} is not ASCII, which V8 needs of an embedded script", path.display()).into());
        }
        writeln!(table, "    (\"ext:{package}/{file}\", include_str!({path:?})),")?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("scripts.rs"), table)?;
    Ok(())
}

/// What cargo knows of the packages of this build: without the network first, as the sources are there already.
fn metadata(manifest: &str, options: &[&str]) -> Result<serde_json::Value, Box<dyn Error>> {
    let mut complaint = String::new();
    for network in [&["--offline"][..], &[]] {
        let output = Command::new(env::var("CARGO")?)
            .args(["metadata", "--format-version", "1", "--filter-platform", &env::var("TARGET")?, "--manifest-path"])
            .arg(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(manifest))
            .args(options)
            .args(network)
            .output()?;
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout)?);
        }
        complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    Err(format!("cargo metadata failed: {complaint}").into())
}

/// The folder of `package`, of which the tree has exactly one version.
fn folder(metadata: &serde_json::Value, package: &str) -> Result<PathBuf, Box<dyn Error>> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let manifests: Vec<_> = packages.iter().filter(|p| p["name"] == package).filter_map(|p| p["manifest_path"].as_str()).collect();
    let [manifest] = manifests[..] else {
        return Err(format!("{package}: {} versions in the tree, one is needed", manifests.len()).into());
    };
    Ok(Path::new(manifest).parent().ok_or("a manifest has a folder")?.to_path_buf())
}
