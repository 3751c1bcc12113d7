//! The text as it is seen: long lines, directions, characters without a shape, and letters that look like others.

use super::sink::{Sink, shown};
use crate::intake::place;
use crate::model::Check;
use std::collections::BTreeSet;

/// Longest line that is not told, in characters. An estimate: code that people write stays far below it, minified code far above.
const LINE_CHARS_MAX: usize = 2000;

/// Most words that are told once only, however often they stand there.
const WORDS_MAX: usize = 100;

/// Most tag characters of a flag: a region's code and its end (Unicode Technical Standard 51, `emoji_tag_sequence`, with room).
const FLAG_TAGS_MAX: usize = 8;

/// Looks at every character of a source, comments included.
pub(super) fn scan(source: &str, sink: &mut Sink) {
    let mut chars = Characters::default();
    for (at, c) in source.char_indices() {
        let offset = u32::try_from(at).unwrap_or(u32::MAX);
        if place::LINE_ENDS.contains(&c) {
            chars.line_ends(sink);
            chars.line_begins = offset.saturating_add(1);
        } else {
            chars.line_length += 1;
        }
        if is_bidi(c) {
            sink.hit(Check::Bidi, offset, format!("U+{:04X} changes the direction of text", u32::from(c)));
        }
        let next = source.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
        if at > 0 || c != '\u{feff}' {
            chars.invisible(c, next, offset, sink);
        }
        chars.before = Some(c);
    }
    chars.line_ends(sink);
    let mut told = BTreeSet::new();
    for (at, word) in words(source) {
        if mixes_scripts(word) && (told.len() >= WORDS_MAX || told.insert(word)) {
            let (at, message) =
                (u32::try_from(at).unwrap_or(u32::MAX), format!("the word `{}` mixes scripts that look alike", shown(word)));
            sink.hit(Check::MixedScript, at, message);
        }
    }
}

#[derive(Debug, Default)]
struct Characters {
    before: Option<char>,
    line_length: usize,
    line_begins: u32,
    /// Tags since the flag that they belong to.
    flag: Option<usize>,
    /// True when the character before was told, so that a run of them is told once.
    told: bool,
}

impl Characters {
    fn line_ends(&mut self, sink: &mut Sink) {
        if self.line_length > LINE_CHARS_MAX {
            sink.hit(Check::LongLine, self.line_begins, format!("a line of {} characters", self.line_length));
        }
        self.line_length = 0;
    }

    fn invisible(&mut self, c: char, next: Option<char>, at: u32, sink: &mut Sink) {
        self.flag = match c {
            '\u{1f3f4}' => Some(0),
            '\u{e0020}'..='\u{e007f}' => self.flag.map(|tags| tags + 1).filter(|tags| *tags <= FLAG_TAGS_MAX),
            _ => None,
        };
        let bad = is_invisible(c) && !self.belongs(c, next);
        if bad && !self.told {
            sink.hit(Check::Invisible, at, format!("U+{:04X} has no shape", u32::from(c)));
        }
        self.told = bad;
    }

    /// True where `c` is a part of how a script or an emoji is written.
    fn belongs(&self, c: char, next: Option<char>) -> bool {
        let foreign = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_blank(c));
        match c {
            // Joiners: between letters of Persian or Indic scripts, and between emoji.
            '\u{200c}' | '\u{200d}' => foreign(self.before) && foreign(next),
            // Selectors of a text or emoji shape, also of the digits of a keycap.
            '\u{fe0e}' | '\u{fe0f}' => {
                (foreign(self.before) && self.before != Some('\u{fe0f}'))
                    || (self.before.is_some_and(|c| matches!(c, '0'..='9' | '#' | '*')) && next == Some('\u{20e3}'))
            }
            '\u{e0020}'..='\u{e007f}' => self.flag.is_some(),
            _ => false,
        }
    }
}

/// Embeddings, overrides and isolates (Unicode Standard Annex 9, table 4), and their ends.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters without a shape of their own: `Default_Ignorable_Code_Point` of Unicode, the fillers of Hangul among them, and controls.
fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// A blank or a character without a shape, but for those that may follow an emoji.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || (is_invisible(c) && c != '\u{fe0f}')
}

/// Runs of letters and digits that hold something beyond ASCII, with their offsets.
fn words(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = source.as_ptr() as usize;
    let split = source.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    split.filter(|word| !word.is_ascii()).map(move |word| (word.as_ptr() as usize - base, word))
}

/// True for a word with Latin letters and letters of another script that look like Latin ones.
pub(super) fn mixes_scripts(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_alphabetic()) && word.chars().any(|c| likeness(c) != c)
}

/// The ASCII character that `c` looks like; itself when there is none. A choice of Unicode's confusables: what is the same in common fonts.
/// Letters of Greek that formulas use (α, β, μ, π, Δ, Σ and others) do not count.
pub(super) fn likeness(c: char) -> char {
    match c {
        'а' => 'a',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'ĸ' => 'k',
        'Ӏ' | 'ӏ' => 'l',
        'о' | 'ο' | 'օ' => 'o',
        'р' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'ս' => 'u',
        'ѵ' => 'v',
        'ԝ' | 'ѡ' => 'w',
        'х' => 'x',
        'у' | 'ү' => 'y',
        'ց' => 'g',
        'ո' => 'n',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' | 'Օ' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'Ү' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        // Fullwidth forms and mathematical letters.
        '\u{ff21}'..='\u{ff3a}' => shifted(c, 0xff21, 'A'),
        '\u{ff41}'..='\u{ff5a}' => shifted(c, 0xff41, 'a'),
        '\u{1d400}'..='\u{1d6a3}' => mathematical(c),
        _ => c,
    }
}

fn shifted(c: char, from: u32, to: char) -> char {
    char::from_u32(u32::from(c) - from + u32::from(to)).unwrap_or(c)
}

/// Thirteen alphabets of 52 letters each.
fn mathematical(c: char) -> char {
    match (u32::from(c) - 0x1d400) % 52 {
        upper @ 0..26 => char::from_u32(u32::from('A') + upper).unwrap_or(c),
        lower => char::from_u32(u32::from('a') + lower - 26).unwrap_or(c),
    }
}
