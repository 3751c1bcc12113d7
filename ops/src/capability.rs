//! The rights that guest code may lack, and how a refusal is worded. Plain data.

use crate::port::Refusal;

/// Longest target that a refusal quotes, in characters.
const TARGET_CHARS_MAX: usize = 200;

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// To import a module that is not one of the artifact's own.
    Module,
    /// To turn text into code.
    Codegen,
    /// To ask for more requests than the run may make.
    Egress,
}

impl Capability {
    /// The refusal of this right on `target`.
    pub fn refuse(self, target: &str) -> Refusal {
        let (capability, rule, reason, remediation) = match self {
            Self::Module => (
                "module",
                "module.own-only",
                "import() and import reach only the modules of the artifact itself",
                "send the module with the run, in `modules`, and import it by a relative path such as `./lib.ts`",
            ),
            Self::Codegen => (
                "codegen",
                "codegen.off",
                "text is never turned into code: eval, the Function constructors and timers that take a string are off",
                "write the code as a function of the module; for data use JSON.parse",
            ),
            Self::Egress => (
                "egress",
                "egress.sub-requests",
                "this run has asked for more requests than it may make",
                "make fewer requests per run, or ask the operator for a profile with more `sub_requests`",
            ),
        };
        Refusal { capability, target: shorten(target), rule, reason, remediation }
    }
}

/// `text`, cut after [`TARGET_CHARS_MAX`] characters with a visible mark.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(TARGET_CHARS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_quoted_whole_at_the_cap_and_cut_visibly_one_past_it() {
        let at = "x".repeat(200);
        assert_eq!(Capability::Module.refuse(&at).target, at);
        assert_eq!(Capability::Module.refuse(&format!("{at}y")).target, format!("{at}\u{2026}"));
    }
}
