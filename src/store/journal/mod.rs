//! The write-ahead journal: segments of checksummed frames, one frame per batch, numbered without gaps.

pub(super) mod frame;
pub(super) mod medium;
pub(super) mod replay;
pub(super) mod segment;
