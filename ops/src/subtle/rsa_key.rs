//! RSA keys: made, read and written. Between calls a key is its PKCS#1 document.

use super::{Bytes, Fault, Kernel, of_text, to_text};
use ::rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _, UintRef};
use ::rsa::pkcs8::der::Decode as _;
use ::rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use ::rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use ::rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use ::rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use deno_core::op2;
use deno_error::JsErrorBox;
use std::ops::RangeInclusive;

/// Bits of a modulus. Shorter ones are broken by hand; longer ones cost more of a run than any run has.
const MODULUS_BITS: RangeInclusive<usize> = 512..=8192;
/// How much longer one prime may be than the other, in bits. The library's arithmetic takes time by their ratio, and honest keys have none.
const PRIME_BITS_APART_MAX: usize = 16;

/// Longest document, and longest number of a JWK, that is looked at: a private key of the longest modulus has 4.7 kB, its modulus 1366 digits.
/// The library multiplies the numbers of whatever it is given before anybody can say how long they are.
const DOCUMENT_BYTES_MAX: usize = 8192;
const NUMBER_DIGITS_MAX: usize = 2048;

const BAD_KEY: Fault = Fault::Data("these bytes are not an RSA key, or one that is out of range");
const BAD_SIZE: Fault = Fault::Operation("an RSA modulus has 512 to 8192 bits, a multiple of 8");
const BAD_EXPONENT: Fault = Fault::Operation("a public exponent is odd, at least 3 and below 2 to the 33rd");

/// Which half of a pair, and so which documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Private,
    Public,
}

impl Half {
    fn private(private: bool) -> Self {
        if private { Self::Private } else { Self::Public }
    }
}

/// The key of a document that this room wrote.
pub(super) fn private(der: &[u8]) -> Result<RsaPrivateKey, Fault> {
    sound(RsaPrivateKey::from_pkcs1_der(der).map_err(|_| BAD_KEY)?)
}

/// The key of a document that this room wrote. The library's own reader stops at 4096 bits.
pub(super) fn public(der: &[u8]) -> Result<RsaPublicKey, Fault> {
    let key = ::rsa::pkcs1::RsaPublicKey::from_der(der).map_err(|_| BAD_KEY)?;
    let number = |uint: UintRef<'_>| BigUint::from_bytes_be(uint.as_bytes());
    sound_public(RsaPublicKey::new_unchecked(number(key.modulus), number(key.public_exponent)))
}

fn of_spki(der: &[u8]) -> Result<RsaPublicKey, Fault> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| BAD_KEY)?;
    if info.algorithm == ::rsa::pkcs1::ALGORITHM_ID { public(info.subject_public_key.as_bytes().ok_or(BAD_KEY)?) } else { Err(BAD_KEY) }
}

fn sound_public(key: RsaPublicKey) -> Result<RsaPublicKey, Fault> {
    if !MODULUS_BITS.contains(&key.n().bits()) {
        return Err(BAD_KEY);
    }
    // Odd, and an exponent in the library's range.
    RsaPublicKey::new_with_max_size(key.n().clone(), key.e().clone(), *MODULUS_BITS.end()).map_err(|_| BAD_KEY)
}

/// The library has checked that the parts belong together; not that they keep its loops short.
fn sound(key: RsaPrivateKey) -> Result<RsaPrivateKey, Fault> {
    sound_public(key.to_public_key())?;
    let [p, q] = key.primes() else { return Err(BAD_KEY) };
    let odd = |prime: &BigUint| prime.to_bytes_le().first().is_some_and(|low| low & 1 == 1);
    let close = p.bits().abs_diff(q.bits()) <= PRIME_BITS_APART_MAX;
    if odd(p) && odd(q) && p != q && close && key.d() < key.n() && key.qinv().is_some() { Ok(key) } else { Err(BAD_KEY) }
}

fn private_der(key: &RsaPrivateKey) -> Result<Vec<u8>, Fault> {
    key.to_pkcs1_der().map(|document| document.as_bytes().to_vec()).map_err(|_| BAD_KEY)
}

fn public_der(key: &RsaPublicKey) -> Result<Vec<u8>, Fault> {
    key.to_pkcs1_der().map(|document| document.as_bytes().to_vec()).map_err(|_| BAD_KEY)
}

