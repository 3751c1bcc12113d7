//! Literals and sums of literals: escapes, encoded data, credentials, URLs.

use super::look::Look;
use super::value;
use super::{entropy, secrets, urls};
use crate::model::Check;
use oxc::ast::ast::{Expression, TemplateLiteral};
use oxc::span::GetSpan;

/// Fewest needless escapes in a literal that are told: a few are a habit of some editors.
const ESCAPES: usize = 4;

/// Fewest characters of encoded data that are worth hiding something in: 96 bytes of base64. An estimate.
const ENCODED_CHARS: usize = 128;

/// Longest text of a sum that is looked at, in bytes. It ends a text and begins the next, so that a sum costs no more than its length.
const SUM_BYTES_MAX: usize = 64 << 10;

impl Look<'_> {
    /// A string literal at `at`.
    pub(super) fn literal(&mut self, at: u32, raw: &str, value: &str) {
        self.escapes(at, raw);
        let ends = self.ends(at);
        self.text(at, value, ends, raw.contains('\\'));
    }

    /// How a literal at `at` ends: an operand of a sum that is not the last goes on with the next one.
    fn ends(&self, at: u32) -> urls::Ends {
        if self.operands.contains(&at) { urls::Ends::GoesOn } else { urls::Ends::Here }
    }

    /// A template's texts. Its holes are walked by the caller.
    pub(super) fn template(&mut self, template: &TemplateLiteral<'_>) {
        let last = template.quasis.len().saturating_sub(1);
        for (index, quasi) in template.quasis.iter().enumerate() {
            let (at, raw) = (quasi.span.start, quasi.value.raw.as_str());
            self.escapes(at, raw);
            if let Some(cooked) = &quasi.value.cooked {
                let ends = if index == last { self.ends(template.span.start) } else { urls::Ends::GoesOn };
                self.text(at, cooked.as_str(), ends, raw.contains('\\'));
            }
        }
    }

    /// The operands of a sum: neighbours that are literals make one text. Each is looked at by itself as well, by the walk.
    pub(super) fn sum(&mut self, parts: &[&Expression<'_>]) {
        let followed = parts.split_last().map_or(&[][..], |(_, followed)| followed);
        self.operands.extend(followed.iter().map(|part| value::peel(part).span().start));
        let (mut whole, mut begins, mut count) = (String::new(), 0, 0);
        for part in parts {
            let text = value::part_text(part);
            if text.is_none() || whole.len() > SUM_BYTES_MAX {
                let ends = if text.is_none() { urls::Ends::GoesOn } else { urls::Ends::Here };
                self.summed(&whole, begins, count, ends);
                (whole, count) = (String::new(), 0);
            }
            if let Some(text) = text {
                if count == 0 {
                    begins = part.span().start;
                }
                whole.push_str(&text);
                count += 1;
            }
        }
        self.summed(&whole, begins, count, urls::Ends::Here);
    }

    fn summed(&mut self, whole: &str, at: u32, count: usize, ends: urls::Ends) {
        if count > 1 {
            self.text(at, whole, ends, true);
        }
    }

    /// What `value` holds. `hidden` when the source does not show it as it is, so that the scan of the source cannot have found it.
    fn text(&mut self, at: u32, value: &str, ends: urls::Ends, hidden: bool) {
        urls::find(value, ends, |site| self.sink.site(site, at));
        let credential = secrets::first(value);
        if let (Some(kind), true) = (credential, hidden) {
            self.sink.hit(Check::SecretFormat, at, format!("a text that looks like {kind}"));
        }
        if credential.is_none() && entropy::is_random(value) {
            self.sink.hit(Check::SecretEntropy, at, "a literal as random as a key");
        }
        if value.len() >= ENCODED_CHARS && is_encoded(value) {
            self.encoded.push(at);
        }
    }

    /// A literal that is given the name `name`.
    pub(super) fn named(&mut self, name: Option<&str>, given: &Expression<'_>) {
        let (Some(name), Some(text)) = (name, value::part_text(given)) else { return };
        if entropy::is_secret_name(name) && entropy::is_password(&text) && secrets::first(&text).is_none() {
            let message = "a literal that may be a credential, by the name that it is given";
            self.sink.hit(Check::SecretEntropy, value::peel(given).span().start, message);
        }
    }

    fn escapes(&mut self, at: u32, raw: &str) {
        let needless = needless_escapes(raw);
        // A quarter of the characters: a lone escaped word in a long text hides as well as one by itself, but a few in prose do not.
        if needless >= ESCAPES && needless * 16 >= raw.len() {
            self.sink.hit(Check::Escapes, at, format!("{needless} plain characters are written as escapes"));
        }
    }
}

/// How many printable ASCII characters `raw` writes as `\xNN`, `\uNNNN` or `\u{N}`.
fn needless_escapes(raw: &str) -> usize {
    let mut count = 0;
    let mut rest = raw;
    while let Some((_, escape)) = rest.split_once('\\') {
        let digits = match escape.as_bytes() {
            [b'x', ..] => escape.get(1..3),
            [b'u', b'{', ..] => escape.get(2..).and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits),
            [b'u', ..] => escape.get(1..5),
            _ => None,
        };
        let code = digits.filter(|digits| digits.len() <= 8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        count += usize::from(code.is_some_and(|code| (0x20..0x7f).contains(&code)));
        // The character after the backslash is no escape of its own: `\\x41` is a backslash and `x41`.
        let next = escape.chars().next().map_or(0, char::len_utf8);
        rest = escape.get(next..).unwrap_or_default();
    }
    count
}

/// True for base64 or hexadecimal digits alone, line ends apart, or for percent escapes.
fn is_encoded(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'\n' | b'\r'));
    digits || text.bytes().filter(|byte| *byte == b'%').count() * 3 >= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_of_plain_characters_are_needless() {
        for (raw, count) in [
            (r"\x41\u0042\u{43}", 3),
            (r"\\x41\\u0042", 0),
            (r"\u4e2d\u6587\x00\n", 0),
            (r"\u{110000000000000041}\u{}\x4", 0),
            ("\\", 0),
            (r"\xé1", 0),
        ] {
            assert_eq!(needless_escapes(raw), count, "{raw}");
        }
    }
}
