//! How random a literal is.

/// Lengths of a literal that can be a key, in bytes: longer ones are data.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=256;

/// Lengths of a literal that can be a password.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 12..=256;

/// Least entropy of a key, in bits by character. Source: truffleHog's threshold for base64, as in detect-secrets (4.5).
const KEY_BITS: f64 = 4.5;

/// Least entropy of a password: detect-secrets' threshold for hexadecimal (3.0), whose digits have 4 at most.
const PASSWORD_BITS: f64 = 3.0;

/// Parts of names that are given to credentials.
const NAMES: [&str; 9] = ["token", "secret", "passw", "apikey", "accesskey", "privatekey", "credential", "bearer", "passphrase"];

/// What is written where a credential would stand.
const PLACEHOLDERS: [&str; 8] = ["example", "placeholder", "changeme", "your", "xxxx", "dummy", "${", "todo"];

/// True for a literal with letters of both cases and digits that is as random as a key, and no alphabet and no checksum.
pub(super) fn is_random(text: &str) -> bool {
    let only = || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'~'));
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    KEY_BYTES.contains(&text.len())
        && only()
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && !text.starts_with("sha")
        && !is_placeholder(text)
        && !has_alphabet(text)
        && bits(text) >= KEY_BITS
}

/// True for a literal that can be a credential where its name says that it is one.
pub(super) fn is_password(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    PASSWORD_BYTES.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && has(u8::is_ascii_alphabetic)
        && has(u8::is_ascii_digit)
        && !is_placeholder(text)
        && !has_alphabet(text)
        && !text.contains("://")
        && bits(text) >= PASSWORD_BITS
}

/// True for a name that is given to credentials, however it is cased.
pub(super) fn is_secret_name(name: &str) -> bool {
    if name.len() > 100 {
        return false;
    }
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-' | '$')).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().any(|part| plain.contains(part))
}

/// True for what stands in the place of a credential in documentation.
pub(super) fn is_placeholder(text: &str) -> bool {
    let plain = text.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|part| plain.contains(part))
}

/// True when six neighbours of the alphabet follow each other: a table of digits is as random as a key.
fn has_alphabet(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(6).any(|run| run.windows(2).all(|pair| matches!(pair, [a, b] if *b == a.wrapping_add(1))))
}

/// Shannon entropy of the bytes of `text`, in bits by byte.
fn bits(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = text.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}
