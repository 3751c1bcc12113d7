//! The rules of egress by path: what is pure in `src/egress`, under the names that its files know each other by.

#[path = "../../../src/egress/decide.rs"]
pub(crate) mod decide;
#[path = "../../../src/egress/gate/mod.rs"]
pub(crate) mod gate;
#[path = "../../../src/egress/refusal.rs"]
pub(crate) mod refusal;
#[path = "../../../src/egress/target.rs"]
pub(crate) mod target;
#[path = "../../../src/egress/wish.rs"]
pub(crate) mod wish;
