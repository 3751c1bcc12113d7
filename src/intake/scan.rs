//! A lexer of its own for [`super::nesting`], [`super::markdown`] and [`super::trail`]: tokens of JavaScript and TypeScript, told apart only as far
//! as the three need it.
//!
//! It never fails: whatever it does not know is a plain token. Whether a `/` divides or opens a regular expression it guesses from the token
//! before, as editors do; a wrong guess spoils one line at most, because a regular expression ends with its line.

use super::words::{self, Kind};

/// A bracket that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `(`
    Round,
    /// `[`
    Square,
    /// `{`
    Curly,
    /// A template literal, or `${` inside one.
    Template,
}

/// What a token means for depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Names, literals, and keywords and operators that do not nest.
    Plain,
    /// Makes the parser call itself.
    Step,
    /// Hangs on what stands before it.
    Link,
    /// `else`: goes on with the `if` before.
    Else,
    /// An opening bracket.
    Open(Bracket),
    /// A closing bracket.
    Close,
    /// `<`
    Angle,
    /// `<` where an operand is due: a type assertion, or the type parameters of an arrow function. What follows its `>` nests all the same.
    AngleStep,
    /// `>`
    AngleClose,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A regular expression and how deep its groups nest.
    Pattern(u32),
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// What it means for depth.
    pub(super) word: Word,
    /// True when a statement begins with it without a semicolon before.
    pub(super) begins_statement: bool,
}

/// What the token before was, as far as the next one's meaning hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// An operand ended: an operator or a new statement may follow.
    Operand,
    /// `}`
    Block,
    /// `)` after `if`, `for`, `while` or `with`: a statement follows.
    Head,
    /// `if`, `for`, `while` or `with`.
    HeadWord,
    /// Anything after which an operand follows.
    Operator,
}

/// What a closing bracket goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Round {
        head: bool,
    },
    Other,
    /// The text of a template literal.
    TemplateText,
    /// `${`
    TemplateHole,
}

/// The tokens of a source.
#[derive(Debug)]
pub(super) struct Lexer<'s> {
    bytes: &'s [u8],
    at: usize,
    start: usize,
    before: Before,
    new_line: bool,
    opened: Vec<Opened>,
    /// True in the dotted name of a namespace, where every dot becomes a function in a function.
    namespace: bool,
}

impl<'s> Lexer<'s> {
    /// A lexer at the start of `source`.
    pub(super) fn new(source: &'s str) -> Self {
        Self { bytes: source.as_bytes(), at: 0, start: 0, before: Before::Operator, new_line: false, opened: Vec::new(), namespace: false }
    }

    /// Byte offset of the last token.
    pub(super) fn token_start(&self) -> usize {
        self.start
    }

    /// Byte offset where it ends.
    pub(super) fn token_end(&self) -> usize {
        self.at
    }

