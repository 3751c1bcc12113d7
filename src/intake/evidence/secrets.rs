//! Credentials in known formats. Messages name the kind and never repeat the text.

use super::entropy;
use super::sink::Sink;
use crate::model::Check;

/// What a credential is made of after its prefix.
#[derive(Debug, Clone, Copy)]
enum Digits {
    Upper,
    Hex,
    Word,
    /// Letters, digits, `-` and `_`.
    Dashed,
    /// As [`Digits::Dashed`], and dots.
    Dotted,
}

struct Format {
    kind: &'static str,
    prefix: &'static str,
    digits: Digits,
    /// Fewest of them.
    least: usize,
    /// Most of them, where the length is fixed.
    most: usize,
}

const fn format(kind: &'static str, prefix: &'static str, digits: Digits, least: usize, most: usize) -> Format {
    Format { kind, prefix, digits, least, most }
}

/// Fewest digits of a private key: the shortest, of Ed25519, have 64 in a line.
const PEM_DIGITS: usize = 32;

/// Most characters between the line that announces a private key and its digits.
const GAP_MAX: usize = 16;

/// Most digits that are looked at.
const DIGITS_MAX: usize = 200;

/// Sources: the documentation of each issuer, as collected in the rules of gitleaks 8 and GitHub's secret scanning.
const FORMATS: [Format; 30] = [
    format("an AWS access key id", "AKIA", Digits::Upper, 16, 16),
    format("an AWS access key id", "ASIA", Digits::Upper, 16, 16),
    format("a GitHub token", "ghp_", Digits::Word, 36, DIGITS_MAX),
    format("a GitHub token", "gho_", Digits::Word, 36, DIGITS_MAX),
    format("a GitHub token", "ghu_", Digits::Word, 36, DIGITS_MAX),
    format("a GitHub token", "ghs_", Digits::Word, 36, DIGITS_MAX),
    format("a GitHub token", "ghr_", Digits::Word, 36, DIGITS_MAX),
    format("a GitHub token", "github_pat_", Digits::Dashed, 40, DIGITS_MAX),
    format("a GitLab token", "glpat-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Stripe key", "sk_live_", Digits::Word, 20, DIGITS_MAX),
    format("a Stripe key", "rk_live_", Digits::Word, 20, DIGITS_MAX),
    format("an API key", "sk-", Digits::Dashed, 32, DIGITS_MAX),
    format("a Slack token", "xoxb-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Slack token", "xoxp-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Slack token", "xoxa-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Slack token", "xoxr-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Slack token", "xoxs-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Slack token", "xapp-", Digits::Dashed, 20, DIGITS_MAX),
    format("a Google API key", "AIza", Digits::Dashed, 35, 35),
    format("a Google OAuth secret", "GOCSPX-", Digits::Dashed, 28, DIGITS_MAX),
    format("an npm token", "npm_", Digits::Word, 36, 36),
    format("a PyPI token", "pypi-AgE", Digits::Dashed, 50, DIGITS_MAX),
    format("a SendGrid key", "SG.", Digits::Dotted, 60, DIGITS_MAX),
    format("a Hugging Face token", "hf_", Digits::Word, 34, DIGITS_MAX),
    format("a DigitalOcean token", "dop_v1_", Digits::Hex, 64, 64),
    format("a Shopify token", "shpat_", Digits::Hex, 32, 32),
    format("a Vault token", "hvs.", Digits::Dashed, 24, DIGITS_MAX),
    format("an age key", "AGE-SECRET-KEY-1", Digits::Upper, 58, 58),
    format("a Docker token", "dckr_pat_", Digits::Dashed, 27, DIGITS_MAX),
    format("a JSON Web Token", "eyJ", Digits::Dotted, 40, DIGITS_MAX),
];

/// Tells each credential in the text of a source, comments included.
pub(super) fn scan_text(source: &str, sink: &mut Sink) {
    each(source, |at, kind| {
        sink.hit(Check::SecretFormat, u32::try_from(at).unwrap_or(u32::MAX), format!("a text that looks like {kind}"));
        true
    });
}

/// The kind of the first credential in `text`.
pub(super) fn first(text: &str) -> Option<&'static str> {
    let mut first = None;
    each(text, |_, kind| {
        first = Some(kind);
        false
    });
    first
}

/// Gives `found` each credential, until it says no.
fn each(text: &str, mut found: impl FnMut(usize, &'static str) -> bool) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let bound = at == 0 || bytes.get(at - 1).is_none_or(|before| !before.is_ascii_alphanumeric());
        match bytes.get(at..).filter(|_| bound).and_then(credential) {
            Some((kind, length)) if !found(at, kind) || length == 0 => return,
            Some((_, length)) => at += length,
            None => at += 1,
        }
    }
}

/// The credential that `rest` begins with, and its length.
fn credential(rest: &[u8]) -> Option<(&'static str, usize)> {
    if rest.starts_with(b"-----BEGIN ") {
        return private_key(rest);
    }
    let format = FORMATS.iter().find(|format| rest.starts_with(format.prefix.as_bytes()))?;
    let digits = rest.get(format.prefix.len()..)?;
    let length = digits.iter().take(DIGITS_MAX).take_while(|byte| format.digits.has(**byte)).count();
    let text = std::str::from_utf8(digits.get(..length)?).ok()?;
    let fits = (format.least..=format.most).contains(&length);
    let token = format.prefix != "eyJ" || is_web_token(text);
    // Names of style sheets begin like that.
    let digit = format.prefix != "sk-" || text.bytes().any(|byte| byte.is_ascii_digit());
    (fits && token && digit && !is_made_up(text)).then_some((format.kind, format.prefix.len() + length))
}

/// A PEM block of a private key, of whatever kind, with the beginning of its digits. Line ends, escapes and quotes may stand between the two.
fn private_key(rest: &[u8]) -> Option<(&'static str, usize)> {
    let begin = rest.get(..rest.len().min(64))?;
    let marker = b"PRIVATE KEY-----";
    let end = begin.windows(marker.len()).position(|part| part == marker)? + marker.len();
    let between = rest.get(end..)?.iter().take(GAP_MAX).take_while(|byte| !is_key_digit(**byte)).count();
    let digits = rest.get(end + between..)?;
    // The letter of an escaped line end, `\n`, reads as one of them.
    let length = digits.iter().take(DIGITS_MAX).take_while(|byte| is_key_digit(**byte)).count();
    let skipped = if length == 1 { digits.iter().skip(1).take(GAP_MAX).take_while(|byte| !is_key_digit(**byte)).count() + 1 } else { 0 };
    let digits = digits.get(skipped..)?;
    let length = digits.iter().take(DIGITS_MAX).take_while(|byte| is_key_digit(**byte)).count();
    let text = std::str::from_utf8(digits.get(..length)?).ok()?;
    (length >= PEM_DIGITS && !is_made_up(text)).then_some(("a private key", end))
}

fn is_key_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// True for header, claims and the beginning of a signature; header and claims are objects in base64.
fn is_web_token(text: &str) -> bool {
    let mut parts = text.split('.').skip(1);
    parts.next().is_some_and(|claims| claims.starts_with("eyJ")) && parts.next().is_some_and(|signature| signature.len() >= 10)
}

/// True for what stands in documentation.
fn is_made_up(text: &str) -> bool {
    let mut seen = [false; 256];
    for byte in text.bytes() {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    // Sixteen random digits have nine different ones at least, in all but a few of a million cases.
    seen.iter().filter(|seen| **seen).count() < 7 || entropy::is_placeholder(text)
}

impl Digits {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Dashed => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        }
    }
}
