//! ECDSA and ECDH on the three curves of NIST. A private key is its scalar, a public one its point in the long form, both of the field's length.

use super::{Bytes, Fault, Hash, Kernel, mac};
use deno_core::op2;
use deno_error::JsErrorBox;
use p256::ecdsa::signature::hazmat::{PrehashVerifier as _, RandomizedPrehashSigner as _};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _};

const BAD_KEY: Fault = Fault::Data("these bytes are not a key of this curve");
const NOT_SIGNED: Fault = Fault::Operation("the key cannot be used");

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "P-256" => Ok(Self::P256),
            "P-384" => Ok(Self::P384),
            "P-521" => Ok(Self::P521),
            _ => Err(Fault::NotSupported("this curve is not supported")),
        }
    }

    /// Bytes of a coordinate.
    fn field_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// `$body` with `$lib` as the crate of the curve.
macro_rules! with_curve {
    ($curve:expr, $lib:ident => $body:expr) => {
        match $curve {
            Curve::P256 => {
                use p256 as $lib;
                $body
            }
            Curve::P384 => {
                use p384 as $lib;
                $body
            }
            Curve::P521 => {
                use p521 as $lib;
                $body
            }
        }
    };
}

/// The standard's private forms, and the plain scalar of a JWK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Scalar,
    Pkcs8,
    Point,
    Spki,
}

impl Form {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "scalar" => Ok(Self::Scalar),
            "pkcs8" => Ok(Self::Pkcs8),
            "raw" => Ok(Self::Point),
            "spki" => Ok(Self::Spki),
            _ => Err(Fault::NotSupported("this format is not supported")),
        }
    }
}

fn generate(curve: Curve) -> Vec<u8> {
    with_curve!(curve, lib => lib::SecretKey::random(&mut Kernel).to_bytes().to_vec())
}

fn public(curve: Curve, scalar: &[u8]) -> Result<Vec<u8>, Fault> {
    with_curve!(curve, lib => {
        let secret = lib::SecretKey::from_slice(scalar).map_err(|_| BAD_KEY)?;
        Ok(secret.public_key().to_encoded_point(false).as_bytes().to_vec())
    })
}

fn import(curve: Curve, form: Form, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    with_curve!(curve, lib => {
        let secret = |secret: lib::SecretKey| secret.to_bytes().to_vec();
        let point = |public: lib::PublicKey| public.to_encoded_point(false).as_bytes().to_vec();
        match form {
            // The library would pad a short one, which the standard calls an error.
            Form::Scalar if bytes.len() != curve.field_bytes() => Err(BAD_KEY),
            Form::Scalar => lib::SecretKey::from_slice(bytes).map(secret).map_err(|_| BAD_KEY),
            Form::Pkcs8 => lib::SecretKey::from_pkcs8_der(bytes).map(secret).map_err(|_| BAD_KEY),
            Form::Point => lib::PublicKey::from_sec1_bytes(bytes).map(point).map_err(|_| BAD_KEY),
            Form::Spki => lib::PublicKey::from_public_key_der(bytes).map(point).map_err(|_| BAD_KEY),
        }
    })
}

fn export(curve: Curve, form: Form, key: &[u8]) -> Result<Vec<u8>, Fault> {
    with_curve!(curve, lib => match form {
        Form::Scalar | Form::Point => Ok(key.to_vec()),
        Form::Pkcs8 => {
            let secret = lib::SecretKey::from_slice(key).map_err(|_| BAD_KEY)?;
            secret.to_pkcs8_der().map(|document| document.as_bytes().to_vec()).map_err(|_| BAD_KEY)
        }
        Form::Spki => {
            let public = lib::PublicKey::from_sec1_bytes(key).map_err(|_| BAD_KEY)?;
            public.to_public_key_der().map(|document| document.as_bytes().to_vec()).map_err(|_| BAD_KEY)
        }
    })
}

/// The digest at the field's length, which changes nothing of its value: the libraries refuse one that is shorter than half.
fn digest(curve: Curve, hash: Hash, data: &[u8]) -> Vec<u8> {
    let digest = mac::digest(hash, data);
    let missing = curve.field_bytes().saturating_sub(digest.len());
    [vec![0; missing], digest].concat()
}

fn sign(curve: Curve, hash: Hash, scalar: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let digest = digest(curve, hash, data);
    with_curve!(curve, lib => {
        let key = lib::ecdsa::SigningKey::from_slice(scalar).map_err(|_| NOT_SIGNED)?;
        let signature: lib::ecdsa::Signature = key.sign_prehash_with_rng(&mut Kernel, &digest).map_err(|_| NOT_SIGNED)?;
        Ok(signature.to_bytes().to_vec())
    })
}

fn verify(curve: Curve, hash: Hash, point: &[u8], signature: &[u8], data: &[u8]) -> Result<bool, Fault> {
    let digest = digest(curve, hash, data);
    with_curve!(curve, lib => {
        let key = lib::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| NOT_SIGNED)?;
        let signature = lib::ecdsa::Signature::from_slice(signature);
        Ok(signature.is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()))
    })
}

