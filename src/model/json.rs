//! One validator for JSON text that comes out of a cell: size and depth capped, without recursion.

use serde::de::IgnoredAny;

/// Deepest nesting of a result. Source: the depth that common JSON readers accept without configuration is 100 to 1,000.
pub const RESULT_DEPTH_MAX: usize = 512;

/// What JSON text from a cell may be.
#[derive(Debug, Clone, Copy)]
pub struct JsonCaps {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects.
    pub depth: usize,
}

/// Caused by a cell that sent text that is not JSON or breaks the caps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Longer than allowed.
    #[error("the text has {bytes} bytes, at most {most} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The cap.
        most: usize,
    },
    /// Nested more deeply than allowed.
    #[error("the text nests deeper than {0} levels")]
    TooDeep(usize),
    /// Not JSON.
    #[error("the text is not JSON: {0}")]
    NotJson(String),
}

/// Says whether `text` is exactly one JSON value inside `caps`.
pub fn check_json(text: &str, caps: JsonCaps) -> Result<(), JsonFault> {
    if text.len() > caps.bytes {
        return Err(JsonFault::TooLong { bytes: text.len(), most: caps.bytes });
    }
    if json_depth(text) > caps.depth {
        return Err(JsonFault::TooDeep(caps.depth));
    }
    // Depth is bounded above, so serde_json's own recursion guard is not what protects the stack here.
    let mut parser = serde_json::Deserializer::from_str(text);
    <IgnoredAny as serde::Deserialize>::deserialize(&mut parser)
        .and_then(|_| parser.end())
        .map_err(|error| JsonFault::NotJson(error.to_string()))
}

/// The deepest nesting of brackets outside strings. Meaningful for any text, exact for JSON.
pub fn json_depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in text.bytes() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: JsonCaps = JsonCaps { bytes: 40, depth: 3 };

    #[test]
    fn text_at_each_cap_passes_and_one_past_it_fails() {
        assert_eq!(check_json("[[[1]]]", CAPS), Ok(()));
        assert_eq!(check_json("[[[[1]]]]", CAPS), Err(JsonFault::TooDeep(3)));
        let exact = format!("\"{}\"", "x".repeat(38));
        assert_eq!(check_json(&exact, CAPS), Ok(()));
        assert!(matches!(check_json(&format!("{exact} "), CAPS), Err(JsonFault::TooLong { bytes: 41, most: 40 })));
        assert_eq!(check_json(r#"["]]]]]","\"[[[["]"#, CAPS), Ok(()));
    }

    #[test]
    fn what_is_not_one_json_value_is_refused() {
        for text in ["", "1 2", "{", "undefined", "{\"a\":1},", "NaN", "\"\u{1}\""] {
            assert!(matches!(check_json(text, CAPS), Err(JsonFault::NotJson(_))), "{text}");
        }
    }
}
