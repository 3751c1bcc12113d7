//! The arithmetic of `crypto.subtle`: stateless ops over bytes. Keys are bytes that the script keeps (`js/subtle/key.js`); nothing is remembered here.
//!
//! Each file has plain functions first and the ops that call them after. Everything runs on the isolate's own thread, so its CPU time is the run's.

mod aes;
mod ec;
mod gcm;
mod kdf;
mod mac;
mod okp;
mod rsa;
mod rsa_key;
mod rsa_oaep;

use ::rsa::rand_core::{CryptoRng, Error as RandError, RngCore};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deno_core::op2;
use deno_error::JsErrorBox;
use serde::Serialize;

/// Why an operation failed, in the standard's classes. Caused by the guest's arguments; the text is for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// A `DataError`: the bytes are no such key.
    #[error("{0}")]
    Data(&'static str),
    /// An `OperationError`.
    #[error("{0}")]
    Operation(&'static str),
    /// A `NotSupportedError`.
    #[error("{0}")]
    NotSupported(&'static str),
}

impl From<Fault> for JsErrorBox {
    fn from(fault: Fault) -> Self {
        // `js/subtle/errors.js` makes a DOMException of each.
        let class = match fault {
            Fault::Data(_) => "CordonSubtleData",
            Fault::Operation(_) => "CordonSubtleOperation",
            Fault::NotSupported(_) => "CordonSubtleNotSupported",
        };
        Self::new(class, fault.to_string())
    }
}

/// A hash function of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The function with the standard's `name`.
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "SHA-1" => Ok(Self::Sha1),
            "SHA-256" => Ok(Self::Sha256),
            "SHA-384" => Ok(Self::Sha384),
            "SHA-512" => Ok(Self::Sha512),
            _ => Err(Fault::NotSupported("this hash function is not supported")),
        }
    }
}

/// `$body` with `$D` as the type of the hash function.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            crate::subtle::Hash::Sha1 => {
                type $D = sha1::Sha1;
                $body
            }
            crate::subtle::Hash::Sha256 => {
                type $D = sha2::Sha256;
                $body
            }
            crate::subtle::Hash::Sha384 => {
                type $D = sha2::Sha384;
                $body
            }
            crate::subtle::Hash::Sha512 => {
                type $D = sha2::Sha512;
                $body
            }
        }
    };
}
use with_hash;

/// The kernel's randomness, as `crypto.getRandomValues` has it.
pub(super) struct Kernel;

impl RngCore for Kernel {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        // The trait cannot say no, and a key from no randomness is worse than a cell that ends.
        if getrandom::fill(out).is_err() {
            std::process::abort();
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandError> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Kernel {}

/// Bytes that an op returns: a Uint8Array of its own.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Bytes(deno_core::ToJsBuffer);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// The base64url form without padding, which a JWK has.
#[op2]
#[string]
fn op_cordon_subtle_text(#[buffer] bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a JWK's member.
#[op2]
#[serde]
fn op_cordon_subtle_bytes(#[string] text: &str) -> Result<Bytes, JsErrorBox> {
    Ok(of_text(text)?.into())
}

fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn of_text(text: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Fault::Data("a member of the JWK is not base64url without padding"))
}

deno_core::extension!(
    cordon_subtle,
    ops = [
        op_cordon_subtle_text,
        op_cordon_subtle_bytes,
        mac::op_cordon_subtle_digest,
        mac::op_cordon_subtle_hmac,
        mac::op_cordon_subtle_hmac_verify,
        aes::op_cordon_subtle_aes_cbc,
        aes::op_cordon_subtle_aes_ctr,
        aes::op_cordon_subtle_aes_gcm,
        aes::op_cordon_subtle_aes_kw,
        kdf::op_cordon_subtle_hkdf,
        kdf::op_cordon_subtle_pbkdf2,
        okp::op_cordon_subtle_okp_public,
        okp::op_cordon_subtle_okp_import,
        okp::op_cordon_subtle_okp_export,
        okp::op_cordon_subtle_ed25519_sign,
        okp::op_cordon_subtle_ed25519_verify,
        okp::op_cordon_subtle_x25519,
        ec::op_cordon_subtle_ec_generate,
        ec::op_cordon_subtle_ec_public,
        ec::op_cordon_subtle_ec_import,
        ec::op_cordon_subtle_ec_export,
        ec::op_cordon_subtle_ecdsa_sign,
        ec::op_cordon_subtle_ecdsa_verify,
        ec::op_cordon_subtle_ecdh,
        rsa_key::op_cordon_subtle_rsa_check,
        rsa_key::op_cordon_subtle_rsa_generate,
        rsa_key::op_cordon_subtle_rsa_facts,
        rsa_key::op_cordon_subtle_rsa_import,
        rsa_key::op_cordon_subtle_rsa_export,
        rsa_key::op_cordon_subtle_rsa_of_jwk,
        rsa_key::op_cordon_subtle_rsa_to_jwk,
        rsa::op_cordon_subtle_rsa_sign,
        rsa::op_cordon_subtle_rsa_verify,
        rsa_oaep::op_cordon_subtle_rsa_oaep,
    ]
);
