//! Ed25519 and X25519. A private key is its 32 bytes, a public one too; RFC 8410 says how they stand in pkcs8 and spki.

use super::{Bytes, Fault};
use ::rsa::pkcs8::PrivateKeyInfo;
use ::rsa::pkcs8::der::{AnyRef, Decode as _, Encode as _, asn1::BitStringRef, asn1::OctetStringRef};
use ::rsa::pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use deno_core::op2;
use deno_error::JsErrorBox;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

const BAD_KEY: Fault = Fault::Data("these bytes are not a key of this kind");

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ed25519,
    X25519,
}

impl Kind {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "Ed25519" => Ok(Self::Ed25519),
            "X25519" => Ok(Self::X25519),
            _ => Err(Fault::NotSupported("this curve is not supported")),
        }
    }

    /// RFC 8410, section 3: no parameters.
    fn identifier(self) -> AlgorithmIdentifierRef<'static> {
        let oid = match self {
            Self::Ed25519 => ObjectIdentifier::new_unwrap("1.3.101.112"),
            Self::X25519 => ObjectIdentifier::new_unwrap("1.3.101.110"),
        };
        AlgorithmIdentifierRef { oid, parameters: None::<AnyRef<'_>> }
    }
}

fn key(bytes: &[u8]) -> Result<[u8; 32], Fault> {
    bytes.try_into().map_err(|_| BAD_KEY)
}

fn public(kind: Kind, private: &[u8]) -> Result<[u8; 32], Fault> {
    let private = key(private)?;
    Ok(match kind {
        Kind::Ed25519 => SigningKey::from_bytes(&private).verifying_key().to_bytes(),
        Kind::X25519 => x25519_dalek::x25519(private, x25519_dalek::X25519_BASEPOINT_BYTES),
    })
}

fn of_pkcs8(kind: Kind, der: &[u8]) -> Result<[u8; 32], Fault> {
    let info = PrivateKeyInfo::from_der(der).map_err(|_| BAD_KEY)?;
    let inner = OctetStringRef::from_der(info.private_key).map_err(|_| BAD_KEY)?;
    if info.algorithm == kind.identifier() { key(inner.as_bytes()) } else { Err(BAD_KEY) }
}

fn of_spki(kind: Kind, der: &[u8]) -> Result<[u8; 32], Fault> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| BAD_KEY)?;
    if info.algorithm == kind.identifier() { key(info.subject_public_key.as_bytes().ok_or(BAD_KEY)?) } else { Err(BAD_KEY) }
}

fn to_pkcs8(kind: Kind, private: &[u8]) -> Result<Vec<u8>, Fault> {
    let inner = OctetStringRef::new(private).and_then(|octets| octets.to_der()).map_err(|_| BAD_KEY)?;
    PrivateKeyInfo::new(kind.identifier(), &inner).to_der().map_err(|_| BAD_KEY)
}

fn to_spki(kind: Kind, public: &[u8]) -> Result<Vec<u8>, Fault> {
    let subject_public_key = BitStringRef::from_bytes(public).map_err(|_| BAD_KEY)?;
    SubjectPublicKeyInfoRef { algorithm: kind.identifier(), subject_public_key }.to_der().map_err(|_| BAD_KEY)
}

fn sign(private: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    Ok(SigningKey::from_bytes(&key(private)?).sign(data).to_bytes().to_vec())
}

/// A public key that is no point, or one of small order, has signed nothing.
fn verify(public: &[u8], signature: &[u8], data: &[u8]) -> bool {
    let Ok(public) = key(public) else { return false };
    let (Ok(public), Ok(signature)) = (VerifyingKey::from_bytes(&public), Signature::from_slice(signature)) else { return false };
    public.verify_strict(data, &signature).is_ok()
}

