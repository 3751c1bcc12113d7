//! Digests and HMAC.

use super::{Bytes, Fault, Hash, with_hash};
use deno_core::op2;
use deno_error::JsErrorBox;
use hmac::{Hmac, Mac as _};
use sha2::Digest as _;

pub(super) fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    with_hash!(hash, D => D::digest(data).to_vec())
}

// A key of any length is fine for HMAC; its constructor has an error only for algorithms that are choosier.
const NO_KEY: Fault = Fault::Operation("the key cannot be used");

fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    with_hash!(hash, D => {
        let mac = Hmac::<D>::new_from_slice(key).map_err(|_| NO_KEY)?;
        Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
    })
}

/// Whether `tag` is the whole code of `data`, compared in constant time.
fn hmac_verify(hash: Hash, key: &[u8], tag: &[u8], data: &[u8]) -> Result<bool, Fault> {
    with_hash!(hash, D => {
        let mac = Hmac::<D>::new_from_slice(key).map_err(|_| NO_KEY)?;
        Ok(mac.chain_update(data).verify_slice(tag).is_ok())
    })
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_digest(#[string] hash: &str, #[buffer] data: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(digest(Hash::named(hash)?, data).into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_hmac(#[string] hash: &str, #[buffer] key: &[u8], #[buffer] data: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(hmac(Hash::named(hash)?, key, data)?.into())
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_hmac_verify(
    #[string] hash: &str,
    #[buffer] key: &[u8],
    #[buffer] tag: &[u8],
    #[buffer] data: &[u8],
) -> Result<bool, JsErrorBox> {
    Ok(hmac_verify(Hash::named(hash)?, key, tag, data)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180_and_codes_those_of_rfc_4231() {
        let text = |hash| hex::encode(digest(hash, b"abc"));
        assert_eq!(text(Hash::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(text(Hash::Sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(text(Hash::Sha384).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
        assert!(text(Hash::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
        // RFC 4231, test case 2.
        let code = |hash| hex::encode(hmac(hash, b"Jefe", b"what do ya want for nothing?").expect("a code"));
        assert_eq!(code(Hash::Sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(code(Hash::Sha384).starts_with("af45d2e376484031617f78d2b58a6b1b"));
        assert!(code(Hash::Sha512).starts_with("164b7a7bfcf819e2e395fbe73b56e0a3"));
        // RFC 2202, test case 2.
        assert_eq!(code(Hash::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn a_code_that_is_cut_or_changed_is_not_the_code() {
        let mut tag = hmac(Hash::Sha256, b"", b"").expect("a code");
        assert_eq!(hmac_verify(Hash::Sha256, b"", &tag, b""), Ok(true));
        assert_eq!(hmac_verify(Hash::Sha256, b"", &tag[..31], b""), Ok(false));
        assert_eq!(hmac_verify(Hash::Sha256, b"", &[], b""), Ok(false));
        tag[31] ^= 1;
        assert_eq!(hmac_verify(Hash::Sha256, b"", &tag, b""), Ok(false));
    }
}
