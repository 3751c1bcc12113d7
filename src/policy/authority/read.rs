//! Reads `*.cedar` files: every mistake in every file, and the policies by the ids that their annotations give them.

use super::depth::too_deep;
use crate::config::{Document, Mistake, Mistakes};
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use std::ops::Range;

/// Most policies over all files. Source: `policy/decide` in `benches/parts.rs` asks 300; more than three times that is an accident.
pub(super) const POLICIES_MAX: usize = 1000;
/// Longest id of a policy, in characters: ids go into every decision log entry.
pub(super) const ID_CHARS_MAX: usize = 100;

/// A policy as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// Its id, from `@id("…")`.
    pub id: String,
    /// The file as messages name it.
    pub file: String,
    /// The line that it starts on, from 1.
    pub line: u32,
    /// The comment right before it, without its slashes; empty when there is none. A blank line parts it from what is not meant.
    pub comment: String,
    /// Its text, annotations included, comments before it not.
    pub text: String,
}

/// What the files hold.
#[derive(Default)]
pub(super) struct Found {
    /// The policies, renamed to their ids, in the order of files and lines.
    pub(super) policies: Vec<(Policy, PolicyText)>,
    /// What the validator finds odd and does not refuse.
    pub(super) warnings: Vec<Mistake>,
}

/// Reads all of `documents`; what is wrong goes to `mistakes`, and then what is found must not be used.
pub(super) fn read(documents: &[Document], schema: &Schema, mistakes: &Mistakes) -> Found {
    let validator = Validator::new(schema.clone());
    let mut found = Found::default();
    for document in documents {
        if let Some(deep) = too_deep(document.text()) {
            mistakes.note(document.mistake(deep.at, deep.message, "split the policy, or write a list"));
            continue;
        }
        match document.text().parse::<PolicySet>() {
            Ok(set) => File { document, validator: &validator, mistakes }.read(&set, &mut found),
            Err(errors) => errors.iter().for_each(|error| mistakes.note(syntax(document, error))),
        }
    }
    if found.policies.len() > POLICIES_MAX {
        let message = format!("there are {} policies", found.policies.len());
        mistakes.note(Mistake::of("(policies)", message, format!("keep it to {POLICIES_MAX} over all files")));
    }
    found
}

fn syntax(document: &Document, error: &impl Diagnostic) -> Mistake {
    document.mistake(span_of(error), format!("this is not Cedar: {error}"), mend_of(error, "correct the syntax here"))
}

/// One file that is being read.
struct File<'a> {
    document: &'a Document,
    validator: &'a Validator,
    mistakes: &'a Mistakes,
}

impl File<'_> {
    fn read(&self, set: &PolicySet, found: &mut Found) {
        for template in set.templates() {
            let span = template.as_ref().loc().map_or(0..0, |loc| loc.start()..loc.end());
            let message = "a template (`?principal` or `?resource`) is not supported: nothing here links it";
            self.note(span, message, "write one policy for each principal or resource that is meant");
        }
        // The parser keeps policies in no order.
        let mut placed: Vec<_> =
            set.policies().map(|policy| (policy.as_ref().loc().map_or(0..0, |loc| loc.start()..loc.end()), policy)).collect();
        placed.sort_by_key(|(span, _)| span.start);
        for (span, policy) in placed {
            let (policy, text) = self.named(span.clone(), policy);
            if let Some((_, first)) = found.policies.iter().find(|(_, other)| other.id == text.id) {
                let message = format!("the id `{}` is that of the policy at {}:{} too", text.id, first.file, first.line);
                self.note(span.start..span.start, message, "give every policy an id of its own");
            }
            self.validate(&policy, &text, found);
            found.policies.push((policy, text));
        }
    }

    /// `policy` under the id of its annotation; without a usable one that is noted, and its place stands for it.
    fn named(&self, span: Range<usize>, policy: &Policy) -> (Policy, PolicyText) {
        let (file, line) = (self.document.name().to_owned(), self.document.line_at(span.start));
        let wrong = |message: String| {
            let mend = format!("add @id(\"…\") before the policy, of 1 to {ID_CHARS_MAX} letters, digits and the signs - _ . : /");
            self.note(span.start..span.start, message, mend);
            format!("({file}:{line})")
        };
        let id = match policy.annotation("id") {
            Some(id) if is_id(id) => id.to_owned(),
            Some(id) => wrong(format!("`{}` is no id of a policy", id.chars().take(ID_CHARS_MAX).collect::<String>())),
            None => wrong("the policy has no id".to_owned()),
        };
        let comment = comment_before(self.document.text().get(..span.start).unwrap_or_default());
        let text = self.document.text().get(span).unwrap_or_default().to_owned();
        (policy.new_id(PolicyId::new(&id)), PolicyText { id, file, line, comment, text })
    }

    fn validate(&self, policy: &Policy, text: &PolicyText, found: &mut Found) {
        let set = match PolicySet::from_policies([policy.clone()]) {
            Ok(set) => set,
            Err(error) => return self.mistakes.note(Mistake::of(&text.file, error.to_string(), "report this as a defect")),
        };
        let result = self.validator.validate(&set, ValidationMode::Strict);
        for error in result.validation_errors() {
            self.note(span_of(error), error.to_string(), mend_of(error, FITS));
        }
        for warning in result.validation_warnings() {
            found.warnings.push(self.document.mistake(span_of(warning), warning.to_string(), mend_of(warning, FITS)));
        }
    }

    fn note(&self, span: Range<usize>, message: impl AsRef<str>, mend: impl Into<String>) {
        self.mistakes.note(self.document.mistake(span, message, mend));
    }
}

/// The mend of what the schema does not allow, when Cedar has none.
const FITS: &str = "write what the schema has: policies/cordon.cedarschema";

/// The lines of comment at the end of `text`.
fn comment_before(text: &str) -> String {
    let before = text.trim_end_matches([' ', '\t']);
    let mut lines: Vec<&str> = before.lines().rev().map_while(|line| line.trim_start().strip_prefix("//")).map(str::trim).collect();
    lines.reverse();
    lines.join(" ")
}

fn is_id(id: &str) -> bool {
    let fits = (1..=ID_CHARS_MAX).contains(&id.len());
    fits && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
}

/// The bytes that `error` is about; the start of the file when it does not tell.
fn span_of(error: &impl Diagnostic) -> Range<usize> {
    let label = error.labels().and_then(|mut labels| labels.next());
    label.map_or(0..0, |label| label.offset()..label.offset() + label.len())
}

fn mend_of(error: &impl Diagnostic, otherwise: &str) -> String {
    // Cedar's help may quote the file.
    let plain = |help: String| help.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    error.help().map_or_else(|| otherwise.to_owned(), |help| plain(help.to_string()))
}
