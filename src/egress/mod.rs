//! Outbound requests for runs, in the supervisor. A cell only asks; this room decides by the grant, resolves, connects, sends, and keeps the ledger.
//!
//! Two halves: what is decided (`target`, `decide`, `fixture`, `gate`, `resolve`), and what is sent (`desk`, `trip`, `wire`, `pool`,
//! `body`). What secrets may do is behind [`Carrier`]: the sender knows none, [`secrets`] has them.

mod admit;
mod body;
mod broker;
mod carrier;
pub(crate) mod decide;
mod desk;
mod dial;
mod exchange;
pub(crate) mod fixture;
mod gate;
mod head;
mod inflate;
mod judge;
mod learn;
mod ledger;
mod link;
mod payload;
mod pool;
mod redirect;
mod refusal;
mod resolve;
pub mod secrets;
mod target;
mod trip;
mod trust;
mod wire;
mod wish;

#[cfg(test)]
mod tests;

pub use body::InBody;
pub use broker::{Broker, BrokerSettings};
pub use carrier::{BodyGuard, Carrier, Misuse, NoSecrets, Scrubber};
pub use desk::{Before, Desk, DeskSettings, Observer};
pub use exchange::{Failure, Fault, Inbound, OutBody, OutPiece, Outbound};
pub use gate::Gate;
pub use judge::{Leave, judge};
pub use learn::learn;
pub use refusal::{CODES, Refusal};
pub use resolve::Lookup;
pub(crate) use resolve::Resolver;
pub use target::Target;