/// The exponent of a pair that can be made.
fn check(bits: usize, exponent: &[u8]) -> Result<BigUint, Fault> {
    if !MODULUS_BITS.contains(&bits) || !bits.is_multiple_of(8) {
        return Err(BAD_SIZE);
    }
    let exponent = BigUint::from_bytes_be(exponent);
    let odd = exponent.to_bytes_le().first().is_some_and(|low| low & 1 == 1);
    // An even exponent has no inverse: the search for primes would not end.
    let good = odd && exponent >= BigUint::from(3u8) && exponent <= BigUint::from(RsaPublicKey::MAX_PUB_EXPONENT);
    if good { Ok(exponent) } else { Err(BAD_EXPONENT) }
}

fn generate(bits: usize, exponent: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let exponent = check(bits, exponent)?;
    let key = RsaPrivateKey::new_with_exp(&mut Kernel, bits, &exponent).map_err(|_| BAD_SIZE)?;
    Ok((private_der(&key)?, public_der(&key.to_public_key())?))
}

fn import(half: Half, der: &[u8]) -> Result<Vec<u8>, Fault> {
    if der.len() > DOCUMENT_BYTES_MAX {
        return Err(BAD_KEY);
    }
    match half {
        Half::Private => private_der(&sound(RsaPrivateKey::from_pkcs8_der(der).map_err(|_| BAD_KEY)?)?),
        Half::Public => public_der(&of_spki(der)?),
    }
}

fn export(half: Half, der: &[u8]) -> Result<Vec<u8>, Fault> {
    let document = |bytes: &[u8]| bytes.to_vec();
    match half {
        Half::Private => private(der)?.to_pkcs8_der().map(|written| document(written.as_bytes())).map_err(|_| BAD_KEY),
        Half::Public => public(der)?.to_public_key_der().map(|written| document(written.as_bytes())).map_err(|_| BAD_KEY),
    }
}

/// `n`, `e`, and of a private key `d`, `p`, `q`, `dp`, `dq`, `qi`. Source of the order: RFC 7518, section 6.3.
pub(super) fn of_jwk(members: &[String]) -> Result<Vec<u8>, Fault> {
    if members.iter().any(|text| text.len() > NUMBER_DIGITS_MAX) {
        return Err(BAD_KEY);
    }
    let numbers = members.iter().map(|text| Ok(BigUint::from_bytes_be(&of_text(text)?))).collect::<Result<Vec<_>, Fault>>()?;
    match numbers.as_slice() {
        [n, e] => public_der(&sound_public(RsaPublicKey::new_unchecked(n.clone(), e.clone()))?),
        [n, e, d, p, q, dp, dq, qi] => {
            let primes = vec![p.clone(), q.clone()];
            let key = sound(RsaPrivateKey::from_components(n.clone(), e.clone(), d.clone(), primes).map_err(|_| BAD_KEY)?)?;
            let agrees = key.dp() == Some(dp) && key.dq() == Some(dq) && key.crt_coefficient().as_ref() == Some(qi);
            if agrees { private_der(&key) } else { Err(BAD_KEY) }
        }
        _ => Err(BAD_KEY),
    }
}

fn to_jwk(half: Half, der: &[u8]) -> Result<Vec<String>, Fault> {
    let text = |number: &BigUint| to_text(&number.to_bytes_be());
    if half == Half::Public {
        let key = public(der)?;
        return Ok(vec![text(key.n()), text(key.e())]);
    }
    let key = private(der)?;
    let ([p, q], Some(dp), Some(dq), Some(qi)) = (key.primes(), key.dp(), key.dq(), key.crt_coefficient()) else { return Err(BAD_KEY) };
    Ok([key.n(), key.e(), key.d(), p, q, dp, dq, &qi].map(text).to_vec())
}

/// Refuses what no pair can be made with.
#[op2(fast)]
pub(super) fn op_cordon_subtle_rsa_check(bits: u32, #[buffer] exponent: &[u8]) -> Result<(), JsErrorBox> {
    Ok(check(bits as usize, exponent).map(drop)?)
}

/// A new pair: the private and the public document.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_generate(bits: u32, #[buffer] exponent: &[u8]) -> Result<(Bytes, Bytes), JsErrorBox> {
    let (private, public) = generate(bits as usize, exponent)?;
    Ok((private.into(), public.into()))
}

