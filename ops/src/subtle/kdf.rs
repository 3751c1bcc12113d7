//! Keys from keys and passwords. The output's length is the script's: it makes the buffer that is filled, so it is counted as the guest's memory.

use super::{Fault, Hash, with_hash};
use deno_core::op2;
use deno_error::JsErrorBox;

fn hkdf(hash: Hash, key: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    with_hash!(hash, D => hkdf::Hkdf::<D>::new(Some(salt), key).expand(info, out))
        .map_err(|_| Fault::Operation("HKDF gives at most 255 times the length of its hash"))
}

/// `rounds` of any size: the run's CPU budget ends what takes too long.
fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]) -> Result<(), Fault> {
    if rounds == 0 {
        return Err(Fault::Operation("PBKDF2 needs at least one iteration"));
    }
    with_hash!(hash, D => pbkdf2::pbkdf2_hmac::<D>(password, salt, rounds, out));
    Ok(())
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_hkdf(
    #[string] hash: &str,
    #[buffer] key: &[u8],
    #[buffer] salt: &[u8],
    #[buffer] info: &[u8],
    #[buffer] out: &mut [u8],
) -> Result<(), JsErrorBox> {
    Ok(hkdf(Hash::named(hash)?, key, salt, info, out)?)
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_pbkdf2(
    #[string] hash: &str,
    #[buffer] password: &[u8],
    #[buffer] salt: &[u8],
    rounds: u32,
    #[buffer] out: &mut [u8],
) -> Result<(), JsErrorBox> {
    Ok(pbkdf2(Hash::named(hash)?, password, salt, rounds, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_gives_what_rfc_5869_says_and_nothing_past_its_end() {
        // Appendix A.1 and A.3.
        let (key, salt, info) =
            ([0x0b; 22], hex::decode("000102030405060708090a0b0c").expect("hex"), hex::decode("f0f1f2f3f4f5f6f7f8f9").expect("hex"));
        let mut out = [0; 42];
        hkdf(Hash::Sha256, &key, &salt, &info, &mut out).expect("bytes");
        assert_eq!(hex::encode(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
        hkdf(Hash::Sha256, &key, &[], &[], &mut out).expect("bytes");
        assert_eq!(hex::encode(out), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
        assert!(hkdf(Hash::Sha1, &key, &[], &[], &mut [0; 255 * 20]).is_ok());
        assert!(hkdf(Hash::Sha1, &key, &[], &[], &mut [0; 255 * 20 + 1]).is_err());
    }

    #[test]
    fn pbkdf2_gives_what_rfc_6070_and_rfc_7914_say() {
        let mut out = [0; 20];
        pbkdf2(Hash::Sha1, b"password", b"salt", 4096, &mut out).expect("bytes");
        assert_eq!(hex::encode(out), "4b007901b765489abead49d926f721d065a429c1");
        let mut out = [0; 64];
        pbkdf2(Hash::Sha256, b"passwd", b"salt", 1, &mut out).expect("bytes");
        let expected = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783";
        assert_eq!(hex::encode(out), expected);
        assert!(pbkdf2(Hash::Sha256, b"", b"", 0, &mut out).is_err());
        assert!(pbkdf2(Hash::Sha256, b"", b"", 1, &mut []).is_ok());
    }
}
