//! Promises of the store as a whole.

mod crash;
mod faults;
mod house;
mod life;
mod turns;
