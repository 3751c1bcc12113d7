//! Arrays as obfuscators make them.

use oxc::ast::ast::{ArrayExpression, ArrayExpressionElement, Expression};

/// Fewest strings of a table. An estimate: shorter lists are read at a glance.
const TABLE_STRINGS: usize = 32;

/// Deepest nesting of arrays that only hold strings at their end, as tables of tables do.
const NESTING: usize = 4;

/// Fewest character codes that make a text worth hiding. An estimate.
const CODES: usize = 24;

/// What makes `array` a table of encoded strings.
pub(super) fn table(array: &ArrayExpression<'_>) -> Option<String> {
    let texts = array.elements.iter().filter_map(|element| match element {
        ArrayExpressionElement::StringLiteral(text) => Some((text.value.as_str(), text.raw.as_ref().map_or("", |raw| raw.as_str()))),
        _ => None,
    });
    let (mut all, mut encoded) = (0_usize, 0_usize);
    for (value, raw) in texts {
        all += 1;
        encoded += usize::from(is_encoded(value) || raw.contains("\\x") || raw.contains("\\u"));
    }
    if all >= TABLE_STRINGS && encoded * 4 >= all * 3 {
        return Some(format!("an array of {all} strings, most of them encoded"));
    }
    let depth = nesting(array);
    (depth >= NESTING).then(|| format!("strings in arrays that nest {depth} levels deep"))
}

/// True for text that is neither a word nor a sentence: letters of both cases and digits, as base64 has them.
fn is_encoded(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let only = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'));
    text.len() >= 4
        && only
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && (has(u8::is_ascii_digit) || text.ends_with('='))
}

/// How deep first elements nest until a string; 0 when there is none. Looks at first elements only, so that it costs no more than their depth.
fn nesting(array: &ArrayExpression<'_>) -> usize {
    let (mut depth, mut at) = (1, array);
    loop {
        // One that holds another first is looked at when its outermost is visited, and not once more for each level.
        match at.elements.first() {
            Some(ArrayExpressionElement::ArrayExpression(inner)) if depth <= NESTING => (depth, at) = (depth + 1, inner),
            Some(ArrayExpressionElement::StringLiteral(_)) => return depth,
            _ => return 0,
        }
    }
}

/// True for a list of so many printable character codes that it spells a text.
pub(super) fn is_character_codes(array: &ArrayExpression<'_>) -> bool {
    are_character_codes(array.elements.iter().map(ArrayExpressionElement::as_expression))
}

/// As [`is_character_codes`], of arguments.
pub(super) fn are_character_codes<'e, 'a: 'e>(elements: impl ExactSizeIterator<Item = Option<&'e Expression<'a>>>) -> bool {
    let is_code = |element: Option<&Expression<'_>>| match element {
        Some(Expression::NumericLiteral(number)) => (9.0..=126.0).contains(&number.value) && number.value.fract() == 0.0,
        _ => false,
    };
    elements.len() >= CODES && elements.into_iter().all(is_code)
}
