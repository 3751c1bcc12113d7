//! The server's promises, tried from outside: real processes, real HTTP, real cells.
//!
//! Nothing here names the `cordon` library, so V8 is not linked into this binary. `house` starts servers and talks to them;
//! each module of `behaviour` holds one kind of promise. `CORDON_KILLS` and `CORDON_RUNS` raise the numbers of the survival tests.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail and say where")]

mod behaviour;
mod house;
