//! Places in a text: byte offsets, and lines and columns as editors and source maps count them.
//!
//! Lines and columns count from 1, columns in UTF-16 units. Lines end as JavaScript's do: LF, CR, CRLF, U+2028, U+2029.

/// The characters that end a line in JavaScript.
pub(super) const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// Line and column of byte `offset`; past the end is the end.
pub(super) fn of_offset(text: &str, offset: usize) -> (u32, u32) {
    let last = walk(text).take_while(|(at, _)| *at <= offset).last();
    last.map_or((1, 1), |(_, place)| place)
}

/// Lines and columns of byte offsets in ascending order, in one pass; past the end is the end.
pub(super) fn of_offsets(text: &str, ascending: &[usize]) -> Vec<(u32, u32)> {
    let mut places = Vec::with_capacity(ascending.len());
    let mut last = (1, 1);
    for (at, place) in walk(text) {
        while ascending.get(places.len()).is_some_and(|offset| *offset < at) {
            places.push(last);
        }
        last = place;
    }
    places.resize(ascending.len(), last);
    places
}

/// Byte offset of a line and column; the nearest before it when the line is shorter.
pub(super) fn to_offset(text: &str, line: u32, column: u32) -> usize {
    walk(text).take_while(|(_, place)| *place <= (line, column)).last().map_or(0, |(at, _)| at)
}

/// Every character's offset with its line and column, and the end's.
fn walk(text: &str) -> impl Iterator<Item = (usize, (u32, u32))> {
    let (mut line, mut column, mut after_return) = (1_u32, 1_u32, false);
    let end = std::iter::once((text.len(), '\0'));
    text.char_indices().chain(end).map(move |(at, c)| {
        if after_return && c != '\n' {
            (line, column) = (line.saturating_add(1), 1);
        }
        let place = (line, column);
        after_return = c == '\r';
        match c {
            // The line ends after CR and LF together: with CR alone the next character tells.
            '\r' => column = column.saturating_add(1),
            '\n' | '\u{2028}' | '\u{2029}' => (line, column) = (line.saturating_add(1), 1),
            c => column = column.saturating_add(if u32::from(c) > 0xffff { 2 } else { 1 }),
        }
        (at, place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_javascripts_do_and_columns_count_utf16_units() {
        for (before, expected) in [
            ("", (1, 1)),
            ("ab", (1, 3)),
            ("é😀", (1, 4)),
            ("a\nb", (2, 2)),
            ("a\r\nb", (2, 2)),
            ("a\rb", (2, 2)),
            ("a\r\r\nb", (3, 2)),
            ("a\u{2028}b\u{2029}", (3, 1)),
            ("a\r", (2, 1)),
        ] {
            let text = format!("{before}X");
            assert_eq!(of_offset(&text, before.len()), expected, "{before:?}");
            assert_eq!(to_offset(&text, expected.0, expected.1), before.len(), "{before:?} back");
        }
        let text = "a\r\nb\u{2028}😀c";
        let offsets: Vec<usize> = (0..text.len() + 3).collect();
        let singly: Vec<_> = offsets.iter().map(|at| of_offset(text, *at)).collect();
        assert_eq!(of_offsets(text, &offsets), singly, "one pass tells the same");
        assert_eq!(of_offset("ab", 99), (1, 3), "past the end is the end");
        assert_eq!(to_offset("ab\ncd", 1, 99), 2, "past a line's end is its end");
        assert_eq!(to_offset("ab\ncd", 99, 1), 5, "past the last line is the end");
    }
}