/// The shared secret; an error when the other side's key makes it the same for everybody.
fn agree(private: &[u8], public: &[u8]) -> Result<[u8; 32], Fault> {
    let secret = x25519_dalek::x25519(key(private)?, key(public)?);
    if secret == [0; 32] { Err(Fault::Operation("the public key is a point of small order")) } else { Ok(secret) }
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_okp_public(#[string] kind: &str, #[buffer] private: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(public(Kind::named(kind)?, private)?.to_vec().into())
}

/// The key in a `pkcs8` or `spki` document.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_okp_import(#[string] kind: &str, private: bool, #[buffer] der: &[u8]) -> Result<Bytes, JsErrorBox> {
    let kind = Kind::named(kind)?;
    Ok(if private { of_pkcs8(kind, der) } else { of_spki(kind, der) }?.to_vec().into())
}

/// The `pkcs8` or `spki` document of a key.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_okp_export(#[string] kind: &str, private: bool, #[buffer] key: &[u8]) -> Result<Bytes, JsErrorBox> {
    let kind = Kind::named(kind)?;
    Ok(if private { to_pkcs8(kind, key) } else { to_spki(kind, key) }?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ed25519_sign(#[buffer] private: &[u8], #[buffer] data: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(sign(private, data)?.into())
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_ed25519_verify(#[buffer] public: &[u8], #[buffer] signature: &[u8], #[buffer] data: &[u8]) -> bool {
    verify(public, signature, data)
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_x25519(#[buffer] private: &[u8], #[buffer] public: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(agree(private, public)?.to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hex")
    }

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        // Section 7.1, tests 1 and 3.
        let cases = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ];
        for (private, expected, data, signature) in cases {
            let (private, data, mut signature) = (bytes(private), bytes(data), bytes(signature));
            let public = public(Kind::Ed25519, &private).expect("a key");
            assert_eq!(hex::encode(public), expected);
            assert_eq!(sign(&private, &data), Ok(signature.clone()));
            assert!(
                verify(&public, &signature, &data) && !verify(&public, &signature, b"other") && !verify(&public, &signature[1..], &data)
            );
            signature[40] ^= 1;
            assert!(!verify(&public, &signature, &data));
        }
    }

    #[test]
    fn a_public_key_of_small_order_or_off_the_curve_has_signed_nothing() {
        // The neutral element as key and as R, with S = 0: true for every message where this is not refused.
        let neutral = [[1].as_slice(), &[0; 31]].concat();
        assert!(!verify(&neutral, &[neutral.clone(), vec![0; 32]].concat(), b"any"));
        assert!(!verify(&[2; 32], &[0; 64], b"any") && !verify(&[], &[0; 64], b"any"));
        assert!(agree(&[1; 32], &[0; 32]).is_err());
    }

    #[test]
    fn the_agreement_is_that_of_rfc_7748() {
        // Section 6.1.
        let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        let (of_alice, of_bob) = (public(Kind::X25519, &alice).expect("a key"), public(Kind::X25519, &bob).expect("a key"));
        assert_eq!(hex::encode(of_alice), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        assert_eq!(hex::encode(of_bob), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        let shared = agree(&alice, &of_bob).expect("a secret");
        assert_eq!(hex::encode(shared), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        assert_eq!(agree(&bob, &of_alice), Ok(shared));
    }

    #[test]
    fn documents_are_those_of_rfc_8410_and_others_are_refused() {
        // Sections 10.1 and 10.3.
        let spki = bytes("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        let pkcs8 = bytes("302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
        let (public_key, private) = (of_spki(Kind::Ed25519, &spki).expect("a key"), of_pkcs8(Kind::Ed25519, &pkcs8).expect("a key"));
        assert_eq!(public(Kind::Ed25519, &private), Ok(public_key));
        assert_eq!((to_spki(Kind::Ed25519, &public_key), to_pkcs8(Kind::Ed25519, &private)), (Ok(spki.clone()), Ok(pkcs8.clone())));
        assert!(of_spki(Kind::X25519, &spki).is_err() && of_pkcs8(Kind::X25519, &pkcs8).is_err());
        for cut in 0..spki.len() {
            assert!(of_spki(Kind::Ed25519, &spki[..cut]).is_err() && of_pkcs8(Kind::Ed25519, &pkcs8[..cut]).is_err());
        }
        assert!(of_spki(Kind::Ed25519, &[spki, vec![0]].concat()).is_err() && of_pkcs8(Kind::Ed25519, &[pkcs8, vec![0]].concat()).is_err());
    }
}
