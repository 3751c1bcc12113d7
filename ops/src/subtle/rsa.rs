//! RSASSA-PKCS1-v1_5 and RSA-PSS. Private operations are blinded.

use super::rsa_key::{private, public};
use super::{Bytes, Fault, Hash, Kernel, mac, with_hash};
use ::rsa::traits::PublicKeyParts as _;
use ::rsa::{BigUint, Pkcs1v15Sign, Pss};
use deno_core::op2;
use deno_error::JsErrorBox;

const NOT_SIGNED: Fault = Fault::Operation("this key is too short for this hash and salt");

/// How a digest becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Pkcs1,
    /// With the length of its salt in bytes.
    Pss(usize),
}

impl Scheme {
    /// `salt` is negative for the scheme that has none.
    fn of_salt(salt: f64) -> Self {
        if salt < 0.0 { Self::Pkcs1 } else { Self::Pss(salt as usize) }
    }

    /// Whether a modulus of `bits` has room. The library would allocate a salt of any length first.
    fn fits(self, hash: Hash, bits: usize) -> bool {
        match self {
            Self::Pkcs1 => true,
            Self::Pss(salt) => mac::digest(hash, &[]).len().saturating_add(salt).saturating_add(2) <= bits.saturating_sub(1).div_ceil(8),
        }
    }
}

fn sign(scheme: Scheme, hash: Hash, der: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let key = private(der)?;
    if !scheme.fits(hash, key.n().bits()) {
        return Err(NOT_SIGNED);
    }
    let digest = mac::digest(hash, data);
    with_hash!(hash, D => match scheme {
        Scheme::Pkcs1 => key.sign_with_rng(&mut Kernel, Pkcs1v15Sign::new::<D>(), &digest),
        Scheme::Pss(salt) => key.sign_with_rng(&mut Kernel, Pss::new_blinded_with_salt::<D>(salt), &digest),
    })
    .map_err(|_| NOT_SIGNED)
}

fn verify(scheme: Scheme, hash: Hash, der: &[u8], signature: &[u8], data: &[u8]) -> Result<bool, Fault> {
    let key = public(der)?;
    // RFC 8017, sections 8.1.2 and 8.2.2: of the modulus' length, and below it.
    if !scheme.fits(hash, key.n().bits()) || signature.len() != key.size() || BigUint::from_bytes_be(signature) >= *key.n() {
        return Ok(false);
    }
    let digest = mac::digest(hash, data);
    let verified = with_hash!(hash, D => match scheme {
        Scheme::Pkcs1 => key.verify(Pkcs1v15Sign::new::<D>(), &digest, signature),
        Scheme::Pss(salt) => key.verify(Pss::new_with_salt::<D>(salt), &digest, signature),
    });
    Ok(verified.is_ok())
}

