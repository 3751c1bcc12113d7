//! Cordon runs JavaScript and TypeScript that an AI agent wrote: each run in a fresh V8 isolate, in a process of its own
//! that can reach nothing, under a policy that decides what the code may do, leaving a record of what it did.
//!
//! The rooms and their floors are drawn in ARCHITECTURE.md; `tests/tidy.rs` holds them.
#![deny(unsafe_code)]

pub mod app;
pub mod artifact;
pub mod cell;
pub mod config;
pub mod egress;
pub mod http;
pub mod intake;
pub mod isolate;
pub mod model;
pub mod policy;
pub mod provenance;
pub mod run;
pub mod store;
pub mod telemetry;