    /// True when it ended inside the text of a template literal.
    pub(super) fn in_template_text(&self) -> bool {
        self.opened.last() == Some(&Opened::TemplateText)
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token> {
        if self.in_template_text() {
            return self.template_text();
        }
        self.skip_blanks();
        self.start = self.at;
        let first = self.peek(0)?;
        let token = match first {
            b'"' | b'\'' => self.string(first),
            b'`' => self.open(Opened::TemplateText, Bracket::Template),
            b'(' => self.open(Opened::Round { head: self.before == Before::HeadWord }, Bracket::Round),
            b'[' => self.open(Opened::Other, Bracket::Square),
            b'{' => self.open(Opened::Other, Bracket::Curly),
            b')' | b']' | b'}' => self.close(first),
            b'/' if self.before != Before::Operand && self.before != Before::Block => self.pattern(),
            _ if words::is_name(first) => self.name(),
            _ => self.operator(first),
        };
        self.new_line = false;
        self.namespace &= words::is_name(first) || first == b'.';
        Some(token)
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip_blanks(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'\n' | b'\r'), _) => {
                    self.new_line = true;
                    self.at += 1;
                }
                (Some(b' ' | b'\t' | 0x0b | 0x0c), _) => self.at += 1,
                (Some(b'/'), Some(b'/')) => self.at = self.find(self.at, |rest| rest[0] == b'\n' || rest[0] == b'\r'),
                (Some(b'/'), Some(b'*')) => {
                    let end = self.find(self.at + 2, |rest| rest.starts_with(b"*/"));
                    self.new_line |= self.bytes[self.at..end].contains(&b'\n');
                    self.at = (end + 2).min(self.bytes.len());
                }
                (Some(_) | None, _) => return,
            }
        }
    }

    /// The first offset from `from` whose rest (never empty) fits, or the end.
    fn find(&self, from: usize, fits: impl Fn(&[u8]) -> bool) -> usize {
        let mut at = from.min(self.bytes.len());
        while at < self.bytes.len() && !fits(&self.bytes[at..]) {
            at += 1;
        }
        at
    }

    /// A token that ends at `self.at` and begins no statement.
    fn token(&mut self, word: Word, before: Before) -> Token {
        self.before = before;
        Token { word, begins_statement: false }
    }

    /// A statement begins where an operand meets an operand on a new line, and after a block.
    fn begins_statement(&self) -> bool {
        match self.before {
            Before::Operand => self.new_line,
            Before::Block => true,
            Before::Head | Before::HeadWord | Before::Operator => false,
        }
    }

    fn string(&mut self, quote: u8) -> Token {
        let begins_statement = self.begins_statement();
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 2,
                b'\n' | b'\r' => break,
                _ => self.at += 1,
            }
            if byte == quote {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
        self.before = Before::Operand;
        Token { word: Word::Plain, begins_statement }
    }

    fn open(&mut self, opened: Opened, bracket: Bracket) -> Token {
        self.at += 1;
        self.opened.push(opened);
        self.token(Word::Open(bracket), Before::Operator)
    }

    fn close(&mut self, byte: u8) -> Token {
        self.at += 1;
        let before = match (self.opened.pop(), byte) {
            (Some(Opened::Round { head: true }), _) => Before::Head,
            // The text of the template goes on.
            (Some(Opened::TemplateHole), b'}') => Before::Operator,
            (Some(_) | None, b'}') => Before::Block,
            (Some(_) | None, _) => Before::Operand,
        };
        self.token(Word::Close, before)
    }

    /// From inside a template literal to its end or its next hole.
    fn template_text(&mut self) -> Option<Token> {
        loop {
            self.start = self.at;
            match (self.peek(0)?, self.peek(1)) {
                (b'\\', _) => self.at = (self.at + 2).min(self.bytes.len()),
                (b'`', _) => {
                    self.at += 1;
                    self.opened.pop();
                    return Some(self.token(Word::Close, Before::Operand));
                }
                (b'$', Some(b'{')) => {
                    self.at += 1;
                    return Some(self.open(Opened::TemplateHole, Bracket::Template));
                }
                (_, _) => self.at += 1,
            }
        }
    }

    /// A regular expression, or a division when the line has no second `/`.
    fn pattern(&mut self) -> Token {
        let (mut at, mut class, mut depth, mut deepest) = (self.at + 1, 0_u32, 0_u32, 0_u32);
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' | b'\r' => break,
                b'\\' => at += 1,
                b'[' => class += 1,
                b']' => class = class.saturating_sub(1),
                b'(' if class == 0 => depth += 1,
                b')' if class == 0 => depth = depth.saturating_sub(1),
                b'/' if class == 0 => {
                    self.at = at + 1;
                    return self.token(Word::Pattern(deepest), Before::Operand);
                }
                _ => {}
            }
            deepest = deepest.max(depth + class);
            at += 1;
        }
        self.at += 1;
        self.token(Word::Link, Before::Operator)
    }

    fn name(&mut self) -> Token {
        let end = self.find(self.at, |rest| !words::is_name(rest[0]));
        let text = &self.bytes[self.at..end];
        // After a dot it is a property, whatever it spells.
        let property = self.start > 0 && self.bytes[self.start - 1] == b'.';
        self.at = end;
        let (word, before, goes_on) = if property { (Word::Plain, Before::Operand, true) } else { words::keyword(text) };
        let begins_statement = !goes_on && self.begins_statement();
        self.namespace = (self.namespace && !begins_statement) || (!property && matches!(text, b"namespace" | b"module"));
        self.before = before;
        Token { word, begins_statement }
    }

    fn operator(&mut self, first: u8) -> Token {
        let after_operand = self.before == Before::Operand;
        let rest = &self.bytes[self.at..];
        let (length, kind) = words::operator(rest, first);
        self.at += length;
        let word = match kind {
            Kind::Word(_) if self.namespace && first == b'.' => Word::Step,
            Kind::Word(word) => word,
            Kind::Sign if after_operand => Word::Link,
            Kind::Sign => Word::Step,
            Kind::Angle if after_operand => Word::Angle,
            Kind::Angle => Word::AngleStep,
        };
        let postfix = after_operand && matches!(rest, [b'+', b'+', ..] | [b'-', b'-', ..] | [b'!', ..]) && !rest.starts_with(b"!=");
        self.token(word, if postfix { Before::Operand } else { Before::Operator })
    }
}
