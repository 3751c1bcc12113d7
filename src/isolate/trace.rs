//! Stacks as the caller reads them: in terms of the sources that were sent, without the host's own frames.

use super::loader::{ArtifactLoader, SCHEME};
use cordon_ops::interrupt::Frame;
use deno_core::sourcemap::SourceMap;
use std::fmt::Write as _;

/// The stack of a run that was interrupted, one line per frame; none when no guest code was running.
pub(super) fn of_frames(frames: &[Frame], loader: &ArtifactLoader) -> Option<String> {
    let mut stack = String::new();
    for frame in frames {
        let (line, column) = mapped(frame, loader);
        let script = frame.script.trim_start_matches(SCHEME);
        let place = format!("{script}:{line}:{column}");
        let separator = if stack.is_empty() { "" } else { "\n" };
        // Writing to a string does not fail.
        let _ = match frame.function.as_str() {
            "" => write!(stack, "{separator}    at {place}"),
            function => write!(stack, "{separator}    at {function} ({place})"),
        };
    }
    (!stack.is_empty()).then_some(stack)
}

/// Where `frame` is in the source that was sent.
fn mapped(frame: &Frame, loader: &ArtifactLoader) -> (u32, u32) {
    let unmoved = (frame.line, frame.column);
    let Some(map) = loader.source_map(&frame.script) else { return unmoved };
    let Ok(map) = SourceMap::from_slice(map.as_bytes()) else { return unmoved };
    match map.lookup_token(frame.line.saturating_sub(1), frame.column.saturating_sub(1)) {
        Some(token) => (token.get_src_line() + 1, token.get_src_col() + 1),
        None => unmoved,
    }
}

/// The stack text of an error, without frames of the host's scripts and without the private scheme.
pub(super) fn of_text(stack: &str) -> Option<String> {
    let kept: Vec<_> = stack.lines().filter(|line| !is_host_frame(line)).map(|line| line.replace(SCHEME, "")).collect();
    let text = kept.join("\n");
    (!text.is_empty()).then_some(text)
}

/// A log line as the caller reads it: where it holds a stack, without frames of the host's scripts and without the private scheme.
pub(super) fn of_log(message: String) -> String {
    let is_frame = |line: &str| line.trim_start().starts_with("at ");
    if !message.contains("\n") || !message.lines().any(|line| is_frame(line) && (is_host_frame(line) || line.contains(SCHEME))) {
        return message;
    }
    let kept = message.lines().filter(|line| !is_host_frame(line));
    let lines: Vec<_> = kept.map(|line| if is_frame(line) { line.replace(SCHEME, "") } else { line.to_owned() }).collect();
    lines.join("\n")
}

/// True for `    at f (ext:…)`, `    at async f (ext:…)` and `    at ext:…`.
fn is_host_frame(line: &str) -> bool {
    let Some(frame) = line.trim_start().strip_prefix("at ") else { return false };
    frame.starts_with("ext:") || frame.starts_with("async ext:") || frame.contains("(ext:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_frames_and_the_private_scheme_are_left_out_of_a_stack() {
        let stack = "Error: at ext: it\n    at f (artifact:/lib/a.ts:1:2)\n    at async invoke (ext:cordon/run.js:1:1)\n    at ext:x.js:1:1\n    at artifact:/main.ts:3:4";
        assert_eq!(of_text(stack).as_deref(), Some("Error: at ext: it\n    at f (lib/a.ts:1:2)\n    at main.ts:3:4"));
        assert_eq!(of_text(""), None);
    }

    #[test]
    fn a_stack_in_a_log_line_is_told_like_an_errors_and_other_text_is_left_alone() {
        let trace = "Trace: x\n    at Object.trace (ext:cordon/console.js:59:9)\n    at artifact:/main.js:1:9";
        assert_eq!(of_log(trace.to_owned()), "Trace: x\n    at main.js:1:9");
        for text in ["artifact:/main.js", "a\nartifact:/x", "one line at ext:", "a\n    at home"] {
            assert_eq!(of_log(text.to_owned()), text);
        }
    }

    #[test]
    fn an_interrupted_stack_is_written_like_an_errors() {
        let frame = |function: &str| Frame { function: function.into(), script: "artifact:/main.ts".into(), line: 3, column: 4 };
        let loader = ArtifactLoader::default();
        let text = of_frames(&[frame("spin"), frame("")], &loader);
        assert_eq!(text.as_deref(), Some("    at spin (main.ts:3:4)\n    at main.ts:3:4"));
        assert_eq!(of_frames(&[], &loader), None);
    }
}
