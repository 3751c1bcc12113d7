//! Bounds how deep a policy may nest, before Cedar reads it: its parser, its validator and the end of a policy's life recurse without a bound of
//! their own, and a stack that overflows ends the whole server.

use std::ops::Range;

/// Deepest nesting of brackets in a policy. Source: a policy that people can read stays below ten.
pub(super) const NESTING_MAX: usize = 50;
/// Most signs of operators, and `if`s, in a policy: a chain of them nests too. Source: 200 terms of the kind `a.b == c ||`, which is a list then.
pub(super) const OPERATORS_MAX: usize = 1000;

/// What is too deep, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep {
    /// The byte that is one too many.
    pub(super) at: Range<usize>,
    /// What there is too much of.
    pub(super) message: String,
}

/// Where `text` breaks a bound first; none when Cedar may read it.
pub(super) fn too_deep(text: &str) -> Option<TooDeep> {
    let (mut nesting, mut operators) = (0usize, 0usize);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (at, token) = (text.len() - rest.len(), token(rest, first));
        rest = rest.get(token.len()..).unwrap_or_default();
        match token {
            ";" => (nesting, operators) = (0, 0),
            "(" | "[" | "{" => nesting += 1,
            ")" | "]" | "}" => nesting = nesting.saturating_sub(1),
            "if" | "&" | "|" | "=" | "<" | ">" | "+" | "-" | "*" | "!" | "." => operators += 1,
            _other => {}
        }
        let wrong = |message| Some(TooDeep { at: at..at + token.len(), message });
        if nesting > NESTING_MAX {
            return wrong(format!("the policy nests deeper than {NESTING_MAX} brackets"));
        }
        if operators > OPERATORS_MAX {
            return wrong(format!("the policy has more than {OPERATORS_MAX} signs of operators"));
        }
    }
    None
}

/// The token that `rest` starts with, by its first character: a text in quotes, a comment, a word, or that character.
fn token(rest: &str, first: char) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let length = match first {
        '"' => quoted(rest),
        '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
        c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        c => c.len_utf8(),
    };
    rest.get(..length).unwrap_or(rest)
}

/// The length of the text in quotes that `rest` starts with, both quotes included.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _other => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_and_operators_at_their_caps_pass_and_one_more_does_not() {
        let nested = |levels: usize| format!("{}1{};", "(".repeat(levels), ")".repeat(levels));
        assert_eq!(too_deep(&nested(NESTING_MAX)), None);
        assert_eq!(too_deep(&nested(NESTING_MAX + 1)).map(|deep| deep.at), Some(NESTING_MAX..NESTING_MAX + 1));
        for operator in ["+", ".", "!", " if "] {
            let chain = |count: usize| format!("1{};", operator.repeat(count));
            assert_eq!(too_deep(&chain(OPERATORS_MAX)), None, "{operator}");
            assert!(too_deep(&chain(OPERATORS_MAX + 1)).is_some(), "{operator}");
        }
    }

    #[test]
    fn each_policy_is_counted_by_itself_and_texts_and_comments_not_at_all() {
        let one = format!("{}1{};", "(".repeat(NESTING_MAX), "+1".repeat(OPERATORS_MAX));
        assert_eq!(too_deep(&one.repeat(3)), None);
        let quiet = format!("\"{}\\\"{}\" // {}\n (1)", "(".repeat(100), "(".repeat(100), "[".repeat(100));
        assert_eq!(too_deep(&quiet), None);
        assert_eq!(too_deep(&"(\"é;\" // ;\n".repeat(NESTING_MAX)), None);
        assert!(too_deep(&"(\"é;\" // ;\n".repeat(NESTING_MAX + 1)).is_some());
        assert_eq!(too_deep(&"a_if if_ éif ifé ".repeat(OPERATORS_MAX)), None);
        assert_eq!(too_deep(&format!("\"{}", "(".repeat(100))), None);
    }
}
