//! AES in its modes. Buffers are changed in place: the script has made them, so they are counted as the guest's memory.

use super::{Fault, gcm};
use ::aes::cipher::block_padding::Pkcs7;
use ::aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _, StreamCipher as _};
use deno_core::op2;
use deno_error::JsErrorBox;

/// Bytes of a block, of an initialization vector of CBC and of a counter.
pub(super) const BLOCK: usize = 16;

/// `$body` with `$A` as the cipher for a key of `$key`'s length.
macro_rules! with_aes {
    ($key:expr, $A:ident => $body:expr) => {
        match $key.len() {
            16 => {
                type $A = ::aes::Aes128;
                $body
            }
            24 => {
                type $A = ::aes::Aes192;
                $body
            }
            32 => {
                type $A = ::aes::Aes256;
                $body
            }
            _ => Err(crate::subtle::Fault::Operation("an AES key has 128, 192 or 256 bits")),
        }
    };
}
pub(super) use with_aes;

const LENGTHS: Fault = Fault::Operation("the key, vector or data has a wrong length");
/// One answer for wrong padding, wrong length and wrong key: which it was would tell too much.
const NOT_DECRYPTED: Fault = Fault::Operation("decryption failed");

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Encrypt,
    Decrypt,
}

impl Way {
    pub(super) fn encrypts(encrypts: bool) -> Self {
        if encrypts { Self::Encrypt } else { Self::Decrypt }
    }
}

/// Encrypts the first `length` bytes of `buffer`, which has room for the padding, or decrypts all of it; the length of what came out.
fn cbc(way: Way, key: &[u8], iv: &[u8], buffer: &mut [u8], length: usize) -> Result<usize, Fault> {
    with_aes!(key, A => match way {
        Way::Encrypt => {
            let cipher = ::cbc::Encryptor::<A>::new_from_slices(key, iv).map_err(|_| LENGTHS)?;
            cipher.encrypt_padded_mut::<Pkcs7>(buffer, length).map(<[u8]>::len).map_err(|_| LENGTHS)
        }
        Way::Decrypt => {
            let cipher = ::cbc::Decryptor::<A>::new_from_slices(key, iv).map_err(|_| LENGTHS)?;
            cipher.decrypt_padded_mut::<Pkcs7>(buffer).map(<[u8]>::len).map_err(|_| NOT_DECRYPTED)
        }
    })
}

/// Either way: the last `bits` bits of `counter` count and wrap, the others stay.
fn ctr(key: &[u8], counter: &[u8], bits: u32, buffer: &mut [u8]) -> Result<(), Fault> {
    let block: [u8; BLOCK] = counter.try_into().map_err(|_| LENGTHS)?;
    let start = u128::from_be_bytes(block);
    let mask = match bits {
        1..=127 => (1 << bits) - 1,
        128 => u128::MAX,
        _ => return Err(Fault::Operation("a counter has 1 to 128 bits")),
    };
    let blocks = buffer.len().div_ceil(BLOCK) as u128;
    if blocks > mask.saturating_add(1) {
        return Err(Fault::Operation("the data is longer than the counter can count"));
    }
    // Blocks until the counter wraps; past them it starts at zero.
    let before = (mask - (start & mask)).saturating_add(1).min(blocks);
    let at = usize::try_from(before).map_or(buffer.len(), |blocks| blocks.saturating_mul(BLOCK).min(buffer.len()));
    let (first, second) = buffer.split_at_mut(at);
    for (counter, part) in [(start, first), (start & !mask, second)] {
        with_aes!(key, A => {
            let mut cipher = ::ctr::Ctr128BE::<A>::new_from_slices(key, &counter.to_be_bytes()).map_err(|_| LENGTHS)?;
            cipher.try_apply_keystream(part).map_err(|_| LENGTHS)
        })?;
    }
    Ok(())
}

/// RFC 3394: `out` has one semiblock more than what is wrapped, or one less than what is unwrapped.
fn kw(way: Way, key: &[u8], data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    // The RFC's n is at least 2.
    let least = if way == Way::Encrypt { 16 } else { 24 };
    if data.len() < least || !data.len().is_multiple_of(8) {
        return Err(Fault::Operation("AES-KW takes whole semiblocks of 8 bytes, at least two"));
    }
    with_aes!(key, A => {
        let cipher = aes_kw::Kek::<A>::try_from(key).map_err(|_| LENGTHS)?;
        match way {
            Way::Encrypt => cipher.wrap(data, out),
            Way::Decrypt => cipher.unwrap(data, out),
        }
        .map_err(|_| NOT_DECRYPTED)
    })
}

