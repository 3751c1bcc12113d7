//! What may trail after an expression without being part of it: semicolons, comments and blanks.

use super::place;
use super::scan::{Lexer, Word};

/// `text` up to where only semicolons, comments and blanks follow. Comments and blanks in front stay, for the parser to skip.
pub(super) fn without(text: &str) -> &str {
    let end = end_of_code(text);
    match text.split_at_checked(end) {
        // INVARIANT (nothing is dropped): the lexer guesses, so what it takes for a trail is looked at once more.
        Some((code, trail)) if is_trail(trail) => code,
        Some(_) | None => text,
    }
}

/// Where the last token ends that is no semicolon.
fn end_of_code(text: &str) -> usize {
    let (mut lexer, mut end) = (Lexer::new(text), 0);
    while let Some(token) = lexer.next() {
        // The lexer takes blanks beyond ASCII for names.
        let blank = text.get(lexer.token_start()..lexer.token_end()).is_some_and(|token| token.chars().all(is_blank));
        if token.word != Word::Semicolon && !blank {
            end = lexer.token_end();
        }
    }
    end
}

fn is_trail(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c| c == ';' || is_blank(c));
        rest = if rest.is_empty() {
            return true;
        } else if let Some(comment) = rest.strip_prefix("//") {
            comment.find(place::LINE_ENDS).map_or("", |end| &comment[end..])
        } else if let Some((_, after)) = rest.strip_prefix("/*").and_then(|comment| comment.split_once("*/")) {
            after
        } else {
            return false;
        }
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_comments_and_blanks_go_and_nothing_else() {
        for (text, expected) in [
            ("a", "a"),
            ("a;", "a"),
            ("a ; ; ", "a"),
            ("a; // b", "a"),
            ("a // b\n;// c\n", "a"),
            ("a /* b\n */ ; /**/ // c", "a"),
            ("// b\n/* c */ a; // d", "// b\n/* c */ a"),
            ("a;\u{a0}\u{feff}\u{2028}// b", "a"),
            ("'// b'; // c", "'// b'"),
            ("`// b;`; // c", "`// b;`"),
            ("`${'//'}`; // c", "`${'//'}`"),
            ("/[/]\\//; // c", "/[/]\\//"),
            ("a; b", "a; b"),
            ("// only", ""),
            ("", ""),
            (";;", ""),
        ] {
            assert_eq!(without(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_trail_stays() {
        for text in ["a; /* b", "a; // b\u{2028}c", "a; // b\u{2029}c", "a; `b", "a; /* b */ / c"] {
            assert_eq!(without(text), text, "{text:?}");
        }
    }
}
