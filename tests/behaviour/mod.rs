//! One module per kind of promise.

mod aliases;
mod capabilities;
mod checks;
mod code;
mod command;
mod contract;
mod corpus;
mod crypto;
mod egress;
mod example;
mod explain;
mod guest;
mod jitless;
mod ladder;
mod lies;
mod metrics;
mod platform;
mod policy;
mod probes;
mod served;
mod siblings;
mod storm;
mod surface;
mod survival;
mod web;
mod web_api;
