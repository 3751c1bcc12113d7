//! Why intake refuses a source: facts and the mend, and the place in the text as it was sent.

use super::place;
use crate::model::frame::Rejection;
use crate::model::{Denial, Location};

/// Longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// Longest piece of the source that a message repeats, in characters.
const QUOTE_CHARS_MAX: usize = 200;

/// Caused by the caller's source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It does not parse, or breaks a rule that a JavaScript engine checks before it runs anything.
    #[error("{message}")]
    Syntax {
        /// The parser's words.
        message: String,
        /// The parser's advice.
        help: Option<String>,
    },
    /// The text of a JSON block is no value, and the parser does not say why.
    #[error("the text is not one value")]
    NoExpression,
    /// `return` at the top of a module that exports something.
    #[error("`return` stands outside of every function, in a module that has exports")]
    StrayReturn,
    /// Its syntax nests deeper than intake follows.
    #[error("the syntax nests more than {steps} levels deep, or chains more than {links} operators, calls or members")]
    TooDeep {
        /// The limit on nesting.
        steps: u32,
        /// The limit on chains.
        links: u32,
    },
    /// A decorator.
    #[error("decorators are not supported")]
    Decorator,
    /// A JSX element.
    #[error("JSX is not supported")]
    Jsx,
    /// `accessor` in a class.
    #[error("the `accessor` keyword is not supported")]
    AutoAccessor,
    /// `import x = require()` or `export =`.
    #[error("`{0}` belongs to CommonJS; modules here are ECMAScript modules")]
    CommonJs(&'static str),
    /// `with { … }` on an import or re-export.
    #[error("import attributes are not supported")]
    Attributes,
    /// `import defer` or `import source`.
    #[error("`import {0}` is not supported")]
    Phase(&'static str),
    /// An import that no module of the artifact answers.
    #[error("`{specifier}` is not a module of this artifact")]
    Import {
        /// What was asked for.
        specifier: String,
        /// A module that may have been meant, as a specifier.
        meant: Option<String>,
    },
    /// Several fenced blocks of code.
    #[error("the text has {0} fenced code blocks, and which of them to run is not clear")]
    SeveralFences(usize),
    /// Fenced blocks, but none of JavaScript or TypeScript.
    #[error("the fenced block is marked `{0}`, which is neither JavaScript nor TypeScript")]
    ForeignFence(String),
    /// A fenced block in a quote that cannot be taken out of it.
    #[error("the fenced block stands in a quote (`>`), and {0}")]
    QuotedFence(&'static str),
    /// The main module is missing.
    #[error("the main module `{0}` is not among the modules")]
    NoMain(String),
    /// A module whose name does not say what it is.
    #[error("module `{0}` has no known kind")]
    Kind(String),
    /// `export let` or `export var` in a namespace.
    #[error("a namespace exports a variable that is not a `const`, which is not supported")]
    NamespaceVariable,
    /// What comes out is longer than the artifact may come back.
    #[error(
        "as prepared, with its source map, the source is {bytes} bytes long, {times} times its length as sent; at most {most} bytes are accepted"
    )]
    Grown {
        /// How long it is.
        bytes: u64,
        /// The cap.
        most: u64,
        /// How many times as long as it was sent.
        times: u64,
    },
    /// TypeScript that cannot be turned into JavaScript.
    #[error("this TypeScript cannot be turned into JavaScript: {0}")]
    Untransformable(String),
}

