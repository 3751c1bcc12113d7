//! The only doors from guest code to the host, and the realm that they open into.
//!
//! One room per extension: [`console`], [`clock`], [`random`], [`guard`] (what is denied), [`finish`] (how a run ends), [`wire`] (what goes out and comes in)
//! and [`subtle`] (the arithmetic of WebCrypto).
//! [`interrupt`] and [`alarm`] end a run from outside. [`port`] and [`capability`] know no V8 type. [`realm`] puts the rooms, the Web API crates and `../js` together.

pub mod alarm;
pub mod capability;
pub mod clock;
pub mod console;
pub mod embedded;
pub mod finish;
pub mod guard;
pub mod interrupt;
pub mod memory;
pub mod port;
pub mod random;
pub mod realm;
mod subtle;
mod wire;
