//! What stands in for secrets: the random token that a run's code gets instead of a value, and decoys that no honest code has a reason to send.

/// How a placeholder begins: whoever meets one in a log knows what it is.
const PLACEHOLDER_PREFIX: &str = "cordon_secret_";

/// Random bytes of a placeholder: not to be guessed, nor met by chance.
const PLACEHOLDER_BYTES: usize = 16;

/// Characters of decoys. Letters and digits only, which no encoding of URLs changes.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Decoys: a name that thieves look for, how its values begin, how many characters follow, and whether these are hex digits.
/// Source: AWS secret access keys have 40 characters, Vault's service tokens `hvs.` and 24 or more, seeds of Ed25519 32 bytes.
const DECOYS: [(&str, &str, usize, Letters); 3] = [
    ("AWS_SECRET_ACCESS_KEY", "", 40, Letters::Alphanumeric),
    ("VAULT_TOKEN", "hvs.", 24, Letters::Alphanumeric),
    ("CORDON_SIGNING_KEY", "", 64, Letters::Hex),
];

/// What a decoy is made of.
#[derive(Clone, Copy)]
enum Letters {
    Alphanumeric,
    Hex,
}

/// A decoy of one run.
pub(super) struct Decoy {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The stand-ins of one run.
pub(super) struct Tokens {
    pub(super) placeholders: Vec<String>,
    pub(super) decoys: Vec<Decoy>,
}

impl Tokens {
    /// As many placeholders as asked for, and all decoys.
    pub(super) fn random(placeholders: usize) -> Result<Self, getrandom::Error> {
        let decoys: usize = DECOYS.iter().map(|(_, _, length, _)| length).sum();
        let mut random = vec![0; placeholders * PLACEHOLDER_BYTES + decoys];
        getrandom::fill(&mut random)?;
        let (first, rest) = random.split_at(placeholders * PLACEHOLDER_BYTES);
        let placeholders =
            first.chunks_exact(PLACEHOLDER_BYTES).map(|bytes| format!("{PLACEHOLDER_PREFIX}{}", hex::encode(bytes))).collect();
        let mut rest = rest.iter().copied();
        let decoys = DECOYS.iter().map(|&(name, prefix, length, letters)| Decoy { name, value: decoy(prefix, length, letters, &mut rest) });
        Ok(Self { placeholders, decoys: decoys.collect() })
    }
}

fn decoy(prefix: &str, length: usize, letters: Letters, random: &mut impl Iterator<Item = u8>) -> String {
    let letter = |byte: u8| match letters {
        Letters::Alphanumeric => char::from(ALPHANUMERIC[usize::from(byte) % ALPHANUMERIC.len()]),
        Letters::Hex => char::from_digit(u32::from(byte & 0xf), 16).unwrap_or('0'),
    };
    prefix.chars().chain(random.take(length).map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_from_each_other_and_from_run_to_run() {
        let runs = [Tokens::random(3).expect("random"), Tokens::random(3).expect("random")];
        let all: Vec<&String> =
            runs.iter().flat_map(|run| run.placeholders.iter().chain(run.decoys.iter().map(|decoy| &decoy.value))).collect();
        let distinct: std::collections::BTreeSet<&String> = all.iter().copied().collect();
        assert_eq!((all.len(), distinct.len()), (12, 12));
        for placeholder in runs.iter().flat_map(|run| &run.placeholders) {
            let digits = placeholder.strip_prefix("cordon_secret_").expect("the prefix");
            assert!(digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()), "{placeholder}");
        }
    }

    #[test]
    fn decoys_look_like_what_they_are_named_after() {
        let decoys = Tokens::random(0).expect("random").decoys;
        let value = |name: &str| decoys.iter().find(|decoy| decoy.name == name).map(|decoy| decoy.value.as_str()).expect("a decoy");
        assert!(value("AWS_SECRET_ACCESS_KEY").len() == 40 && value("VAULT_TOKEN").starts_with("hvs.") && value("VAULT_TOKEN").len() == 28);
        assert!(hex::decode(value("CORDON_SIGNING_KEY")).is_ok_and(|seed| seed.len() == 32));
    }
}