/// `salt` is the length of the salt of RSA-PSS in bytes; negative for RSASSA-PKCS1-v1_5.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_sign(
    #[string] hash: &str,
    salt: f64,
    #[buffer] der: &[u8],
    #[buffer] data: &[u8],
) -> Result<Bytes, JsErrorBox> {
    Ok(sign(Scheme::of_salt(salt), Hash::named(hash)?, der, data)?.into())
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_rsa_verify(
    #[string] hash: &str,
    salt: f64,
    #[buffer] der: &[u8],
    #[buffer] signature: &[u8],
    #[buffer] data: &[u8],
) -> Result<bool, JsErrorBox> {
    Ok(verify(Scheme::of_salt(salt), Hash::named(hash)?, der, signature, data)?)
}

#[cfg(test)]
mod tests {
    use super::super::rsa_key::tests::pair;
    use super::*;

    #[test]
    fn each_scheme_and_hash_verifies_its_own_and_nothing_else() {
        let (private, public) = pair();
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384] {
            for scheme in [Scheme::Pkcs1, Scheme::Pss(0), Scheme::Pss(20)] {
                let mut signature = sign(scheme, hash, private, b"data").expect("signed");
                assert_eq!(verify(scheme, hash, public, &signature, b"data"), Ok(true));
                assert_eq!(verify(scheme, hash, public, &signature, b"date"), Ok(false));
                assert_eq!(verify(Scheme::Pss(21), hash, public, &signature, b"data"), Ok(false));
                assert_eq!(verify(scheme, Hash::Sha512, public, &signature, b"data"), Ok(false));
                assert_eq!(verify(scheme, hash, public, &signature[1..], b"data"), Ok(false));
                signature[100] ^= 1;
                assert_eq!(verify(scheme, hash, public, &signature, b"data"), Ok(false));
            }
        }
        assert_eq!(verify(Scheme::Pkcs1, Hash::Sha1, public, &[0xff; 128], b""), Ok(false));
    }

    #[test]
    fn a_salt_at_the_limit_fits_and_one_past_it_does_not() {
        let (private, public) = pair();
        let most = 128 - 64 - 2;
        let signature = sign(Scheme::Pss(most), Hash::Sha512, private, b"").expect("signed");
        assert_eq!(verify(Scheme::Pss(most), Hash::Sha512, public, &signature, b""), Ok(true));
        for salt in [most + 1, u32::MAX as usize, usize::MAX] {
            assert_eq!(sign(Scheme::Pss(salt), Hash::Sha512, private, b""), Err(NOT_SIGNED));
            assert_eq!(verify(Scheme::Pss(salt), Hash::Sha512, public, &signature, b""), Ok(false));
        }
    }

    #[test]
    fn the_signature_of_rfc_7515_is_made_again() {
        // Appendix A.2: RSASSA-PKCS1-v1_5 has one signature per key and data.
        let jwk: serde_json::Value = serde_json::from_str(include_str!("rfc7515_a2.json")).expect("JSON");
        let text = |name: &str| jwk[name].as_str().expect("text").to_owned();
        let members = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(text);
        let private = super::super::rsa_key::of_jwk(&members).expect("a key");
        let signature = sign(Scheme::Pkcs1, Hash::Sha256, &private, text("input").as_bytes()).expect("signed");
        assert_eq!(super::super::to_text(&signature), text("signature"));
        let public = super::super::rsa_key::of_jwk(&members[..2]).expect("a key");
        assert_eq!(verify(Scheme::Pkcs1, Hash::Sha256, &public, &signature, text("input").as_bytes()), Ok(true));
    }

    /// A key whose parts agree and whose "primes" are odd multiples of small numbers.
    const COMPOSITE: [&str; 8] = [
        "qGrKtMSJMBr-AkllByGSWD5TbgeskjKtWCJ_ath8DBmLOWM3LlJiPDONiS3ikCAGpibejsYuB4MS9_hY2in5Hw",
        "AQAB",
        "LLXxK41TmFxKG-RNOFfuyJN_RaIu678datz5s61WPUWqgPMcnYl-6AjcXHPVl-DPRpl6brr1TttD8Bv6qerRHQ",
        "0j8IJBKLLzMMXH_QpqOkUGUTJw4mng038qdN5FLmtCs",
        "zRFuzhc499k9nBckEeILj2sNVJtvA2daFgCjWgmZUN0",
        "sxR5TLB22Vcz-j3sbWQJe2j8bVHCVvGPbCJRWF-8nk0",
        "aA84kwvltJ9gTBzSCOETzKseEJjvNGL1q8SXH9FPI2E",
        "q0frXVTQoOgztgbzbNN90HHBgDcUB9HCYoR7cC0wk9w",
    ];

    #[test]
    fn a_key_of_composite_numbers_does_not_panic_and_what_it_signs_is_verified() {
        let members = COMPOSITE.map(str::to_owned);
        let private = super::super::rsa_key::of_jwk(&members).expect("nobody tests for primes");
        let public = super::super::rsa_key::of_jwk(&members[..2]).expect("a key");
        for data in [&b""[..], b"a", b"b", b"c"] {
            for scheme in [Scheme::Pkcs1, Scheme::Pss(20)] {
                let signature = sign(scheme, Hash::Sha1, &private, data);
                assert!(
                    signature.is_err() || verify(scheme, Hash::Sha1, &public, &signature.expect("signed"), data).is_ok_and(|good| good)
                );
            }
        }
    }
}
