//! Which files there are, and rules about any file.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it for the run as well: a tree that was moved after the build is judged where it is now.
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// The text of a file by its path from the root; empty when it is not there, which every rule here complains about.
pub(crate) fn read(path: &str) -> String {
    std::fs::read(root().join(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The files of the project, as paths from the root: what git tracks or would track, or all files where git is absent.
pub(crate) fn tracked() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let text = listed.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    let mut files: Vec<String> = match text.filter(|text| !text.is_empty()) {
        Some(text) => text.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect(),
        None => walked(&root()),
    };
    files.sort();
    files
}

/// Every file below the root, without what builds and runs leave behind.
fn walked(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let (path, name) = (entry.path(), entry.file_name());
            match path.is_dir() {
                true if ["target", ".git", "cordon-data", "node_modules"].iter().any(|left| name == *left) => Vec::new(),
                true => walked(&path),
                false => path.strip_prefix(root()).ok().and_then(Path::to_str).map(str::to_owned).into_iter().collect(),
            }
        })
        .collect()
}

/// Whether a file is text that a person wrote.
pub(crate) fn is_text(path: &str) -> bool {
    ![".gz", ".bin", ".png", ".lock"].iter().any(|end| path.ends_with(end)) && !path.starts_with("fuzz/corpus/")
}

/// A complaint when `text` has more than `most` lines.
pub(crate) fn too_long(path: &str, text: &str, most: usize) -> Option<String> {
    let lines = text.lines().count();
    (lines > most).then(|| format!("{path} has {lines} lines, at most {most}: split it"))
}

/// Lines that name a folder which exists on one machine only.
pub(crate) fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // Spelled in two halves, so that this file does not break its own rule.
    let folders = [["/ro", "ot/"], ["/ho", "me/"], ["/wo", "rk/"]].map(|halves| halves.concat());
    let named = |line: &str| {
        folders.iter().any(|folder| {
            line.match_indices(folder.as_str()).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}".contains(c)))
        })
    };
    text.lines().enumerate().filter(|(_, line)| named(line)).map(|(n, line)| format!("{path}:{}: {}", n + 1, line.trim())).collect()
}

#[test]
fn a_file_at_the_line_limit_passes_and_one_past_it_does_not() {
    assert_eq!(too_long("x", &"a\n".repeat(3), 3), None);
    assert!(too_long("x", &"a\n".repeat(4), 3).is_some());
}

#[test]
fn a_machine_path_is_found_and_a_url_or_a_longer_word_is_not() {
    let home = ["/ho", "me/"].concat();
    assert_eq!(machine_paths("x", &format!("a\ncp {home}me/file .")), [format!("x:2: cp {home}me/file .")]);
    for fine in [format!("https://example.com{home}x"), "the house/work".to_owned(), "target/work.rs".to_owned()] {
        assert!(machine_paths("x", &fine).is_empty(), "{fine}");
    }
}
