//! Texts of a profile on one line, numbers with units, lists with an end.

use std::fmt::Write as _;

/// Most characters of one quoted text. Twice a long sentence.
const QUOTED_CHARS_MAX: usize = 300;

/// True for a character that no reader sees, or that moves what they see: controls, line ends, directions, joiners, tags.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn push_visible(text: &mut String, c: char) {
    if !is_unseen(c) {
        return text.push(c);
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing into a String cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// `text` as one line of visible characters; those that nobody sees are written as JSON writes them.
pub(super) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        push_visible(&mut line, c);
        line
    })
}

/// `text` as a JSON string of visible characters, which is a string of TypeScript too.
pub(super) fn literal(text: &str) -> String {
    let mut line = text.chars().fold(String::from('"'), |mut line, c| {
        if matches!(c, '"' | '\\') {
            line.push('\\');
        }
        push_visible(&mut line, c);
        line
    });
    line.push('"');
    line
}

/// [`literal`], of no more than [`QUOTED_CHARS_MAX`] characters of `text`; what is cut says so.
pub(super) fn quoted(text: &str) -> String {
    let count = text.chars().count();
    if count <= QUOTED_CHARS_MAX {
        return literal(text);
    }
    let start: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    format!("{} [cut: {count} characters]", literal(&start))
}

/// The name of a property: as it is when it is an identifier, else as a string.
pub(super) fn property(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'));
    if starts && plain { name.to_owned() } else { literal(name) }
}

/// The first `most` of `items` on one line; the rest is counted.
pub(super) fn listed(items: impl ExactSizeIterator<Item = impl AsRef<str>>, most: usize) -> String {
    let rest = items.len().saturating_sub(most);
    let shown: Vec<String> = items.take(most).map(|item| visible(item.as_ref())).collect();
    let shown = shown.join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}

/// A number of bytes in the largest unit that tells it exactly.
pub(super) fn bytes(count: u64) -> String {
    match count {
        count if count >= 1 << 20 && count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        count if count >= 1 << 10 && count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        count => counted(count, "byte"),
    }
}

/// `1 line`, `2 lines`.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
