//! What a piece of a pattern can match, as far as overlap is concerned: sets of characters, and runs of pieces.

use oxc::regular_expression::ast::{
    Alternative, CharacterClass, CharacterClassContents, CharacterClassEscapeKind, Disjunction, Term, UnicodePropertyEscape,
};

/// From so many repetitions on, a repetition counts as one without end. An estimate: ten choices of two make a thousand ways.
const MANY: u64 = 10;

/// Most pieces of one run that are told apart; the rest makes one piece with the last.
const PIECES_MAX: usize = 64;

/// A set of characters: ASCII exactly, the rest roughly, in 64 drawers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set {
    ascii: u128,
    beyond: u64,
}

impl Set {
    const ALL: Self = Self { ascii: u128::MAX, beyond: u64::MAX };

    fn range(from: u32, to: u32) -> Self {
        let mut set = Self::default();
        for code in from..=to.min(127) {
            set.ascii |= 1 << code;
        }
        if to >= 128 {
            let first = from.max(128);
            set.beyond = if to - first >= 63 { u64::MAX } else { (first..=to).fold(0, |drawers, code| drawers | (1 << (code % 64))) };
        }
        set
    }

    fn of(characters: &str) -> Self {
        characters.chars().fold(Self::default(), |set, c| set.with(Self::range(c.into(), c.into())))
    }

    fn with(self, other: Self) -> Self {
        Self { ascii: self.ascii | other.ascii, beyond: self.beyond | other.beyond }
    }

    /// Everything else. Where all drawers hold something, they count as full.
    fn without(self) -> Self {
        Self { ascii: !self.ascii, beyond: if self.beyond == u64::MAX { 0 } else { u64::MAX } }
    }

    /// With both cases of each letter of ASCII.
    fn caseless(self) -> Self {
        let upper = (self.ascii >> 32) & (((1 << 26) - 1) << 65);
        let lower = (self.ascii & (((1 << 26) - 1) << 65)) << 32;
        Self { ascii: self.ascii | upper | lower, ..self }
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.ascii & other.ascii != 0 || self.beyond & other.beyond != 0
    }
}

/// One piece of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// What it can match.
    pub(super) set: Set,
    /// True when it can match nothing.
    pub(super) skippable: bool,
    /// True when it can match one, and also several times as much.
    pub(super) elastic: bool,
    /// True for exactly one character.
    pub(super) single: bool,
}

/// The pieces of one alternative, in order.
pub(super) type Run = Vec<Piece>;

/// Flags that change what a piece matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) caseless: bool,
    pub(super) dot_all: bool,
}

/// True when a repetition has no end worth the name.
fn is_endless(max: Option<u64>) -> bool {
    max.is_none_or(|max| max >= MANY)
}

/// True when a repetition can take more or less of a text, so that repeating it gives several ways to divide one.
fn stretches(min: u64, max: Option<u64>) -> bool {
    max.is_none_or(|max| max >= 2 && max > min)
}

