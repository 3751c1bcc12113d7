//! Keeps the house tidy: floors, foreign libraries, pins, notices and pages stay as the documents draw them.
//!
//! Uses only what reads text, never the `cordon` library, so that V8 is not linked into this binary.
//! Each rule is a function over text in `tests/tidy/`, with examples that break it beside it.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/pins.rs"]
mod pins;
#[path = "tidy/rooms.rs"]
mod rooms;

use files::{read, root, tracked};

/// The folders and files that may stand at the top: what DESIGN's house has, and nothing that came to stay by accident.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitattributes",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "SPECIFICATION.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "deny.toml",
    "docs",
    "fuzz",
    "js",
    "ops",
    "policies",
    "rustfmt.toml",
    "src",
    "tests",
    "third_party",
];

/// Longest Rust or JavaScript file of ours, in lines.
const LINES_MAX: usize = 400;

/// Fails with one line per complaint.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaint(s):\n  {}", complaints.len(), complaints.join("\n  "));
}

/// Every Rust file below `folder`, as path and code without comments and literals.
fn rust_below(folder: &str) -> Vec<(String, String)> {
    let rust = tracked().into_iter().filter(|path| path.starts_with(folder) && path.ends_with(".rs"));
    rust.map(|path| (code::code_of(&read(&path)), path)).map(|(code, path)| (path, code)).collect()
}

#[test]
fn a_room_names_only_rooms_on_lower_floors() {
    let sources = rust_below("src/");
    assert!(sources.iter().any(|(path, _)| path.starts_with("src/model/")), "the walk finds the house");
    none(sources.iter().flat_map(|(path, code)| rooms::climbs(path, code)).collect());
}

#[test]
fn each_foreign_library_is_named_only_in_its_rooms() {
    none(rust_below("src/").iter().flat_map(|(path, code)| rooms::strangers(path, code)).collect());
}

#[test]
fn the_rooms_of_plain_decisions_know_no_v8() {
    let sources = [rust_below("src/"), rust_below("ops/src/")].concat();
    none(sources.iter().flat_map(|(path, code)| rooms::v8_where_it_must_not_be(path, code)).collect());
}

#[test]
fn unsafe_stays_in_the_fenced_module_and_the_ops() {
    none(rust_below("").iter().flat_map(|(path, code)| rooms::unsafe_outside_its_fence(path, code)).collect());
}

#[test]
fn only_known_files_and_folders_stand_at_the_top() {
    let stray = tracked().into_iter().filter_map(|path| path.split('/').next().map(str::to_owned));
    let mut stray: Vec<String> = stray.filter(|top| !TOP.contains(&top.as_str())).collect();
    stray.dedup();
    none(stray.into_iter().map(|top| format!("`{top}` is not on the list in tests/tidy.rs")).collect());
}

#[test]
fn no_file_of_ours_is_too_long_to_read() {
    let ours = |path: &String| {
        ["src/", "ops/", "js/"].iter().any(|folder| path.starts_with(folder)) && [".rs", ".js", ".ts"].iter().any(|end| path.ends_with(end))
    };
    none(tracked().into_iter().filter(ours).filter_map(|path| files::too_long(&path, &read(&path), LINES_MAX)).collect());
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let own = tracked().into_iter().filter(|path| !path.starts_with("tests/corpus/") && files::is_text(path));
    none(own.flat_map(|path| files::machine_paths(&path, &read(&path))).collect());
}

#[test]
fn exactly_one_v8_of_the_pinned_set_is_in_the_tree() {
    none(pins::wrong_pins(&read("Cargo.lock")));
}

#[test]
fn every_direct_dependency_has_its_one_reason() {
    let manifests = tracked().into_iter().filter(|path| path.ends_with("Cargo.toml")).map(|path| read(&path));
    none(pins::unexplained(&manifests.collect::<Vec<_>>(), &read("deny.toml")));
}

#[test]
fn the_v8_archive_is_the_one_whose_checksum_is_kept() {
    let folder = root().join("third_party/v8");
    none(pins::wrong_checksums(&read("third_party/v8/SHA256SUMS"), |name| std::fs::read(folder.join(name)).ok()));
}

#[test]
fn every_notice_that_the_archive_owes_is_beside_it() {
    let present: Vec<String> =
        tracked().into_iter().filter_map(|path| path.strip_prefix("third_party/v8/licenses/").map(str::to_owned)).collect();
    none(pins::missing_notices(&read("third_party/v8/README.md"), &present));
}

#[test]
fn every_relative_link_leads_somewhere() {
    let markdown = tracked().into_iter().filter(|path| path.ends_with(".md"));
    none(markdown.flat_map(|path| pages::broken_links(&path, &read(&path), |target| root().join(target).exists())).collect());
}

#[test]
fn every_metric_that_a_page_names_exists() {
    let telemetry: String = tracked().iter().filter(|path| path.starts_with("src/telemetry")).map(|path| read(path)).collect();
    let markdown = tracked().into_iter().filter(|path| path.ends_with(".md"));
    none(markdown.flat_map(|path| pages::unknown_metrics(&path, &read(&path), &telemetry)).collect());
}

#[test]
fn every_promise_names_what_holds_it_or_says_pending() {
    let rust: String = tracked().iter().filter(|path| path.ends_with(".rs")).map(|path| read(path)).collect();
    let known = |name: &str| root().join(name).exists() || rust.contains(&format!("fn {name}("));
    none(pages::unheld_promises(&read("SPECIFICATION.md"), known));
}

#[test]
fn the_changelog_has_a_place_for_what_is_not_released() {
    none(pages::changelog_gaps(&read("CHANGELOG.md")));
}
