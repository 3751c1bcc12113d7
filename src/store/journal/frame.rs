//! Frames and segment heads: the bytes of the journal.
//!
//! A segment is a head (`CORDWAL1`, the number of its first frame, crc32) and then frames: length of the body, crc32 of all that follows and
//! of the length, number, the highest number known to be on disk when this one was written, body. Numbers are little-endian.

use super::super::Batch;

/// Bytes of a segment's head.
pub(crate) const HEAD_BYTES: usize = 20;
/// Bytes of a frame before its body.
pub(crate) const FRAME_HEAD_BYTES: usize = 24;
/// The longest body. Source: the largest batch that rooms store (a report with a result of 1 MiB and its logs), times eight.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;

const MAGIC: &[u8; 8] = b"CORDWAL1";

/// A frame as read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Its number.
    pub(crate) sequence: u64,
    /// Every frame up to this one was on disk when this frame was written.
    pub(crate) synced: u64,
    /// The batch's bytes.
    pub(crate) body: &'a [u8],
    /// Its length with its head.
    pub(crate) bytes: usize,
}

/// The head of a segment whose first frame is `first`.
pub(crate) fn head(first: u64) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    let (magic, rest) = head.split_at_mut(8);
    magic.copy_from_slice(MAGIC);
    let (number, crc) = rest.split_at_mut(8);
    number.copy_from_slice(&first.to_le_bytes());
    crc.copy_from_slice(&crc32fast::hash(&[MAGIC.as_slice(), number].concat()).to_le_bytes());
    head
}

/// The number of the first frame, when `bytes` start with a segment's head.
pub(crate) fn read_head(bytes: &[u8]) -> Option<u64> {
    let found: &[u8; HEAD_BYTES] = bytes.first_chunk()?;
    let first = u64::from_le_bytes(*found.get(8..)?.first_chunk()?);
    (*found == head(first)).then_some(first)
}

/// Appends the frame of `batch` to `out`.
pub(crate) fn write(sequence: u64, synced: u64, batch: &Batch, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend((batch.bytes() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(sequence.to_le_bytes());
    out.extend(synced.to_le_bytes());
    batch.encode(out);
    let crc = crc(out.get(start..start + 4).unwrap_or_default(), out.get(start + 8..).unwrap_or_default());
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

fn crc(length: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(rest);
    hasher.finalize()
}

/// The frame at the start of `bytes`; `None` when there is none, or not all of it, or its checksum is wrong.
pub(crate) fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let (head, rest) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>()?;
    let (length, tail) = head.split_first_chunk::<4>()?;
    let (expected, numbers) = tail.split_first_chunk::<4>()?;
    let (sequence, synced) = numbers.split_first_chunk::<8>()?;
    let body_bytes = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|bytes| *bytes <= BODY_BYTES_MAX)?;
    let body = rest.get(..body_bytes)?;
    let covered = bytes.get(8..FRAME_HEAD_BYTES + body_bytes)?;
    (crc(length, covered) == u32::from_le_bytes(*expected)).then_some(())?;
    let synced = u64::from_le_bytes(*synced.first_chunk()?);
    Some(Frame { sequence: u64::from_le_bytes(*sequence), synced, body, bytes: FRAME_HEAD_BYTES + body_bytes })
}

/// How far the numbers of later frames may be from the missing one; a bound on how much is tried.
const RESYNC_WINDOW: u64 = 1 << 32;

/// The next readable frame in `bytes` with a number above `sequence`, wherever it starts. For telling a torn tail from damage.
pub(crate) fn find_after(bytes: &[u8], sequence: u64) -> Option<(usize, Frame<'_>)> {
    (0..bytes.len().saturating_sub(FRAME_HEAD_BYTES - 1)).find_map(|offset| {
        let rest = bytes.get(offset..)?;
        // Cheap before dear: the checksum is computed only where a plausible number stands.
        let number = u64::from_le_bytes(*rest.get(8..)?.first_chunk()?);
        (number > sequence && number - sequence < RESYNC_WINDOW).then_some(())?;
        Some((offset, read(rest)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tree;
    use proptest::prelude::*;

    fn frame(sequence: u64, value: Vec<u8>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(sequence, sequence.saturating_sub(1), &Batch::new().put(Tree::Records, "k", value), &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn a_frame_reads_back_whatever_follows_it(sequence: u64, value: Vec<u8>, after: Vec<u8>) {
            let bytes = frame(sequence, value.clone());
            let all = [bytes.as_slice(), &after].concat();
            let read = read(&all).expect("a frame");
            prop_assert_eq!((read.sequence, read.synced, read.bytes), (sequence, sequence.saturating_sub(1), bytes.len()));
            prop_assert_eq!(Batch::decode(read.body), Some(Batch::new().put(Tree::Records, "k", value)));
        }

        #[test]
        fn a_frame_that_is_cut_or_has_one_flipped_bit_is_no_frame(value: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let mut bytes = frame(7, value);
            prop_assert_eq!(read(&bytes[..at.index(bytes.len())]), None);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(read(&bytes), None);
        }

        #[test]
        fn reading_any_bytes_ends(bytes: Vec<u8>, sequence: u64) {
            let _nothing_to_promise_but_an_end = (read(&bytes), read_head(&bytes), find_after(&bytes, sequence));
        }

        #[test]
        fn a_later_frame_is_found_behind_any_rubbish(rubbish: Vec<u8>) {
            let later = frame(9, b"later".to_vec());
            let all = [rubbish.as_slice(), &later].concat();
            let (offset, found) = find_after(&all, 8).expect("found");
            prop_assert_eq!((offset, found.sequence), (rubbish.len(), 9));
            prop_assert!(find_after(&all, 9).is_none());
        }
    }

    #[test]
    fn a_head_reads_back_and_a_spoiled_one_does_not() {
        let mut bytes = head(42);
        assert_eq!(read_head(&bytes), Some(42));
        assert_eq!(read_head(&bytes[..HEAD_BYTES - 1]), None);
        bytes[9] ^= 1;
        assert_eq!(read_head(&bytes), None);
    }

    #[test]
    fn a_body_at_the_limit_is_read_and_a_longer_one_refused() {
        let key_and_head = Batch::new().put(Tree::Runs, "k", "").bytes();
        let at_limit = frame(1, vec![0; BODY_BYTES_MAX - key_and_head]);
        assert!(read(&at_limit).is_some());
        assert!(read(&frame(1, vec![0; BODY_BYTES_MAX - key_and_head + 1])).is_none());
    }
}
