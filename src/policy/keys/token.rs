//! The token that a key's holder sends: `ck_<id>_<secret>`.

use crate::model::Digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Bytes of a key's id, written as 12 hex digits.
const ID_BYTES: usize = 6;

/// Bytes of a key's secret, written as 43 characters of base64url.
const SECRET_BYTES: usize = 32;

/// A key's public id: 12 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// The id written as `text`; none when it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 2 * ID_BYTES && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key in the clear: shown once, to whoever created it. Its `Debug` form hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: KeyId,
    secret: [u8; SECRET_BYTES],
}

impl Token {
    pub(super) fn random(id: KeyId) -> Result<Self, getrandom::Error> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self { id, secret })
    }

    /// The token written as `text`; none when it has another form. Each token has exactly one form.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("ck_")?.split_at_checked(2 * ID_BYTES)?;
        let secret = URL_SAFE_NO_PAD.decode(secret.strip_prefix('_')?).ok()?;
        Some(Self { id: KeyId::parse(id)?, secret: secret.try_into().ok()? })
    }

    /// The token as its holder sends it. To be shown once and kept nowhere.
    pub fn reveal(&self) -> String {
        format!("ck_{}_{}", self.id, URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// The key's id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// SHA-256 of the secret: what is stored. The secret has 256 random bits, so no slow hash is needed.
    pub(super) fn hash(&self) -> Digest {
        Digest::of(&self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ck_{}_(hidden)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token() -> Token {
        Token::random(KeyId::random().expect("random")).expect("random")
    }

    #[test]
    fn a_token_reads_back_what_it_writes_and_hides_itself_in_logs() {
        let token = token();
        let text = token.reveal();
        assert_eq!(text.len(), 3 + 12 + 1 + 43);
        assert_eq!(Token::parse(&text), Some(token.clone()));
        assert!(!format!("{token:?}").contains(&text[16..]));
    }

    #[test]
    fn a_token_of_another_form_is_none() {
        let text = token().reveal();
        let id = &text[3..15];
        let upper = text.replacen(id, &id.to_uppercase(), 1);
        let wrong = [
            String::new(),
            text[1..].to_owned(),
            text[..58].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            format!(" {text}"),
            text.replacen("ck_", "CK_", 1),
        ];
        assert!(wrong.iter().all(|wrong| Token::parse(wrong).is_none()));
        assert_eq!(Token::parse(&upper).is_some(), upper == text);
    }

    proptest! {
        #[test]
        fn any_text_that_parses_is_the_one_form_of_its_token(text in "ck_[0-9a-f]{12}_[A-Za-z0-9_-]{42,44}") {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in ".{0,80}") {
            let _parsed: Option<Token> = Token::parse(&text);
        }
    }
}
