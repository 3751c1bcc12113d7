//! GCM, SP 800-38D: with tags and vectors of every length that the standard allows, which the `aes-gcm` crate fixes at compile time.

use super::Fault;
use super::aes::{BLOCK, Way, with_aes};
use ::aes::cipher::{BlockEncrypt as _, KeyInit as _, KeyIvInit as _, StreamCipher as _};
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use subtle::ConstantTimeEq as _;

const NOT_DECRYPTED: Fault = Fault::Operation("decryption failed: the text, the tag or what goes with them is not what was encrypted");
const TOO_LONG: Fault = Fault::Operation("AES-GCM cannot take so much data");

/// Encrypts or decrypts `buffer` in place: a text, then a tag of `tag_bytes`. A text whose tag is wrong is not decrypted.
pub(super) fn apply(way: Way, key: &[u8], iv: &[u8], additional: &[u8], tag_bytes: usize, buffer: &mut [u8]) -> Result<(), Fault> {
    if iv.is_empty() {
        return Err(Fault::Operation("an initialization vector of AES-GCM is not empty"));
    }
    let length = buffer.len().checked_sub(tag_bytes).filter(|_| tag_bytes <= BLOCK).ok_or(NOT_DECRYPTED)?;
    let (text, given) = buffer.split_at_mut(length);
    with_aes!(key, A => {
        let cipher = A::new_from_slice(key).map_err(|_| NOT_DECRYPTED)?;
        let mut hash_key = [0; BLOCK].into();
        cipher.encrypt_block(&mut hash_key);
        let ghash = GHash::new(&hash_key);
        let first = first_counter(&ghash, iv);
        let mut mask = first.into();
        cipher.encrypt_block(&mut mask);
        let mut stream = ctr::Ctr32BE::<A>::new_from_slices(key, &next(first)).map_err(|_| NOT_DECRYPTED)?;
        if way == Way::Encrypt {
            stream.try_apply_keystream(text).map_err(|_| TOO_LONG)?;
        }
        let tag: Vec<u8> = hashed(ghash, additional, text).iter().zip(mask).map(|(hash, mask)| hash ^ mask).collect();
        let tag = tag.get(..tag_bytes).ok_or(NOT_DECRYPTED)?;
        match way {
            Way::Encrypt => given.copy_from_slice(tag),
            Way::Decrypt if bool::from(tag.ct_eq(given)) => stream.try_apply_keystream(text).map_err(|_| TOO_LONG)?,
            Way::Decrypt => return Err(NOT_DECRYPTED),
        }
        Ok(())
    })
}

/// J0 of the standard, section 7.1.
fn first_counter(ghash: &GHash, iv: &[u8]) -> [u8; BLOCK] {
    if iv.len() == 12 {
        let mut block = [0; BLOCK];
        block[..12].copy_from_slice(iv);
        block[15] = 1;
        return block;
    }
    hashed(ghash.clone(), &[], iv)
}

/// inc32 of the standard: only the last four bytes count.
fn next(block: [u8; BLOCK]) -> [u8; BLOCK] {
    let number = u128::from_be_bytes(block);
    let low = (number as u32).wrapping_add(1);
    ((number >> 32 << 32) | u128::from(low)).to_be_bytes()
}

/// GHASH of both, each padded, and of their lengths in bits.
fn hashed(mut ghash: GHash, additional: &[u8], text: &[u8]) -> [u8; BLOCK] {
    ghash.update_padded(additional);
    ghash.update_padded(text);
    let bits = |bytes: &[u8]| (bytes.len() as u128) << 3;
    ghash.update(&[((bits(additional) << 64) | bits(text)).to_be_bytes().into()]);
    ghash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test cases 4, 5, 6 and 16 of the specification by McGrew and Viega: key, vector, text with tag.
    const CASES: [(&str, &str, &str); 4] = [
        (
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbad",
            "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f45983612d2e79e3b0785561be14aaca2fccb",
        ),
        (
            "feffe9928665731c6d6a8f9467308308",
            "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b",
            "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5619cc5aefffe0bfa462af43c1699d050",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ];
    const TEXT: &str =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    const ADDITIONAL: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

    #[test]
    fn gcm_gives_what_its_specification_says_for_every_length_of_vector() {
        let bytes = |text: &str| hex::decode(text).expect("hex");
        for (key, iv, expected) in CASES {
            let (key, iv, additional) = (bytes(key), bytes(iv), bytes(ADDITIONAL));
            let mut buffer = [bytes(TEXT), vec![0; 16]].concat();
            apply(Way::Encrypt, &key, &iv, &additional, 16, &mut buffer).expect("encrypted");
            assert_eq!(hex::encode(&buffer), expected);
            apply(Way::Decrypt, &key, &iv, &additional, 16, &mut buffer).expect("decrypted");
            assert_eq!(hex::encode(&buffer[..60]), TEXT);
        }
    }

    #[test]
    fn a_changed_text_tag_vector_or_addition_is_not_decrypted() {
        for tag in [4, 8, 12, 13, 14, 15, 16] {
            let mut sealed = vec![1; 20 + tag];
            apply(Way::Encrypt, &[1; 16], &[2; 12], &[3; 5], tag, &mut sealed).expect("encrypted");
            let open = |iv: &[u8], additional: &[u8], tag, mut sealed: Vec<u8>| {
                let before = sealed.clone();
                apply(Way::Decrypt, &[1; 16], iv, additional, tag, &mut sealed).inspect_err(|_| assert_eq!(sealed, before))
            };
            assert_eq!(open(&[2; 12], &[3; 5], tag, sealed.clone()), Ok(()));
            for at in [0, 19, 20, 19 + tag] {
                let mut changed = sealed.clone();
                changed[at] ^= 128;
                assert_eq!(open(&[2; 12], &[3; 5], tag, changed), Err(NOT_DECRYPTED));
            }
            assert!(open(&[2; 11], &[3; 5], tag, sealed.clone()).is_err() && open(&[2; 12], &[3; 4], tag, sealed.clone()).is_err());
            assert!(open(&[2; 12], &[3; 5], tag, sealed[..tag - 1].to_vec()).is_err() && open(&[], &[3; 5], tag, sealed).is_err());
        }
    }

    #[test]
    fn the_counter_of_a_block_wraps_in_its_last_four_bytes() {
        assert_eq!(next([0xff; 16]), [[0xff; 12].as_slice(), &[0; 4]].concat()[..]);
    }
}
