//! RSA-OAEP, RFC 8017 section 7.1, over the library's plain arithmetic: its own padding takes labels of text only, and a label is any bytes.

use super::aes::Way;
use super::rsa_key::{private, public};
use super::{Bytes, Fault, Hash, Kernel, mac};
use ::rsa::BigUint;
use ::rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use ::rsa::rand_core::RngCore as _;
use ::rsa::traits::PublicKeyParts as _;
use deno_core::op2;
use deno_error::JsErrorBox;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

const TOO_LONG: Fault = Fault::Operation("the data is longer than this key can encrypt");
/// One answer for whatever was wrong, as the RFC asks for.
const NOT_DECRYPTED: Fault = Fault::Operation("decryption failed");

/// MGF1 of `seed`, as many bytes as `out` has, added into it.
fn mask(hash: Hash, seed: &[u8], out: &mut [u8]) {
    let size = mac::digest(hash, &[]).len();
    for (counter, piece) in (0u32..).zip(out.chunks_mut(size)) {
        let block = mac::digest(hash, &[seed, &counter.to_be_bytes()].concat());
        piece.iter_mut().zip(block).for_each(|(byte, mask)| *byte ^= mask);
    }
}

fn encrypt(hash: Hash, der: &[u8], label: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let key = public(der)?;
    let (size, label) = (key.size(), mac::digest(hash, label));
    let hash_bytes = label.len();
    let room = size.checked_sub(2 * hash_bytes + 2).filter(|room| data.len() <= *room).ok_or(TOO_LONG)?;
    let mut block = [&label[..], &vec![0; room - data.len()], &[1], data].concat();
    let mut seed = vec![0; hash_bytes];
    Kernel.fill_bytes(&mut seed);
    mask(hash, &seed, &mut block);
    mask(hash, &block, &mut seed);
    let number = BigUint::from_bytes_be(&[seed, block].concat());
    Ok(padded(&rsa_encrypt(&key, &number).map_err(|_| TOO_LONG)?, size))
}

fn padded(number: &BigUint, size: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; size.saturating_sub(bytes.len())], bytes].concat()
}

fn decrypt(hash: Hash, der: &[u8], label: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let key = private(der)?;
    let (size, label) = (key.size(), mac::digest(hash, label));
    let hash_bytes = label.len();
    if data.len() != size || size < 2 * hash_bytes + 2 {
        return Err(NOT_DECRYPTED);
    }
    let number = rsa_decrypt_and_check(&key, Some(&mut Kernel), &BigUint::from_bytes_be(data)).map_err(|_| NOT_DECRYPTED)?;
    let mut whole = padded(&number, size);
    let (head, block) = whole.split_at_mut(1 + hash_bytes);
    let (first, seed) = head.split_at_mut(1);
    mask(hash, block, seed);
    mask(hash, seed, block);
    let (given, rest) = block.split_at(hash_bytes);
    let good = first.ct_eq(&[0]) & given.ct_eq(&label);
    let (found, at) = one_after_zeros(rest);
    if bool::from(good & found) { rest.get(at as usize + 1..).map(<[u8]>::to_vec).ok_or(NOT_DECRYPTED) } else { Err(NOT_DECRYPTED) }
}

/// Whether `bytes` are zeros and then a one, and where the one is; in a time that tells neither.
fn one_after_zeros(bytes: &[u8]) -> (Choice, u32) {
    let (mut looking, mut good, mut at) = (Choice::from(1), Choice::from(1), 0u32);
    for (index, byte) in (0u32..).zip(bytes) {
        let (zero, one) = (byte.ct_eq(&0), byte.ct_eq(&1));
        at.conditional_assign(&index, looking & one);
        good &= !looking | zero | one;
        looking &= !one;
    }
    (good & !looking, at)
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_oaep(
    encrypts: bool,
    #[string] hash: &str,
    #[buffer] der: &[u8],
    #[buffer] label: &[u8],
    #[buffer] data: &[u8],
) -> Result<Bytes, JsErrorBox> {
    let hash = Hash::named(hash)?;
    let done = match Way::encrypts(encrypts) {
        Way::Encrypt => encrypt(hash, der, label, data),
        Way::Decrypt => decrypt(hash, der, label, data),
    };
    Ok(done?.into())
}

#[cfg(test)]
mod tests {
    use super::super::rsa_key::tests::pair;
    use super::*;
    use ::rsa::Oaep;

    #[test]
    fn the_librarys_own_padding_reads_what_is_written_here_and_the_other_way_round() {
        let (der, public_der) = pair();
        let (key, public_key) = (private(der).expect("a key"), public(public_der).expect("a key"));
        for data in [&b""[..], b"\x00\x01", b"data"] {
            let ours = encrypt(Hash::Sha256, public_der, b"label", data).expect("encrypted");
            assert_eq!(key.decrypt(Oaep::new_with_label::<sha2::Sha256, _>("label"), &ours).expect("decrypted"), data);
            let theirs = public_key.encrypt(&mut Kernel, Oaep::new::<sha1::Sha1>(), data).expect("encrypted");
            assert_eq!(decrypt(Hash::Sha1, der, b"", &theirs).expect("decrypted"), data);
        }
    }

    #[test]
    fn data_at_the_limit_is_encrypted_and_one_past_it_is_not() {
        let (private, public) = pair();
        let most = 128 - 2 * 20 - 2;
        let label = [0xff, 0, 0xfe];
        let sealed = encrypt(Hash::Sha1, public, &label, &vec![7; most]).expect("encrypted");
        assert_eq!(decrypt(Hash::Sha1, private, &label, &sealed), Ok(vec![7; most]));
        assert_eq!(encrypt(Hash::Sha1, public, &label, &vec![7; most + 1]), Err(TOO_LONG));
        // 512 bits of hash twice leave no room in 1024.
        assert_eq!(encrypt(Hash::Sha512, public, &[], &[]), Err(TOO_LONG));
        assert_eq!(decrypt(Hash::Sha512, private, &[], &sealed), Err(NOT_DECRYPTED));
    }

    #[test]
    fn whatever_is_changed_is_not_decrypted() {
        let (private, public) = pair();
        let sealed = encrypt(Hash::Sha1, public, b"a", b"data").expect("encrypted");
        assert_eq!(decrypt(Hash::Sha1, private, b"b", &sealed), Err(NOT_DECRYPTED));
        assert_eq!(decrypt(Hash::Sha256, private, b"a", &sealed), Err(NOT_DECRYPTED));
        for wrong in [vec![], vec![0; 128], vec![0xff; 128], sealed[1..].to_vec(), [&[0], &sealed[..]].concat()] {
            assert_eq!(decrypt(Hash::Sha1, private, b"a", &wrong), Err(NOT_DECRYPTED));
        }
        for at in 0..128 {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(decrypt(Hash::Sha1, private, b"a", &changed), Err(NOT_DECRYPTED));
        }
    }

    #[test]
    fn padding_is_zeros_and_then_a_one() {
        let good = |bytes: &[u8]| {
            let (good, at) = one_after_zeros(bytes);
            bool::from(good).then_some(at)
        };
        assert_eq!((good(&[1]), good(&[0, 0, 1, 9, 1])), (Some(0), Some(2)));
        assert_eq!((good(&[]), good(&[0, 0]), good(&[0, 2, 1]), good(&[255, 1])), (None, None, None, None));
    }
}
