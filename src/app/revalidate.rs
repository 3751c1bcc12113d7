//! `cordon revalidate`: a running server gathers stale evidence again. It takes cells, so it is the server's to do.

use super::cli::Revalidate;
use super::failure::Failure;
use super::local::{self, Target, print_line};
use super::once::one_line;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// How long the server may take: it runs contract cases of each artifact whose evidence is stale.
const WAIT: Duration = Duration::from_secs(3600);

/// Prints what became of each artifact above tier 0; exit code 1 when the evidence of one does not suffice.
pub(super) fn revalidate(options: &Revalidate, json: bool) -> Result<ExitCode, Failure> {
    let server = match local::target(&options.reach)? {
        Target::Server(server) => server.patiently(WAIT),
        Target::Folder(folder) => {
            let message = format!("no server uses {}", folder.display());
            return Err(Failure::bad_use(message, "start one with `cordon serve`, or name its operator listener with --operator"));
        }
    };
    let body = options.artifact.map(|artifact| json!({ "artifact": artifact }));
    let told = server.ask("POST", "/v1/revalidate", body.as_ref())?;
    print_line(&if json { told.to_string() } else { text(&told) })?;
    let failed = told["failed"].as_array().is_some_and(|failed| !failed.is_empty());
    Ok(if failed { ExitCode::from(super::NO) } else { ExitCode::SUCCESS })
}

/// A line for each artifact, and the sum.
fn text(told: &Value) -> String {
    let all = |name: &str| told[name].as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().map(one_line).unwrap_or_default();
    let (fresh, again, failed) = (all("fresh"), all("revalidated"), all("failed"));
    let mut lines: Vec<String> = fresh.iter().map(|id| format!("fresh        {}", word(id))).collect();
    lines.extend(again.iter().map(|id| format!("revalidated  {}", word(id))));
    lines.extend(failed.iter().map(|row| format!("FAILED       {}: {}", word(&row[0]), word(&row[1]))));
    lines.push(format!("{} fresh, {} revalidated, {} failed of what stands above tier 0", fresh.len(), again.len(), failed.len()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_artifact_has_its_line_and_none_can_make_two() {
        let told = json!({"fresh": ["a"], "revalidated": ["b", "c"], "failed": [["d", "no\nfresh \u{1b}[31m"]]});
        let expected = "fresh        a\nrevalidated  b\nrevalidated  c\nFAILED       d: no fresh \u{fffd}[31m\n\
                        1 fresh, 2 revalidated, 1 failed of what stands above tier 0";
        assert_eq!(text(&told), expected);
        assert_eq!(text(&json!({})), "0 fresh, 0 revalidated, 0 failed of what stands above tier 0");
    }
}
