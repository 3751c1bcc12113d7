//! The spellings in which a value leaves or comes back: what is searched for. Best effort by nature: a value that was cut up, compressed, reversed or
//! encrypted has no spelling here.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use zeroize::{Zeroize, Zeroizing};

/// Spellings of one text, which are wiped when they are no longer needed.
pub(super) struct Spellings(BTreeSet<Vec<u8>>);

impl Spellings {
    /// The spellings of a token of ours, for a search that takes upper and lower case for the same. Its escapes are undone before the search.
    pub(super) fn of_token(token: &str) -> Self {
        let mut all = Self(BTreeSet::new());
        all.add(token.as_bytes());
        all.add_base64(token.as_bytes());
        all.add(hex::encode(token).as_bytes());
        all
    }

    /// The spellings of a real value, for a search that tells upper from lower case.
    pub(super) fn of_value(value: &[u8]) -> Self {
        let mut all = Self(BTreeSet::new());
        all.add(value);
        // As names of headers and of hosts come.
        all.add(Zeroizing::new(value.to_ascii_lowercase()).as_slice());
        all.add_base64(value);
        all.add(Zeroizing::new(hex::encode(value)).as_bytes());
        all.add(Zeroizing::new(hex::encode_upper(value)).as_bytes());
        all.add_percent(value);
        if let Ok(text) = std::str::from_utf8(value) {
            all.add_quoted(text);
        }
        all
    }

    /// The spellings.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    fn add(&mut self, spelling: &[u8]) {
        if !spelling.is_empty() {
            self.0.insert(spelling.to_vec());
        }
    }

    /// Base64 of a text that has `bytes` somewhere in it: the characters that depend on `bytes` alone, for each of the three ways in which they can
    /// fall into groups of three. The one or two characters at each end that mix with the neighbours are left out, so padding does not matter.
    fn add_base64(&mut self, bytes: &[u8]) {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            for before in 0..3 {
                let text = encoded(engine, before, bytes);
                let first = [0, 2, 3][before];
                let last = (before + bytes.len()) * 8 / 6;
                self.add(text.as_bytes().get(first..last).unwrap_or_default());
            }
        }
    }

    /// Percent-encoding as browsers, forms and careful libraries do it: who escapes what differs, as does the case of the digits.
    fn add_percent(&mut self, bytes: &[u8]) {
        let component = |byte: u8| b"-_.!~*'()".contains(&byte);
        let strict = |byte: u8| b"-_.~".contains(&byte);
        let form = |byte: u8| b"-_.*".contains(&byte);
        let whole = |byte: u8| b"-_.!~*'();/?:@&=+$,#".contains(&byte);
        let kept: [&dyn Fn(u8) -> bool; 4] = [&component, &strict, &form, &whole];
        for keeps in kept {
            for (space, digits) in [("%20", Digits::Upper), ("%20", Digits::Lower), ("+", Digits::Upper), ("+", Digits::Lower)] {
                self.add(percent(bytes, space, digits, |byte| byte.is_ascii_alphanumeric() || keeps(byte)).as_bytes());
            }
        }
        self.add(percent(bytes, "%20", Digits::Upper, |_| false).as_bytes());
        self.add(percent(bytes, "%20", Digits::Lower, |_| false).as_bytes());
    }

    /// As a string in JSON and in HTML, and as UTF-8 of what was taken for Latin-1.
    fn add_quoted(&mut self, text: &str) {
        let json = |escapes: fn(char) -> bool| {
            let mut quoted = Zeroizing::new(String::with_capacity(12 * text.len()));
            for c in text.chars() {
                match c {
                    '"' | '\\' => quoted.extend(['\\', c]),
                    c if escapes(c) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(quoted, "\\u{unit:04x}")),
                    c => quoted.push(c),
                }
            }
            quoted
        };
        self.add(json(|_| false).as_bytes());
        self.add(json(|c| !c.is_ascii()).as_bytes());
        self.add(json(|c| !c.is_ascii() || matches!(c, '<' | '>' | '&' | '\'')).as_bytes());
        self.add(Zeroizing::new(json(|_| false).replace('/', "\\/")).as_bytes());
        for apostrophe in ["&#39;", "&#x27;"] {
            self.add(html(text, apostrophe).as_bytes());
        }
        let latin: Zeroizing<String> = Zeroizing::new(text.bytes().map(char::from).collect());
        self.add(latin.as_bytes());
    }
}

impl Drop for Spellings {
    fn drop(&mut self) {
        std::mem::take(&mut self.0).into_iter().for_each(|mut spelling| spelling.zeroize());
    }
}

fn encoded(engine: &GeneralPurpose, before: usize, bytes: &[u8]) -> Zeroizing<String> {
    let mut padded = Zeroizing::new(Vec::with_capacity(before + bytes.len()));
    padded.resize(before, 0);
    padded.extend_from_slice(bytes);
    Zeroizing::new(engine.encode(&*padded))
}

/// Case of the digits of an escape.
#[derive(Clone, Copy)]
enum Digits {
    Upper,
    Lower,
}

fn percent(bytes: &[u8], space: &str, digits: Digits, keeps: impl Fn(u8) -> bool) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    for &byte in bytes {
        match (byte, digits) {
            (b' ', _) => text.push_str(space),
            (byte, _) if byte.is_ascii() && keeps(byte) => text.push(char::from(byte)),
            (byte, Digits::Upper) => _ = write!(text, "%{byte:02X}"),
            (byte, Digits::Lower) => _ = write!(text, "%{byte:02x}"),
        }
    }
    text
}

fn html(text: &str, apostrophe: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(6 * text.len()));
    for c in text.chars() {
        match c {
            '&' => quoted.push_str("&amp;"),
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '"' => quoted.push_str("&quot;"),
            '\'' => quoted.push_str(apostrophe),
            c => quoted.push(c),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_searched_for_in_lower_case_too() {
        let all = Spellings::of_value(b"Mixed-Case-Value");
        assert!(all.iter().any(|spelling| spelling == b"mixed-case-value"));
    }
}
