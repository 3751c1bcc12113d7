//! The operators and keywords that [`super::scan`] tells apart.

use super::scan::{Before, Word};

/// What an operator does to depth.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// This, whatever stands before it.
    Word(Word),
    /// A prefix without an operand before it, a link with one.
    Sign,
    /// `<`
    Angle,
}

/// Operators of more than one character, longest first where one begins another.
const OPERATORS: [(&str, Kind); 29] = [
    (">>>=", Kind::Word(Word::Step)),
    ("...", Kind::Word(Word::Plain)),
    ("===", Kind::Word(Word::Link)),
    ("!==", Kind::Word(Word::Link)),
    ("**=", Kind::Word(Word::Step)),
    ("<<=", Kind::Word(Word::Step)),
    (">>=", Kind::Word(Word::Step)),
    ("&&=", Kind::Word(Word::Step)),
    ("||=", Kind::Word(Word::Step)),
    ("??=", Kind::Word(Word::Step)),
    ("=>", Kind::Word(Word::Step)),
    ("**", Kind::Word(Word::Step)),
    ("==", Kind::Word(Word::Link)),
    ("!=", Kind::Word(Word::Link)),
    ("<=", Kind::Word(Word::Link)),
    (">=", Kind::Word(Word::Link)),
    ("<<", Kind::Word(Word::Link)),
    ("&&", Kind::Word(Word::Link)),
    ("||", Kind::Word(Word::Link)),
    ("??", Kind::Word(Word::Link)),
    ("?.", Kind::Word(Word::Link)),
    ("++", Kind::Sign),
    ("--", Kind::Sign),
    ("+=", Kind::Word(Word::Step)),
    ("-=", Kind::Word(Word::Step)),
    ("*=", Kind::Word(Word::Step)),
    ("/=", Kind::Word(Word::Step)),
    ("%=", Kind::Word(Word::Step)),
    ("^=", Kind::Word(Word::Step)),
];

/// The operator that `rest` begins with, of which `first` is the first byte: its length and what it does.
pub(super) fn operator(rest: &[u8], first: u8) -> (usize, Kind) {
    let known = OPERATORS.iter().find(|(text, _)| rest.starts_with(text.as_bytes()));
    known.map_or((1, Kind::of(first)), |(text, kind)| (text.len(), *kind))
}

impl Kind {
    fn of(byte: u8) -> Self {
        match byte {
            b',' => Self::Word(Word::Comma),
            b';' => Self::Word(Word::Semicolon),
            b'<' => Self::Angle,
            b'>' => Self::Word(Word::AngleClose),
            b'=' | b'?' => Self::Word(Word::Step),
            b'!' | b'~' | b'+' | b'-' => Self::Sign,
            _ => Self::Word(Word::Link),
        }
    }
}

/// What a word does to depth, what may follow it, and whether it goes on with the statement before it on a new line.
pub(super) fn keyword(text: &[u8]) -> (Word, Before, bool) {
    match text {
        b"if" | b"for" | b"while" | b"with" => (Word::Step, Before::HeadWord, false),
        b"else" => (Word::Else, Before::Operator, true),
        b"typeof" | b"void" | b"delete" | b"await" | b"yield" | b"new" | b"keyof" | b"readonly" | b"unique" | b"infer" | b"do"
        | b"class" => (Word::Step, Before::Operator, false),
        b"in" | b"instanceof" => (Word::Link, Before::Operator, true),
        b"as" | b"satisfies" => (Word::Link, Before::Operand, true),
        b"of" | b"extends" | b"implements" | b"is" => (Word::Plain, Before::Operator, true),
        b"return" | b"case" | b"throw" | b"default" | b"export" | b"import" | b"const" | b"let" | b"var" => {
            (Word::Plain, Before::Operator, false)
        }
        _ => (Word::Plain, Before::Operand, false),
    }
}

/// True for a byte of a name, a number or an escape in a name.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || byte >= 0x80
}
