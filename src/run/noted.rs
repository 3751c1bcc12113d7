//! Which refusals become records. Those that nobody answers for, and those for asking too often, cost the one who is refused nothing; a record each
//! would let anybody fill the disk. Past a small rate they are counted, and the next record says how many there were.

use crate::model::{Principal, ProblemCode};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Such refusals that are recorded after a rest.
const BURST: f64 = 100.0;

/// And from then on, per second.
const PER_SECOND: f64 = 1.0;

/// Counts refusals for which no one answers.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Option<Bucket>>);

#[derive(Debug)]
struct Bucket {
    allowance: f64,
    filled: Instant,
    unrecorded: u64,
}

impl Noted {
    /// Whether to record this refusal: with how many that were not recorded before it, or not at all.
    pub(super) fn note(&self, principal: Option<&Principal>, code: ProblemCode) -> Option<u64> {
        if principal.is_some() && code != ProblemCode::RateLimited {
            return Some(0);
        }
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.get_or_insert_with(|| Bucket { allowance: BURST, filled: Instant::now(), unrecorded: 0 }).note(Instant::now())
    }
}

impl Bucket {
    fn note(&mut self, now: Instant) -> Option<u64> {
        let rested = now.saturating_duration_since(self.filled).as_secs_f64();
        self.allowance = (self.allowance + rested * PER_SECOND).min(BURST);
        self.filled = now;
        if self.allowance < 1.0 {
            self.unrecorded += 1;
            return None;
        }
        self.allowance -= 1.0;
        Some(std::mem::take(&mut self.unrecorded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_is_recorded_the_rest_is_counted_and_the_next_record_tells() {
        let start = Instant::now();
        let mut bucket = Bucket { allowance: BURST, filled: start, unrecorded: 0 };
        assert!((0..100).all(|_| bucket.note(start) == Some(0)));
        assert!((0..5).all(|_| bucket.note(start).is_none()));
        assert_eq!(bucket.note(start + Duration::from_millis(999)), None);
        assert_eq!(bucket.note(start + Duration::from_secs(2)), Some(6));
    }

    #[test]
    fn what_a_principal_answers_for_is_always_recorded_unless_it_asked_too_often() {
        let (noted, principal) = (Noted::default(), Principal::local());
        assert!((0..1000).all(|_| noted.note(Some(&principal), ProblemCode::Rejected) == Some(0)));
        let recorded = (0..1000).filter(|_| noted.note(Some(&principal), ProblemCode::RateLimited).is_some()).count();
        assert!((100..110).contains(&recorded), "{recorded}");
        assert_eq!(noted.note(None, ProblemCode::Unauthenticated), None, "they share the allowance");
    }
}