fn agree(curve: Curve, scalar: &[u8], point: &[u8]) -> Result<Vec<u8>, Fault> {
    with_curve!(curve, lib => {
        let secret = lib::SecretKey::from_slice(scalar).map_err(|_| NOT_SIGNED)?;
        let public = lib::PublicKey::from_sec1_bytes(point).map_err(|_| NOT_SIGNED)?;
        let shared = lib::elliptic_curve::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
        Ok(shared.raw_secret_bytes().to_vec())
    })
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ec_generate(#[string] curve: &str) -> Result<Bytes, JsErrorBox> {
    Ok(generate(Curve::named(curve)?).into())
}

/// The point of a scalar.
#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ec_public(#[string] curve: &str, #[buffer] scalar: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(public(Curve::named(curve)?, scalar)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ec_import(#[string] curve: &str, #[string] form: &str, #[buffer] bytes: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(import(Curve::named(curve)?, Form::named(form)?, bytes)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ec_export(#[string] curve: &str, #[string] form: &str, #[buffer] key: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(export(Curve::named(curve)?, Form::named(form)?, key)?.into())
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ecdsa_sign(
    #[string] curve: &str,
    #[string] hash: &str,
    #[buffer] scalar: &[u8],
    #[buffer] data: &[u8],
) -> Result<Bytes, JsErrorBox> {
    Ok(sign(Curve::named(curve)?, Hash::named(hash)?, scalar, data)?.into())
}

#[op2(fast)]
pub(super) fn op_cordon_subtle_ecdsa_verify(
    #[string] curve: &str,
    #[string] hash: &str,
    #[buffer] point: &[u8],
    #[buffer] signature: &[u8],
    #[buffer] data: &[u8],
) -> Result<bool, JsErrorBox> {
    Ok(verify(Curve::named(curve)?, Hash::named(hash)?, point, signature, data)?)
}

#[op2]
#[serde]
pub(super) fn op_cordon_subtle_ecdh(#[string] curve: &str, #[buffer] scalar: &[u8], #[buffer] point: &[u8]) -> Result<Bytes, JsErrorBox> {
    Ok(agree(Curve::named(curve)?, scalar, point)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    #[test]
    fn the_signature_of_rfc_7515_is_verified_and_a_changed_one_is_not() {
        // Appendix A.3: the key's x and y, the signing input, the signature.
        let part = |text| super::super::of_text(text).expect("base64url");
        let point =
            [vec![4], part("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), part("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")].concat();
        let scalar = part("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        let data = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mut signature = part("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        assert_eq!(public(Curve::P256, &scalar), Ok(point.clone()));
        assert_eq!(verify(Curve::P256, Hash::Sha256, &point, &signature, data), Ok(true));
        assert_eq!(verify(Curve::P256, Hash::Sha512, &point, &signature, data), Ok(false));
        signature[63] ^= 1;
        assert_eq!(verify(Curve::P256, Hash::Sha256, &point, &signature, data), Ok(false));
    }

    #[test]
    fn every_hash_signs_on_every_curve_and_no_other_key_verifies() {
        for curve in CURVES {
            let (scalar, other) = (generate(curve), generate(curve));
            let (point, stranger) = (public(curve, &scalar).expect("a point"), public(curve, &other).expect("a point"));
            for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                let signature = sign(curve, hash, &scalar, b"data").expect("signed");
                assert_eq!(signature.len(), 2 * curve.field_bytes());
                assert_eq!(verify(curve, hash, &point, &signature, b"data"), Ok(true));
                assert_eq!(verify(curve, hash, &stranger, &signature, b"data"), Ok(false));
                assert_eq!(verify(curve, hash, &point, &signature[1..], b"data"), Ok(false));
            }
            assert_eq!(verify(curve, Hash::Sha256, &point, &vec![0; 2 * curve.field_bytes()], b"data"), Ok(false));
            let secret = agree(curve, &scalar, &stranger).expect("a secret");
            assert_eq!((secret.len(), Ok(secret)), (curve.field_bytes(), agree(curve, &other, &point)));
        }
    }

    #[test]
    fn a_key_survives_each_document_and_a_cut_or_strange_one_is_refused() {
        for (curve, wrong) in [(Curve::P256, Curve::P384), (Curve::P384, Curve::P521), (Curve::P521, Curve::P256)] {
            let scalar = generate(curve);
            let point = public(curve, &scalar).expect("a point");
            for (form, key) in [(Form::Pkcs8, &scalar), (Form::Spki, &point), (Form::Point, &point), (Form::Scalar, &scalar)] {
                let document = export(curve, form, key).expect("exported");
                assert_eq!(import(curve, form, &document).as_ref(), Ok(key));
                assert_eq!(import(wrong, form, &document), Err(BAD_KEY), "{form:?}");
                for cut in 0..document.len() {
                    assert_eq!(import(curve, form, &document[..cut]), Err(BAD_KEY), "{form:?} cut at {cut}");
                }
                assert_eq!(import(curve, form, &[document, vec![0]].concat()), Err(BAD_KEY), "{form:?} with more");
            }
            let mut off = point.clone();
            off[curve.field_bytes()] ^= 1;
            assert_eq!(import(curve, Form::Point, &off), Err(BAD_KEY), "a point off the curve");
            assert_eq!(import(curve, Form::Point, &[0]), Err(BAD_KEY), "the point at infinity");
            assert_eq!(import(curve, Form::Scalar, &vec![0; curve.field_bytes()]), Err(BAD_KEY), "zero");
            assert_eq!(import(curve, Form::Scalar, &vec![0xff; curve.field_bytes()]), Err(BAD_KEY), "past the order");
            let short = [vec![2 + (point[point.len() - 1] & 1)], point[1..=curve.field_bytes()].to_vec()].concat();
            assert_eq!(import(curve, Form::Point, &short), Ok(point), "the short form");
        }
    }
}
