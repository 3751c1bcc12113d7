//! Any bytes from a cell: a frame, a wait, or a fault; never a panic, never more bytes than there are.
#![no_main]

#[path = "../../src/model/mod.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use libfuzzer_sys::fuzz_target;
use model::frame::{Decoded, FromCell, decode, encode};

/// The cap of the target, above what the fuzzer makes by default and below what a hostile length announces.
const MOST: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(Decoded { frame, taken })) = decode::<FromCell>(bytes, MOST) else { return };
    assert!(taken <= bytes.len(), "{taken} bytes taken of {}", bytes.len());
    // Numbers have more than one spelling in postcard, so the bytes may differ; the frame may not.
    let again = encode(&frame, usize::MAX).expect("a decoded frame encodes");
    let reread = decode::<FromCell>(&again, usize::MAX).expect("and decodes").expect("whole");
    assert_eq!(reread, Decoded { frame, taken: again.len() });
});
