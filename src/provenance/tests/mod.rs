//! Promises of the log as a whole.

mod decisions;
mod granted;
mod house;
mod kill;
mod life;
mod lists;
mod tamper;