#[op2(fast)]
#[smi]
pub(super) fn op_cordon_subtle_aes_cbc(
    encrypts: bool,
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    #[buffer] buffer: &mut [u8],
    #[smi] length: u32,
) -> Result<u32, JsErrorBox> {
    let length = cbc(Way::encrypts(encrypts), key, iv, buffer, length as usize)?;
    Ok(u32::try_from(length).map_err(|_| LENGTHS)?)
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_aes_ctr(
    #[buffer] key: &[u8],
    #[buffer] counter: &[u8],
    #[smi] bits: u32,
    #[buffer] buffer: &mut [u8],
) -> Result<(), JsErrorBox> {
    Ok(ctr(key, counter, bits, buffer)?)
}

/// `buffer` is the text and then the tag, of `tag_bytes`.
#[op2(fast)]
pub(super) fn op_cordon_subtle_aes_gcm(
    encrypts: bool,
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    #[buffer] additional: &[u8],
    #[smi] tag_bytes: u32,
    #[buffer] buffer: &mut [u8],
) -> Result<(), JsErrorBox> {
    Ok(gcm::apply(Way::encrypts(encrypts), key, iv, additional, tag_bytes as usize, buffer)?)
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_aes_kw(
    encrypts: bool,
    #[buffer] key: &[u8],
    #[buffer] data: &[u8],
    #[buffer] out: &mut [u8],
) -> Result<(), JsErrorBox> {
    Ok(kw(Way::encrypts(encrypts), key, data, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hex")
    }

    #[test]
    fn key_wrap_is_that_of_rfc_3394_and_a_changed_byte_is_noticed() {
        // Sections 4.1 and 4.5.
        let cases = [
            ("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
            (
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "00112233445566778899aabbccddeeff0001020304050607",
                "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1",
            ),
        ];
        for (key, data, wrapped) in cases {
            let (key, data, mut wrapped) = (bytes(key), bytes(data), bytes(wrapped));
            let (mut out, mut back) = (vec![0; data.len() + 8], vec![0; data.len()]);
            kw(Way::Encrypt, &key, &data, &mut out).expect("wrapped");
            kw(Way::Decrypt, &key, &wrapped, &mut back).expect("unwrapped");
            assert!(out == wrapped && back == data);
            wrapped[9] ^= 1;
            assert_eq!(kw(Way::Decrypt, &key, &wrapped, &mut back), Err(NOT_DECRYPTED));
        }
        for length in [0, 8, 15, 17] {
            assert!(kw(Way::Encrypt, &[0; 16], &vec![0; length], &mut vec![0; length + 8]).is_err(), "{length}");
        }
        assert!(kw(Way::Decrypt, &[0; 16], &[0; 16], &mut [0; 8]).is_err());
        // Room of a wrong size is an error and no panic.
        assert!(kw(Way::Encrypt, &[0; 16], &[0; 16], &mut [0; 16]).is_err());
    }

    #[test]
    fn cbc_is_that_of_sp_800_38a_with_padding_and_wrong_padding_is_an_error() {
        let (key, iv) = (bytes("2b7e151628aed2a6abf7158809cf4f3c"), bytes("000102030405060708090a0b0c0d0e0f"));
        let mut buffer = [bytes("6bc1bee22e409f96e93d7e117393172a"), vec![0; 16]].concat();
        assert_eq!(cbc(Way::Encrypt, &key, &iv, &mut buffer, 16), Ok(32));
        assert_eq!(hex::encode(&buffer[..16]), "7649abac8119b246cee98e9b12e9197d");
        assert_eq!(cbc(Way::Decrypt, &key, &iv, &mut buffer.clone(), 0), Ok(16));
        let mut cut = buffer[..16].to_vec();
        assert_eq!(cbc(Way::Decrypt, &key, &iv, &mut cut, 0), Err(NOT_DECRYPTED));
        for length in [0, 1, 31] {
            assert!(cbc(Way::Decrypt, &key, &iv, &mut vec![7; length], 0).is_err(), "{length}");
        }
        assert!(cbc(Way::Encrypt, &key, &iv[1..], &mut [0; 16], 1).is_err());
        assert!(cbc(Way::Encrypt, &key[1..], &iv, &mut [0; 16], 1).is_err());
        assert!(cbc(Way::Encrypt, &key, &iv, &mut [0; 16], 16).is_err(), "no room for the padding");
        assert!(cbc(Way::Encrypt, &key, &iv, &mut [0; 16], 17).is_err(), "more than there is");
    }

    #[test]
    fn ctr_is_that_of_sp_800_38a_and_its_counter_wraps_within_its_bits() {
        let key = bytes("2b7e151628aed2a6abf7158809cf4f3c");
        let mut buffer = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        ctr(&key, &bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), 64, &mut buffer).expect("encrypted");
        assert_eq!(hex::encode(&buffer), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
        // Two blocks of a counter of one bit that starts at 1: the second is that of 0.
        let stream = |counter: u8, bits, length: usize| {
            let mut block = [0; BLOCK];
            block[15] = counter;
            let mut out = vec![0; length];
            ctr(&key, &block, bits, &mut out).map(|()| out)
        };
        let wrapped = stream(3, 1, 32).expect("encrypted");
        assert!(wrapped[..16] == stream(3, 8, 16).expect("one") && wrapped[16..] == stream(2, 8, 16).expect("two"));
        assert!(stream(0, 1, 33).is_err(), "three blocks and a counter of two");
        assert!(stream(0, 0, 1).is_err() && stream(0, 129, 1).is_err() && stream(0, 128, 1).is_ok());
        assert!(ctr(&key, &[0; 15], 8, &mut []).is_err());
    }
}
