//! Regular expressions whose shape lets an input of a few dozen characters take longer than any budget.
//!
//! What is looked for is ambiguity under a repetition without end: two ways to match the same text there are two to the power of its length
//! ways in the end. A repetition in a repetition is fine while something between them belongs to neither (`(\w+,)*`).
//! Polynomial shapes (`\s*\s*$`) are not told: budgets hold them.

use super::shape::{self, Mode, Piece, Run};
use oxc::allocator::Allocator;
use oxc::ast::ast::RegExpFlags;
use oxc::regular_expression::ast::Pattern;
use oxc::regular_expression::{LiteralParser, Options};

/// Longest pattern that is given as text and parsed, in bytes, and the most brackets that may be open in it, for the parser recurses.
const TEXT_BYTES_MAX: usize = 16 << 10;
const BRACKETS_MAX: usize = 100;

/// Most alternatives that are compared with each other: pairs grow by the square.
const ALTERNATIVES_MAX: usize = 32;

/// Longest alternatives, in pieces, that are compared: longer ones hardly ever match the same.
const ALTERNATIVE_PIECES_MAX: usize = 16;

const NESTED: &str = "a repetition repeats another one, and nothing between them tells where the inner one stops";
const ALTERNATIVES: &str = "under a repetition without end, two alternatives match the same text";
const UNREAD: &str = "the pattern is too long or nests too deep to be looked at";

/// Why `pattern` can take exponential time; `None` when no such shape is seen.
pub(super) fn slow(pattern: &Pattern<'_>, flags: RegExpFlags) -> Option<&'static str> {
    let mode = Mode { caseless: flags.contains(RegExpFlags::I), dot_all: flags.contains(RegExpFlags::S) };
    shape::runs(&pattern.body, mode).err()
}

/// As [`slow`], of a pattern that is given as text. One that does not parse throws when it is made.
pub(super) fn slow_text(source: &str, flags: &str) -> Option<&'static str> {
    if source.len() > TEXT_BYTES_MAX || deepest(source) > BRACKETS_MAX {
        return Some(UNREAD);
    }
    let allocator = Allocator::default();
    let flags: String = flags.chars().take(16).collect();
    let pattern = LiteralParser::new(&allocator, source, Some(&flags), Options::default()).parse().ok()?;
    let mode = Mode { caseless: flags.contains('i'), dot_all: flags.contains('s') };
    shape::runs(&pattern.body, mode).err()
}

/// How many brackets are open at most, escapes and classes not told apart: an upper bound.
fn deepest(source: &str) -> usize {
    source.bytes().filter(|byte| matches!(byte, b'(' | b'[')).count()
}

/// Why alternatives that repeat without end are ambiguous.
pub(super) fn ambiguous(runs: &[Run]) -> Option<&'static str> {
    if runs.iter().any(|run| loops(run)) {
        return Some(NESTED);
    }
    let runs = runs.get(..ALTERNATIVES_MAX).unwrap_or(runs);
    let pairs = runs.iter().enumerate().flat_map(|(at, a)| runs.iter().skip(at + 1).map(move |b| (a, b)));
    pairs.into_iter().any(|(a, b)| same_text(a, b)).then_some(ALTERNATIVES)
}

/// True when a run, repeated, is an elastic piece that nothing separates from the next one: each piece may be left out or matches what it matches.
pub(super) fn loops(run: &[Piece]) -> bool {
    let bare = |inner: &Piece| run.iter().all(|piece| piece.skippable || piece.set.meets(inner.set));
    run.iter().any(|piece| piece.elastic && bare(piece))
}

/// True when two alternatives can match the same text, or one of them what the other matches several times.
fn same_text(a: &[Piece], b: &[Piece]) -> bool {
    let known =
        |run: &[Piece]| (1..=ALTERNATIVE_PIECES_MAX).contains(&run.len()) && run.iter().all(|piece| !piece.skippable && !piece.elastic);
    if !known(a) || !known(b) {
        return false;
    }
    let in_step = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.single && b.single && a.set.meets(b.set));
    let mut pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
    in_step || pairs.all(|(a, b)| a.set.meets(b.set))
}
