//! Markdown around a snippet: the one fenced block of code is kept, everything else becomes blanks, so that no position moves.

use super::fence::{self, BLANKS, Block, Mark};
use super::read::{self, Form};
use super::refusal::{Refusal, quoted};
use super::scan::{Bracket, Lexer, Word};
use super::{Fault, place};
use std::ops::Range;

/// Words after a fence that mean JavaScript or TypeScript. JSX is refused later, by what the block holds.
const LANGUAGES: [&str; 12] = ["js", "javascript", "mjs", "cjs", "ecmascript", "node", "ts", "typescript", "mts", "cts", "jsx", "tsx"];

/// The word after a fence that means one value.
const JSON: &str = "json";

/// What a snippet is by its look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Code, whatever lines like fences it has.
    Code,
    /// Code if it parses, Markdown otherwise.
    Either,
    /// Markdown.
    Markdown,
}

/// The code of a snippet, everything else blanked in place.
pub(super) struct Code {
    /// As long as the snippet.
    pub(super) text: String,
    /// How it is to be read.
    pub(super) form: Form,
}

/// What `source` looks like. The first fence decides: whether it stands where code would, that is not inside a comment and not inside a
/// template literal, where backticks are the code's own.
pub(super) fn look(source: &str) -> Look {
    let blocks = fence::blocks(source);
    let Some(first) = blocks.first() else { return Look::Code };
    let token = token_at(source, first.fence);
    match first.mark {
        Mark::Backtick if token == Some(Word::Open(Bracket::Template)) => Look::Markdown,
        // Prose can look like the start of a template literal: an apostrophe is none, a lone backtick is one.
        Mark::Backtick => Look::Either,
        Mark::Tilde if token.is_none() => Look::Code,
        Mark::Tilde if first.closed || is_code(first.language) || is_json(first.language) => Look::Markdown,
        // `~~~a` is an expression as well.
        Mark::Tilde => Look::Either,
    }
}

/// The one block of code. `Err` says why none can be chosen, and where.
pub(super) fn unfence(source: &str) -> Result<Code, Fault> {
    let blocks = fence::blocks(source);
    let named: Vec<&Block> = blocks.iter().filter(|block| is_code(block.language)).collect();
    let chosen = if named.is_empty() { blocks.iter().filter(|block| block.language.is_empty()).collect() } else { named };
    match (chosen.as_slice(), blocks.as_slice()) {
        ([only], _) => Ok(Code { text: kept(source, only)?, form: Form::Snippet }),
        ([], [only]) if is_json(only.language) => Ok(Code { text: kept(source, only)?, form: Form::Value }),
        ([], [first, ..]) => Err((Refusal::ForeignFence(quoted(first.language)), read::offset(first.opens))),
        ([], []) => Ok(Code { text: source.to_owned(), form: Form::Snippet }),
        ([_, second, ..], _) => Err((Refusal::SeveralFences(chosen.len()), read::offset(second.opens))),
    }
}

/// The code of a snippet that is one code span in one line, such as ```` ```js 1 + 1 ``` ````. JavaScript would call the string before the
/// first template as a function: it parses, and can only fail.
pub(super) fn span(source: &str) -> Option<Code> {
    let text = source.trim_matches(BLANKS);
    let inside = text.trim_start_matches('`');
    let fence = &text[..text.len() - inside.len()];
    let code = inside.strip_suffix(fence).filter(|code| fence.len() >= 3 && !code.ends_with('`') && !code.contains(fence))?;
    if code.is_empty() || code.contains(place::LINE_ENDS) {
        return None;
    }
    let (word, rest) = code.split_once([' ', '\t']).filter(|(word, _)| is_code(word) || is_json(word)).unwrap_or(("", code));
    let end = source.trim_end_matches(BLANKS).len() - fence.len();
    let form = if is_json(word) { Form::Value } else { Form::Snippet };
    Some(Code { text: blank_outside(source, &(end - rest.len()..end), &source[end - rest.len()..end]), form })
}

fn is_code(language: &str) -> bool {
    LANGUAGES.iter().any(|known| known.eq_ignore_ascii_case(language))
}

fn is_json(language: &str) -> bool {
    JSON.eq_ignore_ascii_case(language)
}

/// The token that begins at byte `at`, if one does.
fn token_at(source: &str, at: usize) -> Option<Word> {
    let mut lexer = Lexer::new(source);
    while let Some(token) = lexer.next() {
        if lexer.token_start() >= at {
            return (lexer.token_start() == at).then_some(token.word);
        }
    }
    None
}

/// `source` with everything blanked but the inside of `block`; in a quote its `>` go too.
fn kept(source: &str, block: &Block<'_>) -> Result<String, Fault> {
    let inside = &source[block.inside.clone()];
    if !block.quoted {
        return Ok(blank_outside(source, &block.inside, inside));
    }
    if let Some(at) = block.leaves_quote {
        return Err((Refusal::QuotedFence("not each of its lines begins with `>`"), read::offset(at)));
    }
    let plain: String = fence::lines(inside).map(|line| inside[line].replacen('>', " ", 1)).collect();
    // The blanks that take the place of `> ` would become part of the text.
    if has_template_of_lines(&plain) {
        return Err((Refusal::QuotedFence("a template literal in it goes over several lines"), read::offset(block.opens)));
    }
    Ok(blank_outside(source, &block.inside, &plain))
}

/// True when the text of a template literal goes on in another line.
fn has_template_of_lines(code: &str) -> bool {
    let mut lexer = Lexer::new(code);
    loop {
        let (from, inside) = (lexer.token_end(), lexer.in_template_text());
        let goes_on = lexer.next().is_some();
        if inside && code.as_bytes()[from..lexer.token_start()].contains(&b'\n') {
            return true;
        }
        if !goes_on {
            return false;
        }
    }
}

/// `source` with `code` in place of `inside`, which is as long, and spaces, byte for byte, around it; line ends stay, all of those JavaScript knows.
fn blank_outside(source: &str, inside: &Range<usize>, code: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let blank = |out: &mut String, text: &str| {
        for c in text.chars() {
            if place::LINE_ENDS.contains(&c) { out.push(c) } else { out.extend(std::iter::repeat_n(' ', c.len_utf8())) }
        }
    };
    blank(&mut out, &source[..inside.start]);
    out.push_str(code);
    blank(&mut out, &source[inside.end..]);
    out
}
