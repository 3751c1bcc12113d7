//! From an `Authorization` header to a principal. Every refusal is the same, and takes the same steps.

use super::{KeyRing, Token};
use crate::model::{Digest, Principal, Problem, ProblemCode};
use subtle::ConstantTimeEq;

/// Compared against when there is no such key, so that an unknown id takes the steps of a known one.
const NO_HASH: [u8; 32] = [0; 32];

impl KeyRing {
    /// Who sends this `Authorization` header. While no key exists, whoever reaches the listener is [`Principal::local`], whatever the header
    /// says. Afterwards a missing, malformed, unknown, outdated or revoked key is one and the same 401.
    pub fn authenticate(&self, header: Option<&str>) -> Result<Principal, Box<Problem>> {
        let index = self.index.load();
        if index.is_empty() {
            return Ok(Principal::local());
        }
        let token = header.and_then(bearer).and_then(Token::parse);
        let record = token.as_ref().and_then(|token| index.get(token.id()));
        let hash = token.as_ref().map_or_else(|| Digest::of(&NO_HASH), Token::hash);
        let same = hash.as_bytes().ct_eq(record.map_or(&NO_HASH, |record| record.hash.as_bytes()));
        match record {
            Some(record) if bool::from(same) && record.info.is_live() => {
                let info = &record.info;
                Ok(Principal { id: format!("key:{}", info.id), name: info.name.as_str().to_owned(), role: info.role })
            }
            Some(_) | None => Err(refusal()),
        }
    }
}

/// The credentials of a Bearer header; the scheme's case does not matter (RFC 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim_start())
}

fn refusal() -> Box<Problem> {
    let mend = "send `Authorization: Bearer ck_…` with a key that is live; an operator makes one with `cordon key new`";
    Box::new(Problem::new(ProblemCode::Unauthenticated, "there is no valid key in the Authorization header", mend))
}
