//! Patterns in which each `*` stands for any number of characters.

/// True when `text` is `pattern` with each `*` replaced by some characters. The text between two stars is taken where it comes first: if any
/// way to match exists, this one does too, so that nothing is looked at twice.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, last) = rest.rsplit_once('*').map_or((None, rest), |(middle, last)| (Some(middle), last));
    let Some(mut left) = text.strip_prefix(first).and_then(|left| left.strip_suffix(last)) else { return false };
    for piece in middle.into_iter().flat_map(|middle| middle.split('*')) {
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    true
}

/// True when `wide` matches all that `narrow` matches. A star of `narrow`, taken for an ordinary character, can only stand where a star of
/// `wide` takes it in, and then whatever it stands for is taken in as well.
pub fn covers(wide: &str, narrow: &str) -> bool {
    matches(wide, narrow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_any_number_of_characters_and_what_is_around_them_for_itself() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "abc"),
            ("a*", "a"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("a*c", "abbc"),
            ("a*b*c", "a-b-b-c"),
            ("a**c", "ac"),
            ("*b*", "abc"),
            ("a*bc*d", "abxbcd"),
            ("abc", "abc"),
            ("*aab", "aaab"),
            ("*ab*b", "abb"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a*", "ba"), ("a*a", "a"), ("ab*ba", "aba"), ("a*b*c", "acb"), ("abc", "abcd"), ("", "a"), ("*b*b*", "abc"), ("a*?", "ab")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// The definition, tried out in every way: for short texts only.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
            Some((letter, rest)) => text.split_first().is_some_and(|(first, left)| first == letter && by_definition(rest, left)),
        }
    }

    proptest! {
        #[test]
        fn the_matcher_does_what_the_definition_says(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), by_definition(pattern.as_bytes(), text.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn a_pattern_that_covers_another_matches_all_that_it_matches(wide in "[ab*]{0,6}", narrow in "[ab*]{0,6}", text in "[abc]{0,8}") {
            prop_assert!(!covers(&wide, &narrow) || !matches(&narrow, &text) || matches(&wide, &text));
        }
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one_and_not_the_other_way_round() {
        for (wide, narrow) in [("*", "a*b"), ("a*", "ab*"), ("a*b*", "a*b"), ("ab", "ab")] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("a*b", "*"), ("ab*", "a*"), ("ab", "a*"), ("a*a", "*a")] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_longer_than_its_text_is_long() {
        // Tried out in every way, this would take longer than the sun shines.
        let text = format!("https://good.example/{}", "a".repeat(8000));
        assert!(!matches(&format!("https://{}b", "a*".repeat(16)), &text));
        assert!(!matches(&format!("https://*{}b*", "a*".repeat(4000)), &text));
    }
}
