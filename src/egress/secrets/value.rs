//! One real value: wiped from memory when it is no longer needed, never shown, and of a form that a header can carry and a scrubber can find.

use super::source::Trouble;
use secrecy::{ExposeSecret, SecretSlice};
use std::fmt;
use zeroize::Zeroizing;

/// Shortest value, in bytes. A shorter one turns up in honest answers by chance, so that it could not be taken out without spoiling them.
pub(super) const VALUE_BYTES_MIN: usize = 8;

/// Longest value, in bytes: what common servers accept in one header.
pub(super) const VALUE_BYTES_MAX: usize = 8192;

/// A value. Its `Debug` form hides it.
pub(super) struct Value(SecretSlice<u8>);

impl Value {
    /// The value that `bytes` are.
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, Trouble> {
        let inner = bytes.iter().all(|&byte| byte >= b' ' && byte != 0x7f);
        let padded = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
        match bytes.len() {
            0 => Err(Trouble::new("its value is empty", "put the value there")),
            1..VALUE_BYTES_MIN => {
                Err(Trouble::new("its value is too short to be kept secret", format!("use a value of at least {VALUE_BYTES_MIN} bytes")))
            }
            VALUE_BYTES_MIN..=VALUE_BYTES_MAX if !inner => Err(Trouble::new(
                "its value has a line break or another control character, which no header can carry",
                "put only the value there, on one line",
            )),
            VALUE_BYTES_MIN..=VALUE_BYTES_MAX if padded => {
                Err(Trouble::new("its value starts or ends with a space, which a header would lose", "remove the space"))
            }
            VALUE_BYTES_MIN..=VALUE_BYTES_MAX => Ok(Self(SecretSlice::from(bytes.to_vec()))),
            _ => Err(Trouble::new(
                format!("its value is longer than {VALUE_BYTES_MAX} bytes, which no header can carry"),
                "put only the value there",
            )),
        }
    }

    /// The value of a file's text: one line break at its end, as editors leave it, is not part of it.
    pub(super) fn of_file(mut text: Zeroizing<Vec<u8>>) -> Result<Self, Trouble> {
        if text.last() == Some(&b'\n') {
            text.pop();
            if text.last() == Some(&b'\r') {
                text.pop();
            }
        }
        Self::new(text)
    }

    /// The bytes, for whoever sends or hides them.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &[u8]) -> Result<Vec<u8>, String> {
        Value::new(Zeroizing::new(text.to_vec())).map(|value| value.expose().to_vec()).map_err(|trouble| trouble.what)
    }

    fn file(text: &[u8]) -> Option<Vec<u8>> {
        Value::of_file(Zeroizing::new(text.to_vec())).ok().map(|value| value.expose().to_vec())
    }

    #[test]
    fn a_value_has_8_bytes_to_8_kib() {
        assert!(value(b"").is_err_and(|what| what.contains("empty")));
        assert!(value(b"1234567").is_err_and(|what| what.contains("too short to be kept secret")));
        assert_eq!(value(b"12345678"), Ok(b"12345678".to_vec()));
        assert!(value(&[b'x'; VALUE_BYTES_MAX]).is_ok());
        assert!(value(&[b'x'; VALUE_BYTES_MAX + 1]).is_err_and(|what| what.contains("longer than 8192")));
    }

    #[test]
    fn a_value_that_would_break_or_change_a_header_is_refused() {
        for byte in (0..b' ').chain([0x7f]) {
            for bad in
                [[b"1234", &[byte][..], b"56789"].concat(), [b"123456789", &[byte][..]].concat(), [&[byte][..], b"123456789"].concat()]
            {
                assert!(value(&bad).is_err(), "{bad:?}");
            }
        }
        assert!(value(b" 123456789").is_err() && value(b"123456789 ").is_err());
        assert!(value(b"1234 56789").is_ok() && value("schl\u{fc}ssel-1".as_bytes()).is_ok());
    }

    #[test]
    fn one_line_break_at_the_end_of_a_file_is_not_part_of_the_value() {
        assert_eq!(file(b"12345678\n"), Some(b"12345678".to_vec()));
        assert_eq!(file(b"12345678\r\n"), Some(b"12345678".to_vec()));
        assert_eq!(file(b"12345678"), Some(b"12345678".to_vec()));
        assert_eq!(file(b"12345678\n\n"), None);
        assert_eq!(file(b"1234567\n"), None);
        assert_eq!(file(b"12345678\r"), None);
    }

    #[test]
    fn debug_shows_nothing_of_a_value() {
        let value = Value::new(Zeroizing::new(b"correct-horse".to_vec())).expect("a value");
        assert_eq!(format!("{value:?}"), "(hidden)");
        assert!(!format!("{:?}", std::sync::Arc::new(value)).contains("horse"));
    }
}