impl Refusal {
    /// What would help.
    fn remediation(&self) -> String {
        match self {
            Self::Syntax { help: Some(help), .. } => help.clone(),
            Self::Syntax { help: None, .. } => "Correct the syntax at this place and send the source again.".to_owned(),
            Self::NoExpression => "Put one JSON value into the block.".to_owned(),
            Self::StrayReturn => {
                "Put the code that returns into the exported function, or remove the `export`s: a bare snippet may `return` its result."
                    .to_owned()
            }
            Self::TooDeep { .. } => {
                "Flatten the source: build deep structures at run time, or split the expression into named parts.".to_owned()
            }
            Self::Decorator => "Replace the decorator by a plain function call: wrap the class or method explicitly.".to_owned(),
            Self::Jsx => "Write the markup as a string or as function calls.".to_owned(),
            Self::AutoAccessor => "Write a private field with a getter and a setter.".to_owned(),
            Self::CommonJs(_) => "Use `import … from \"./module.ts\"` and `export default …`.".to_owned(),
            Self::Attributes => "Remove the `with { … }` clause; put data into a module that exports it.".to_owned(),
            Self::Phase(_) => "Use a plain `import`.".to_owned(),
            Self::Import { meant: Some(meant), .. } => format!("Name the module exactly, with its ending: `{meant}`."),
            Self::Import { meant: None, .. } => {
                "Import only modules of the artifact by a relative path with its ending, such as `./lib.ts`, and put what is needed \
                 into `modules`; packages, URLs and built-in modules do not exist here. For types alone use `import type`."
                    .to_owned()
            }
            Self::SeveralFences(_) => "Send one block of code, or the code without Markdown around it.".to_owned(),
            Self::ForeignFence(_) => "Send JavaScript or TypeScript, fenced as ```js or ```ts or not at all.".to_owned(),
            Self::QuotedFence(_) => "Send the code without the `>` before its lines.".to_owned(),
            Self::NoMain(_) => "Add the main module to `modules`, or name another one in `mainModule`.".to_owned(),
            Self::Kind(_) => "End the module's name with .js, .mjs, .ts or .mts.".to_owned(),
            Self::NamespaceVariable => {
                "Export a `const`, or keep the variable to the namespace and export functions that read and set it.".to_owned()
            }
            Self::Grown { .. } => {
                "Use shorter names, fewer enum members and less nesting: an enum's names are printed several times each, and every level indents."
                    .to_owned()
            }
            Self::Untransformable(_) => {
                "Use another construct; enums, namespaces with constant exports and parameter properties are supported.".to_owned()
            }
        }
    }

    /// The capability that was asked for in vain.
    fn denial(&self) -> Option<Denial> {
        let Self::Import { specifier, .. } = self else { return None };
        Some(Denial {
            capability: "module".to_owned(),
            target: plain(specifier, QUOTE_CHARS_MAX),
            rule: "module.own-only".to_owned(),
            reason: plain(&self.to_string(), MESSAGE_CHARS_MAX),
            remediation: plain(&self.remediation(), MESSAGE_CHARS_MAX),
        })
    }

    /// The refusal at byte `offset` of `source`, which is module `file`.
    pub(super) fn at(self, file: &str, source: &str, offset: usize) -> Rejection {
        let (line, column) = place::of_offset(source, offset);
        let location = Location { file: file.to_owned(), line, column };
        Rejection { location: Some(location), ..self.nowhere() }
    }

    /// The refusal of something that has no place in a source.
    pub(super) fn nowhere(self) -> Rejection {
        Rejection {
            message: plain(&self.to_string(), MESSAGE_CHARS_MAX),
            remediation: plain(&self.remediation(), MESSAGE_CHARS_MAX),
            location: None,
            denial: self.denial(),
        }
    }
}

/// A specifier, cut to what a message repeats.
pub(super) fn quoted(text: &str) -> String {
    plain(text, QUOTE_CHARS_MAX)
}

/// `text` without control characters, at most `most` characters long; what is cut off leaves an ellipsis.
fn plain(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    match text.char_indices().nth(most) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(most - 1).map(clean).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_cap_and_carries_no_control_characters() {
        let refuse = |message: String| Refusal::Syntax { message, help: None }.nowhere().message;
        assert_eq!(refuse("x".repeat(500)), "x".repeat(500));
        assert_eq!(refuse("x".repeat(501)), format!("{}…", "x".repeat(499)));
        assert_eq!(refuse("\u{1b}[31m\0red\n".into()), "\u{fffd}[31m\u{fffd}red\u{fffd}");
    }

    #[test]
    fn only_an_import_asks_for_a_capability() {
        let import = Refusal::Import { specifier: "node:fs".into(), meant: None }.at("main.ts", "\n  import", 3);
        let denial = import.denial.expect("an import is a denial");
        assert_eq!((denial.capability.as_str(), denial.target.as_str(), denial.rule.as_str()), ("module", "node:fs", "module.own-only"));
        assert_eq!(import.location, Some(Location { file: "main.ts".into(), line: 2, column: 3 }));
        assert_eq!(Refusal::Jsx.nowhere().denial, None);
    }
}