/// Bits of the modulus, and the exponent's bytes.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_facts(private: bool, #[buffer] der: &[u8]) -> Result<(u32, Bytes), JsErrorBox> {
    let key = if private { self::private(der)?.to_public_key() } else { public(der)? };
    Ok((u32::try_from(key.n().bits()).map_err(|_| BAD_KEY)?, key.e().to_bytes_be().into()))
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_import(private: bool, #[buffer] der: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(import(Half::private(private), der)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_export(private: bool, #[buffer] der: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(export(Half::private(private), der)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_of_jwk(#[serde] members: Vec<String>) -> Result<Bytes, JsErrorBox> {
    Ok(of_jwk(&members)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_rsa_to_jwk(private: bool, #[buffer] der: &[u8]) -> Result<Vec<String>, JsErrorBox> {
    Ok(to_jwk(Half::private(private), der)?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A small pair, made once: the private and the public document.
    pub(in crate::subtle) fn pair() -> &'static (Vec<u8>, Vec<u8>) {
        static PAIR: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
        PAIR.get_or_init(|| generate(1024, &[1, 0, 1]).expect("a pair"))
    }

    #[test]
    fn a_key_survives_each_document_and_a_cut_one_is_refused() {
        let (private, public) = pair();
        for (half, key) in [(Half::Private, private), (Half::Public, public)] {
            let document = export(half, key).expect("exported");
            assert_eq!(import(half, &document).as_ref(), Ok(key));
            assert_eq!(of_jwk(&to_jwk(half, key).expect("members")).as_ref(), Ok(key));
            for cut in 0..document.len() {
                assert_eq!(import(half, &document[..cut]), Err(BAD_KEY));
            }
            assert_eq!(import(half, &[document, vec![0]].concat()), Err(BAD_KEY));
        }
        assert!(import(Half::Public, &export(Half::Private, private).expect("exported")).is_err());
    }

    #[test]
    fn members_that_contradict_each_other_are_refused() {
        let members = to_jwk(Half::Private, &pair().0).expect("members");
        for (wrong, name) in ["n", "e", "d", "p", "q", "dp", "dq", "qi"].iter().enumerate() {
            for text in ["", "AA", "AQ", "Aw", "not base64url!", members[(wrong + 1) % 8].as_str()] {
                let mut changed = members.clone();
                changed[wrong] = text.to_owned();
                assert!(of_jwk(&changed).is_err(), "{name}: {text}");
            }
        }
        let mut long = members.clone();
        for (zeros, read) in [(NUMBER_DIGITS_MAX - long[1].len(), true), (NUMBER_DIGITS_MAX - long[1].len() + 4, false)] {
            long[1] = format!("{}{}", "A".repeat(zeros), members[1]);
            assert_eq!(of_jwk(&long).is_ok(), read, "{zeros} digits that are zero");
        }
        assert!(of_jwk(&members[..3]).is_err() && of_jwk(&[]).is_err());
    }

    #[test]
    fn sizes_and_exponents_out_of_range_are_refused_at_once() {
        for bits in [0, 1, 8, 504, 513, 8200, 16384, usize::MAX] {
            assert_eq!(generate(bits, &[3]), Err(BAD_SIZE), "{bits}");
        }
        for exponent in [vec![], vec![0], vec![1], vec![2], vec![1, 0, 0], vec![2, 0, 0, 0, 1], vec![0xff; 600]] {
            assert_eq!(generate(512, &exponent), Err(BAD_EXPONENT), "{exponent:?}");
        }
        assert!(generate(512, &[3]).is_ok() && generate(512, &[0, 0, 1, 0, 1]).is_ok());
    }

    #[test]
    fn a_public_key_at_either_limit_is_read_and_one_past_it_is_not() {
        let read = |bytes: usize| {
            let modulus = to_text(&vec![0xff; bytes]);
            let document = of_jwk(&[modulus, "AQAB".to_owned()])?;
            let spki = export(Half::Public, &document)?;
            assert_eq!(import(Half::Public, &spki).as_ref(), Ok(&document));
            Ok(public(&document)?.size())
        };
        assert_eq!((read(64), read(1024)), (Ok(64), Ok(1024)));
        assert_eq!((read(63), read(1025)), (Err(BAD_KEY), Err(BAD_KEY)));
    }

    #[test]
    fn a_key_of_unequal_or_even_primes_is_refused_and_no_hang() {
        let number = |n: u64| BigUint::from(n);
        let text = |number: &BigUint| to_text(&number.to_bytes_be());
        let long = private(&pair().0).expect("a key").primes()[0].clone();
        for short in [1u64, 2, 3, 4, 5, 15, 65537] {
            let (p, q) = (number(short), long.clone());
            let n = &p * &q;
            for d in [1u64, 3, 5] {
                let members = [n.clone(), number(3), number(d), p.clone(), q.clone(), number(1), number(1), number(1)].map(|n| text(&n));
                assert!(of_jwk(&members).is_err());
            }
        }
        let square = &long * &long;
        assert!(of_jwk(&[square, number(3), number(3), long.clone(), long, number(1), number(1), number(1)].map(|n| text(&n))).is_err());
    }
}
