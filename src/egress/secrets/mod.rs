//! Secrets: where their values come from, what stands in for them in a run, where they are put into requests, and how they are kept from coming back.
//!
//! A cell never has a value. Code of a run has a random token (mode `placeholder`) or nothing (mode `inject`); the value is set in one header, for exact
//! hosts, over TLS, after the decision. A stand-in that turns up elsewhere is a misuse; a decoy that turns up anywhere is a violation.
//!
//! What is searched for is best effort: a host that reflects a value in pieces, compressed or transformed in another way than `spell` knows, wins. So does
//! a compressed request body over the guard, at no loss: stand-ins are worth nothing elsewhere. Values are wiped when they are dropped; copies within the
//! header that is sent, the search automaton of a run and the client for Vault live shortly and are not.

mod cache;
mod carry;
mod guard;
mod misuse;
mod net;
mod place;
mod refresh;
mod run;
mod scrub;
mod source;
mod spell;
mod store;
#[cfg(test)]
mod tests;
mod token;
mod value;
mod vault;
mod wire;

pub use run::{RunSecrets, Values};
pub use source::{Problem, VaultSpec};
pub use store::Secrets;
