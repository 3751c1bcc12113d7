//! Fenced blocks in Markdown, as CommonMark sees them: a fence of at least three backticks or tildes opens, one of the same kind and at least as
//! long closes, the end of the text too. A block may stand in a quote, one `>` before each of its lines.

use std::ops::Range;

/// What may stand around a fence in its line.
pub(super) const BLANKS: [char; 5] = [' ', '\t', '\r', '\n', '\u{feff}'];

/// What a fence is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Code may hold them for a template literal.
    Backtick,
    /// Code may hold them as operators.
    Tilde,
}

/// A line that opens a block or closes one.
struct Fence<'s> {
    mark: Mark,
    /// How many marks.
    length: usize,
    /// Where the marks stand.
    at: usize,
    /// What follows them.
    info: &'s str,
    quoted: bool,
}

/// A fenced block.
pub(super) struct Block<'s> {
    /// What its fences are made of.
    pub(super) mark: Mark,
    /// The word after the opening fence; empty when there is none.
    pub(super) language: &'s str,
    /// Where the line of the opening fence begins.
    pub(super) opens: usize,
    /// Where the opening fence stands in it.
    pub(super) fence: usize,
    /// The lines between the fences.
    pub(super) inside: Range<usize>,
    /// True when there is a closing fence.
    pub(super) closed: bool,
    /// True when it stands in a quote.
    pub(super) quoted: bool,
    /// The first of its lines that has left the quote it began in.
    pub(super) leaves_quote: Option<usize>,
}

/// The fenced blocks of `source`.
pub(super) fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<(Fence, Block)> = None;
    for line in lines(source) {
        let fence = fence_of(source, &line);
        match (&mut open, fence) {
            (Some((opening, block)), fence) => {
                block.stay_in_quote(source, &line);
                if fence.is_some_and(|fence| fence.closes(opening)) {
                    block.closed = true;
                    blocks.extend(open.take().map(|(_, block)| block));
                } else {
                    block.inside.end = line.end;
                }
            }
            (None, Some(fence)) => {
                let block = Block::opened(&fence, &line);
                open = Some((fence, block));
            }
            (None, None) => {}
        }
    }
    blocks.extend(open.map(|(_, block)| block));
    blocks
}

/// `text` without the one `>` at its start and the blanks around that, and whether it was there.
pub(super) fn unquoted(text: &str) -> (bool, &str) {
    let text = text.trim_start_matches(BLANKS);
    match text.strip_prefix('>') {
        Some(rest) => (true, rest.trim_start_matches(BLANKS)),
        None => (false, text),
    }
}

/// The byte range of each line, its ending included.
pub(super) fn lines(source: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    source.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..at
    })
}

fn fence_of<'s>(source: &'s str, line: &Range<usize>) -> Option<Fence<'s>> {
    let text = source[line.clone()].trim_end_matches(BLANKS);
    let (quoted, marks) = unquoted(text);
    let (mark, character) = [(Mark::Backtick, '`'), (Mark::Tilde, '~')].into_iter().find(|(_, mark)| marks.starts_with(*mark))?;
    let info = marks.trim_start_matches(character);
    let (length, at) = (marks.len() - info.len(), line.start + text.len() - marks.len());
    // Backticks after backticks make a code span of one line.
    let span = mark == Mark::Backtick && info.contains(character);
    (length >= 3 && !span).then_some(Fence { mark, length, at, info, quoted })
}

impl Fence<'_> {
    fn closes(&self, opening: &Fence<'_>) -> bool {
        // A `>` in a block that began without one is the block's own.
        let same_place = opening.quoted || !self.quoted;
        same_place && self.mark == opening.mark && self.length >= opening.length && self.info.is_empty()
    }
}

impl<'s> Block<'s> {
    fn opened(fence: &Fence<'s>, line: &Range<usize>) -> Self {
        let language = fence.info.split([' ', '\t', '{', ',', ':']).find(|word| !word.is_empty()).unwrap_or("");
        Self {
            mark: fence.mark,
            language,
            opens: line.start,
            fence: fence.at,
            inside: line.end..line.end,
            closed: false,
            quoted: fence.quoted,
            leaves_quote: None,
        }
    }

    fn stay_in_quote(&mut self, source: &str, line: &Range<usize>) {
        if self.quoted && self.leaves_quote.is_none() && !unquoted(&source[line.clone()]).0 {
            self.leaves_quote = Some(line.start);
        }
    }
}
