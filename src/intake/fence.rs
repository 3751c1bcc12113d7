//! Markdown around a snippet: the one fenced block of code is kept, everything else becomes blanks, so that no position moves.

use super::refusal::{Refusal, quoted};
use super::scan::{Bracket, Lexer, Word};
use super::{Fault, read};
use std::ops::Range;

/// Words after a fence that mean JavaScript or TypeScript. JSX is refused later, by what the block holds.
const LANGUAGES: [&str; 12] = ["js", "javascript", "mjs", "cjs", "ecmascript", "node", "ts", "typescript", "mts", "cts", "jsx", "tsx"];

/// What may stand around a fence in its line.
const BLANKS: [char; 5] = [' ', '\t', '\r', '\n', '\u{feff}'];

/// A fenced block.
struct Block<'s> {
    /// The word after the opening fence; empty when there is none.
    language: &'s str,
    /// Where the opening fence stands.
    opens: usize,
    /// The lines between the fences.
    inside: Range<usize>,
}

/// True when `source` has a line that begins with a fence.
pub(super) fn has_fence(source: &str) -> bool {
    lines(source).any(|line| fence_length(&source[line]).is_some())
}

/// True when the first fence stands where code would: not inside a comment and not inside a template literal, where backticks are the code's own.
pub(super) fn is_markdown(source: &str) -> bool {
    let Some(line) = lines(source).find(|line| fence_length(&source[line.clone()]).is_some()) else { return false };
    let text = &source[line.clone()];
    let fence = line.start + text.len() - text.trim_start_matches(BLANKS).len();
    let mut lexer = Lexer::new(source);
    while let Some(token) = lexer.next() {
        if lexer.token_start() >= fence {
            return lexer.token_start() == fence && token.word == Word::Open(Bracket::Template);
        }
    }
    false
}

/// `source` with everything blanked but the one block of code. `Err` says why none can be chosen, and where.
pub(super) fn unfence(source: &str) -> Result<String, Fault> {
    let blocks = blocks(source);
    let named: Vec<&Block> =
        blocks.iter().filter(|block| LANGUAGES.iter().any(|known| known.eq_ignore_ascii_case(block.language))).collect();
    let chosen = if named.is_empty() { blocks.iter().filter(|block| block.language.is_empty()).collect() } else { named };
    match (chosen.as_slice(), blocks.first()) {
        ([only], _) => Ok(blank_outside(source, &only.inside)),
        ([], Some(first)) => Err((Refusal::ForeignFence(quoted(first.language)), read::offset(first.opens))),
        ([], None) => Ok(source.to_owned()),
        ([_, second, ..], _) => Err((Refusal::SeveralFences(chosen.len()), read::offset(second.opens))),
    }
}

/// The fenced blocks as CommonMark sees them: a fence of at least three backticks opens, one at least as long closes, the end of the text too.
fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for line in lines(source) {
        let text = source[line.clone()].trim_matches(BLANKS);
        let fence = fence_length(text);
        match (&mut open, fence) {
            (Some((length, _)), Some(closing)) if closing >= *length && text.len() == closing => {
                blocks.extend(open.take().map(|(_, block)| block));
            }
            (Some((_, block)), _) => block.inside.end = line.end,
            (None, Some(length)) => {
                let language = text[length..].split([' ', '\t', '{', ',', ':']).find(|word| !word.is_empty()).unwrap_or("");
                open = Some((length, Block { language, opens: line.start, inside: line.end..line.end }));
            }
            (None, None) => {}
        }
    }
    blocks.extend(open.map(|(_, block)| block));
    blocks
}

/// How many backticks the line begins with, when they make a fence.
fn fence_length(line: &str) -> Option<usize> {
    let text = line.trim_matches(BLANKS);
    let length = text.len() - text.trim_start_matches('`').len();
    (length >= 3 && !text[length..].contains('`')).then_some(length)
}

/// The byte range of each line, its ending included.
fn lines(source: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    source.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..at
    })
}

/// Spaces, byte for byte, outside `inside`; line ends stay, all of those JavaScript knows.
fn blank_outside(source: &str, inside: &Range<usize>) -> String {
    let mut out = String::with_capacity(source.len());
    let blank = |out: &mut String, text: &str| {
        for c in text.chars() {
            match c {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push(c),
                _ => out.extend(std::iter::repeat_n(' ', c.len_utf8())),
            }
        }
    };
    blank(&mut out, &source[..inside.start]);
    out.push_str(&source[inside.clone()]);
    blank(&mut out, &source[inside.end..]);
    out
}