/// The alternatives of `body` as runs. `Err` with the reason when a repetition inside is a slow one.
pub(super) fn runs(body: &Disjunction<'_>, mode: Mode) -> Result<Vec<Run>, &'static str> {
    body.body.iter().map(|alternative| run(alternative, mode)).collect()
}

fn run(alternative: &Alternative<'_>, mode: Mode) -> Result<Run, &'static str> {
    let mut run = Run::new();
    for term in &alternative.body {
        for piece in pieces(term, mode)? {
            let full = run.len() >= PIECES_MAX;
            match run.last_mut() {
                Some(last) if full => *last = joined(*last, piece),
                _ => run.push(piece),
            }
        }
    }
    Ok(run)
}

fn pieces(term: &Term<'_>, mode: Mode) -> Result<Run, &'static str> {
    let one = |set: Set| {
        let set = if mode.caseless { set.caseless() } else { set };
        Ok(vec![Piece { set, skippable: false, elastic: false, single: true }])
    };
    match term {
        Term::Character(character) => one(Set::range(character.value, character.value)),
        Term::Dot(_) if mode.dot_all => one(Set::ALL),
        Term::Dot(_) => one(Set::of("\n\r").without()),
        Term::CharacterClassEscape(escape) => one(escaped(escape.kind)),
        Term::UnicodePropertyEscape(property) => one(property_set(property)),
        Term::CharacterClass(class) => one(class_set(class)),
        Term::CapturingGroup(group) => group_pieces(&group.body, mode),
        Term::IgnoreGroup(group) => group_pieces(&group.body, mode),
        Term::LookAroundAssertion(assertion) => runs(&assertion.body, mode).map(|_| Run::new()),
        Term::BoundaryAssertion(_) => Ok(Run::new()),
        // What it repeats is not followed.
        Term::IndexedReference(_) | Term::NamedReference(_) => {
            Ok(vec![Piece { set: Set::ALL, skippable: true, elastic: false, single: false }])
        }
        Term::Quantifier(quantifier) => {
            let inner = match &quantifier.body {
                Term::CapturingGroup(group) => runs(&group.body, mode)?,
                Term::IgnoreGroup(group) => runs(&group.body, mode)?,
                other => vec![pieces(other, mode)?],
            };
            let endless = is_endless(quantifier.max);
            if endless && let Some(reason) = super::pattern::ambiguous(&inner) {
                return Err(reason);
            }
            let mut piece = summed(&inner);
            piece.skippable |= quantifier.min == 0;
            piece.elastic = stretches(quantifier.min, quantifier.max) || (piece.elastic && quantifier.max != Some(0));
            piece.single &= quantifier.min == 1 && quantifier.max == Some(1);
            Ok(vec![piece])
        }
    }
}

/// A group of one alternative is its pieces; of several, one piece.
fn group_pieces(body: &Disjunction<'_>, mode: Mode) -> Result<Run, &'static str> {
    let mut runs = runs(body, mode)?;
    if runs.len() == 1 { Ok(runs.pop().unwrap_or_default()) } else { Ok(vec![summed(&runs)]) }
}

/// Alternatives as one piece. It is elastic when one of them is little else than an elastic piece.
fn summed(runs: &[Run]) -> Piece {
    let set = runs.iter().flatten().fold(Set::default(), |set, piece| set.with(piece.set));
    Piece {
        set,
        skippable: runs.iter().any(|run| run.iter().all(|piece| piece.skippable)),
        elastic: runs.iter().any(|run| super::pattern::loops(run)),
        single: runs.iter().all(|run| matches!(run.as_slice(), [only] if only.single)),
    }
}

fn joined(a: Piece, b: Piece) -> Piece {
    Piece { set: a.set.with(b.set), skippable: a.skippable && b.skippable, elastic: a.elastic || b.elastic, single: false }
}

fn escaped(kind: CharacterClassEscapeKind) -> Set {
    let digits = Set::range('0'.into(), '9'.into());
    let word = digits.with(Set::range('a'.into(), 'z'.into())).with(Set::range('A'.into(), 'Z'.into())).with(Set::of("_"));
    // The blanks beyond ASCII are left out, so that blanks and their opposite do not seem to overlap.
    let blank = Set::of("\t\n\u{b}\u{c}\r ");
    match kind {
        CharacterClassEscapeKind::D => digits,
        CharacterClassEscapeKind::NegativeD => digits.without(),
        CharacterClassEscapeKind::S => blank,
        CharacterClassEscapeKind::NegativeS => blank.without(),
        CharacterClassEscapeKind::W => word,
        CharacterClassEscapeKind::NegativeW => word.without(),
    }
}

/// The part of a property in ASCII for the commonest ones; of others only what lies beyond.
fn property_set(property: &UnicodePropertyEscape<'_>) -> Set {
    let name = property.value.as_ref().unwrap_or(&property.name).as_str();
    let beyond = Set { ascii: 0, beyond: u64::MAX };
    let (lower, upper) = (Set::range('a'.into(), 'z'.into()), Set::range('A'.into(), 'Z'.into()));
    let set = match name {
        "L" | "Letter" | "Alphabetic" | "Alpha" | "Latin" | "Latn" => lower.with(upper),
        "Ll" | "Lowercase_Letter" | "Lowercase" => lower,
        "Lu" | "Uppercase_Letter" | "Uppercase" => upper,
        "N" | "Number" | "Nd" | "Decimal_Number" => Set::range('0'.into(), '9'.into()),
        "Any" | "ASCII" | "Assigned" => Set::range(0, 127),
        _ => Set::default(),
    };
    let set = set.with(beyond);
    if property.negative { set.without() } else { set }
}

fn class_set(class: &CharacterClass<'_>) -> Set {
    let set = class.body.iter().fold(Set::default(), |set, content| {
        set.with(match content {
            CharacterClassContents::CharacterClassRange(range) => Set::range(range.min.value, range.max.value),
            CharacterClassContents::CharacterClassEscape(escape) => escaped(escape.kind),
            CharacterClassContents::UnicodePropertyEscape(property) => property_set(property),
            CharacterClassContents::Character(character) => Set::range(character.value, character.value),
            CharacterClassContents::NestedCharacterClass(class) => class_set(class),
            CharacterClassContents::ClassStringDisjunction(_) => Set::ALL,
        })
    });
    if class.negative { set.without() } else { set }
}
