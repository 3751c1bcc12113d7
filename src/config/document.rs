//! One file of an operator: read with a size cap, its places turned into lines and columns; when it is TOML, parsed with spans.

use super::mistake::{Excerpt, Mistake, Mistakes, Position};
use super::reader::Reader;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use toml::de::DeTable;

/// Largest file that is read, in bytes. Source: as many egress rules as a profile may have, with 400 bytes each. The grant of such a profile is
/// kept as JSON, at most twice as long and 250 bytes of defaults for each rule, so that it fits in one batch of the store.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Longest line that an excerpt shows, in characters.
const EXCERPT_CHARS_MAX: usize = 160;

/// A file's name and text.
#[derive(Debug)]
pub struct Document {
    name: String,
    text: String,
}

impl Document {
    /// A document of `text`, called `name` in messages.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The file at `path`; a file that cannot be read, is larger than 4 MiB or is not UTF-8 is a mistake.
    pub fn load(path: &Path, mistakes: &Mistakes) -> Option<Self> {
        let name = path.display().to_string();
        let wrong = |message: String, mend: &str| {
            mistakes.note(Mistake::of(&name, message, mend));
            None
        };
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            return wrong(format!("the file cannot be read: {error}"), "name a readable file");
        }
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return wrong(format!("the file is larger than {FILE_BYTES_MAX} bytes"), "check that this is the file you mean");
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(Self { name, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                wrong(format!("byte {at} is not UTF-8"), "save the file as UTF-8")
            }
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name as messages show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Parses the text as TOML and hands its top table to `read`. Syntax errors are noted, all of them, and then nothing is read.
    /// A key that `read` did not ask for is a mistake.
    pub fn read<T>(&self, mistakes: &Mistakes, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            mistakes.note(self.mistake(span, format!("this is not TOML: {}", error.message()), "correct the syntax here"));
        }
        errors.is_empty().then(|| Reader::top(self, mistakes, table.get_ref()).run(read))
    }

    /// A mistake at `span`, a range of bytes of the text.
    pub fn mistake(&self, span: Range<usize>, message: impl AsRef<str>, mend: impl Into<String>) -> Mistake {
        let (position, excerpt) = self.place(span);
        Mistake { position: Some(position), excerpt: Some(excerpt), ..Mistake::of(&self.name, message, mend) }
    }

    /// The line that the byte at `at` is on, from 1.
    pub fn line_at(&self, at: usize) -> u32 {
        self.place(at..at).0.line
    }

    /// Line and column of the byte `at`.
    pub(super) fn position(&self, at: usize) -> Position {
        self.place(at..at).0
    }

    fn place(&self, span: Range<usize>) -> (Position, Excerpt) {
        let start = floor_char_boundary(&self.text, span.start);
        let end = floor_char_boundary(&self.text, span.end.max(start));
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let indent = before.get(line_start..).unwrap_or_default().chars().count();
        let meant = self.text.get(start..end).and_then(|meant| meant.lines().next()).unwrap_or_default().chars().count();
        let shown = line.chars().take(EXCERPT_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let width = meant.min(EXCERPT_CHARS_MAX.saturating_sub(indent)).max(1);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (Position { line: clamped(lines), column: clamped(indent + 1) }, Excerpt { text: shown, width: clamped(width) })
    }
}

/// A count as `u32`: files are at most 4 MiB, so it always fits.
fn clamped(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The last character boundary of `text` at or before `at`.
fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let document = Document::new("x.toml", "a = 1\nnäme = \"ü\" # é\n");
        let at = document.text.find("\"ü\"").expect("it is there");
        let (position, excerpt) = document.place(at..at + "\"ü\"".len());
        assert_eq!((position, excerpt.width), (Position { line: 2, column: 8 }, 3));
        assert_eq!(excerpt.text, "näme = \"ü\" # é");
    }

    #[test]
    fn every_syntax_error_is_told_and_nothing_is_read() {
        let mistakes = Mistakes::default();
        let read = Document::new("x.toml", "a = \nb = 1\nc = [\n").read(&mistakes, |_| ());
        assert_eq!(read, None);
        assert!(mistakes.count() >= 2, "{mistakes:?}");
    }

    #[test]
    fn a_key_twice_is_a_mistake_and_so_is_nesting_without_end() {
        for text in ["a = 1\na = 2\n".to_owned(), format!("a = {}", "[".repeat(100_000))] {
            let mistakes = Mistakes::default();
            assert_eq!(Document::new("x.toml", text).read(&mistakes, |_| ()), None);
        }
    }

    #[test]
    fn a_file_at_the_size_cap_is_read_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.toml");
        for (bytes, readable) in [(FILE_BYTES_MAX, true), (FILE_BYTES_MAX + 1, false)] {
            std::fs::write(&path, "#".repeat(bytes as usize)).expect("written");
            let mistakes = Mistakes::default();
            assert_eq!(Document::load(&path, &mistakes).is_some(), readable);
            assert_eq!(mistakes.count() == 0, readable);
        }
        std::fs::write(&path, [b'a', 0xff]).expect("written");
        let mistakes = Mistakes::default();
        assert!(Document::load(&path, &mistakes).is_none());
        assert!(Document::load(&folder.path().join("none.toml"), &mistakes).is_none());
        assert_eq!(mistakes.count(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_every_mistake_can_be_shown(text in "[ -~\\n\\té\"=\\[\\]{}]{0,200}") {
            let mistakes = Mistakes::default();
            Document::new("x.toml", text).read(&mistakes, |reader| reader.u64("a", 1..=2));
            if let Err(errors) = mistakes.none_or(()) {
                prop_assert!(errors.to_string().contains("mend: "));
            }
        }

        #[test]
        fn any_span_has_a_place(text in ".{0,60}", start in 0usize..100, length in 0usize..100) {
            let document = Document::new("x.toml", text);
            let (position, excerpt) = document.place(start..start + length);
            prop_assert!(position.line >= 1 && position.column >= 1 && excerpt.width >= 1);
        }
    }
}
