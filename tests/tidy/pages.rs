//! What the pages claim about the project.

use std::path::{Component, Path, PathBuf};

/// Names that start like a metric and are none.
const NO_METRICS: &[&str] = &["cordon_ops"];

/// Relative links of `page` (its path and text) whose target is not there.
pub(crate) fn broken_links(page: &str, text: &str, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:"));
    let files = relative.filter_map(|target| target.split('#').next()).filter(|file| !file.is_empty());
    files.filter(|file| !exists(&plain(&folder.join(file)))).map(|file| format!("{page} links to {file}, which is not there")).collect()
}

/// `path` with `..` taken away by name.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

/// Metrics that `page` names and `telemetry`, the source of that room, does not.
pub(crate) fn unknown_metrics(page: &str, text: &str, telemetry: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = text.split(|c| !word(c)).filter(|name| name.starts_with("cordon_") && !name.ends_with('_') && !NO_METRICS.contains(name));
    let mut unknown: Vec<String> = names
        .filter(|name| {
            let series = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            !telemetry.contains(&format!("\"{name}\"")) && !telemetry.contains(&format!("\"{series}\""))
        })
        .map(|name| format!("{page} names `{name}`, which src/telemetry does not"))
        .collect();
    unknown.sort();
    unknown.dedup();
    unknown
}

/// Rows of the specification's tables whose last cell neither says *pending* nor names only things that exist.
pub(crate) fn unheld_promises(text: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && !["| promise", "| ---"].iter().any(|head| line.starts_with(head))).collect();
    if rows.is_empty() {
        return vec!["SPECIFICATION.md has no row".to_owned()];
    }
    let unheld = rows.into_iter().filter_map(|row| {
        let holder = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let names: Vec<&str> = holder.split('`').skip(1).step_by(2).collect();
        let gone: Vec<&str> = names.iter().copied().filter(|name| !known(name)).collect();
        match (names.is_empty(), gone.is_empty()) {
            (true, _) if holder.contains("*pending*") => None,
            (false, true) => None,
            (true, _) => Some(format!("nothing holds: {row}")),
            (false, false) => Some(format!("{} does not exist: {row}", gone.join(", "))),
        }
    });
    unheld.collect()
}

/// What a changelog in the manner of Keep a Changelog lacks.
pub(crate) fn changelog_gaps(text: &str) -> Vec<String> {
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    let open =
        (!has("## [Unreleased]") && !has("## [0.1.0]")).then(|| "CHANGELOG.md has neither an Unreleased nor a 0.1.0 section".to_owned());
    let kinds = (!["### Added", "### Changed", "### Fixed", "### Removed", "### Security"].iter().any(|kind| has(kind)))
        .then(|| "CHANGELOG.md lists no kind of change".to_owned());
    open.into_iter().chain(kinds).collect()
}

#[test]
fn a_link_to_nothing_is_found_and_a_link_elsewhere_is_not_judged() {
    let exists = |path: &Path| path == Path::new("docs/a.md") || path == Path::new("b.md");
    assert!(broken_links("docs/x.md", "[a](a.md#part) [b](../b.md) [c](https://c) [d](#d)", exists).is_empty());
    assert_eq!(broken_links("docs/x.md", "[a](b.md) [b](../a.md)", exists).len(), 2);
}

#[test]
fn a_metric_that_nobody_counts_is_found() {
    let telemetry = r#"counter("cordon_runs_total"); histogram("cordon_run_cpu_seconds")"#;
    assert!(unknown_metrics("x", "`cordon_runs_total{tier}` `cordon_run_cpu_seconds_bucket` cordon_ops cordon_", telemetry).is_empty());
    assert_eq!(unknown_metrics("x", "`cordon_run_total` and cordon_run_total", telemetry).len(), 1);
}

#[test]
fn a_promise_that_nothing_holds_is_found() {
    let known = |name: &str| name == "a_test" || name == "benches/load.py";
    assert!(
        unheld_promises(
            "| promise | number | held by |\n|---|---|---|\n| x | 1 | `a_test`, `benches/load.py` |\n| y | 2 | *pending* |",
            known
        )
        .is_empty()
    );
    assert_eq!(unheld_promises("| x | `1` | |", known).len(), 1);
    assert_eq!(unheld_promises("| x | 1 | `gone_test` |", known).len(), 1);
    assert_eq!(unheld_promises("no table", known).len(), 1);
}

#[test]
fn a_changelog_without_sections_is_found() {
    assert!(changelog_gaps("# Changelog\n## [Unreleased]\n### Added\n- x").is_empty());
    assert_eq!(changelog_gaps("# Changelog").len(), 2);
}
