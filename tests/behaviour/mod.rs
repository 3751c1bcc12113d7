//! One module per kind of promise.

mod contract;
mod corpus;
mod lies;
mod metrics;
mod probes;
mod siblings;
mod storm;
mod surface;
mod survival;
