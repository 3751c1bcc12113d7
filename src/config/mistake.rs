//! Mistakes in an operator's files, flags and variables: collected, then told all at once, each with its place and its mend.

use serde::Serialize;
use std::cell::RefCell;
use std::fmt;

/// Most mistakes that are kept; a file with more is told about the first ones and the number of the rest.
const MISTAKES_MAX: usize = 100;

/// A place in a file, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The line that a mistake is on, for showing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The line's text, control characters replaced, cut to a readable length.
    pub text: String,
    /// How many characters of it are meant, at least 1.
    pub width: u32,
}

/// One mistake. Caused by the operator who wrote the file, the flag or the variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mistake {
    /// The file as it was named, or the flag (`--listen`) or variable (`CORDON_LISTEN`).
    pub file: String,
    /// Where in the file; absent for flags, variables and files that cannot be read.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: String,
    /// The line it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
}

impl Mistake {
    /// A mistake that has no place inside a file.
    /// Control characters in names and messages, which may come from the file, are replaced: they would reach a terminal.
    pub fn of(file: impl AsRef<str>, message: impl AsRef<str>, mend: impl Into<String>) -> Self {
        let plain = |text: &str| text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
        Self { file: plain(file.as_ref()), position: None, message: plain(message.as_ref()), mend: mend.into(), excerpt: None }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        match self.position {
            Some(Position { line, column }) => writeln!(f, "  --> {}:{line}:{column}", self.file)?,
            None => writeln!(f, "  --> {}", self.file)?,
        }
        if let (Some(Position { line, column }), Some(excerpt)) = (self.position, &self.excerpt) {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            let indent = " ".repeat((column as usize).saturating_sub(1).min(excerpt.text.chars().count()));
            let marks = "^".repeat(excerpt.width as usize);
            writeln!(f, " {margin} |\n {number} | {}\n {margin} | {indent}{marks}", excerpt.text)?;
        }
        write!(f, "  mend: {}", self.mend)
    }
}

/// Every mistake that was found, in the order of file and place. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfigErrors(Vec<Mistake>);

impl ConfigErrors {
    /// The mistakes.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }

    /// These mistakes and then those of `others`: for callers that load several things and want to tell of all at once.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

impl From<Mistake> for ConfigErrors {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.0 {
            write!(f, "{mistake}\n\n")?;
        }
        match self.0.len() {
            1 => write!(f, "1 mistake in the configuration"),
            count => write!(f, "{count} mistakes in the configuration"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects mistakes while reading goes on.
#[derive(Debug, Default)]
pub struct Mistakes(RefCell<Collected>);

#[derive(Debug, Default)]
struct Collected {
    kept: Vec<Mistake>,
    dropped: usize,
}

impl Mistakes {
    /// Notes a mistake; past a hundred they are only counted.
    pub fn note(&self, mistake: Mistake) {
        let mut collected = self.0.borrow_mut();
        if collected.kept.len() < MISTAKES_MAX {
            collected.kept.push(mistake);
        } else {
            collected.dropped += 1;
        }
    }

    /// How many mistakes there are so far.
    pub fn count(&self) -> usize {
        let collected = self.0.borrow();
        collected.kept.len() + collected.dropped
    }

    /// `value` when nothing was wrong, every mistake otherwise.
    pub fn none_or<T>(self, value: T) -> Result<T, ConfigErrors> {
        let Collected { mut kept, dropped } = self.0.into_inner();
        if kept.is_empty() {
            return Ok(value);
        }
        kept.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
        if dropped > 0 {
            kept.push(Mistake::of("(more)", format!("{dropped} more mistakes are not shown"), "mend the ones above first"));
        }
        Err(ConfigErrors(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(number: u32) -> Mistake {
        Mistake { position: Some(Position { line: number, column: 1 }), ..Mistake::of("a.toml", format!("wrong {number}"), "mend it") }
    }

    #[test]
    fn mistakes_are_told_in_the_order_of_the_file_with_place_and_mend() {
        let mistakes = Mistakes::default();
        mistakes.note(mistake(7));
        mistakes.note(Mistake { excerpt: Some(Excerpt { text: "x = 1".into(), width: 3 }), ..mistake(2) });
        let errors = mistakes.none_or(()).expect_err("two mistakes");
        let text = errors.to_string();
        assert!(
            text.starts_with("error: wrong 2\n  --> a.toml:2:1\n   |\n 2 | x = 1\n   | ^^^\n  mend: mend it\n\nerror: wrong 7"),
            "{text}"
        );
        assert!(text.ends_with("2 mistakes in the configuration"), "{text}");
    }

    #[test]
    fn past_a_hundred_mistakes_the_rest_is_counted() {
        for (noted, told) in [(100, 100), (101, 101), (250, 101)] {
            let mistakes = Mistakes::default();
            (0..noted).for_each(|number| mistakes.note(mistake(number)));
            assert_eq!(mistakes.count(), noted as usize);
            let errors = mistakes.none_or(()).expect_err("mistakes");
            assert_eq!(errors.mistakes().len(), told, "{noted}");
        }
    }

    #[test]
    fn what_a_file_says_cannot_steer_the_terminal_that_shows_its_mistakes() {
        let shown = Mistake::of("a\u{1b}[31m.toml", "`\u{1b}]0;x\u{7}\n` is wrong", "mend it").to_string();
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n') && shown.lines().count() == 3, "{shown:?}");
    }

    #[test]
    fn no_mistake_gives_the_value() {
        assert_eq!(Mistakes::default().none_or(5), Ok(5));
    }
}
