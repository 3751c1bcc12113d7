//! How many runs each principal may ask for: a leaky bucket per principal.

use crate::config::Rate;
use crate::model::{Principal, Problem, ProblemCode};
use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After so many questions, principals that have rested are forgotten. They are at most as many as there are keys, so the map
/// is bounded anyway; this keeps it near the number of active ones.
const SWEEP_EVERY: u64 = 4096;

/// The rate of each principal.
#[derive(Debug)]
pub struct RateLimiter<C: Clock = DefaultClock> {
    buckets: governor::RateLimiter<String, DashMapStateStore<String>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    asked: AtomicU64,
}

/// Over the rate: how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// Whole seconds for the Retry-After header, rounded up, at least 1.
    pub fn seconds(self) -> u64 {
        (self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)).max(1)
    }

    /// What the caller is told: 429.
    pub fn problem(self) -> Problem {
        let seconds = self.seconds();
        let mend = format!("try again in {seconds} s, or ask the operator for a higher [rate]");
        Problem {
            retry_after: Some(seconds),
            ..Problem::new(ProblemCode::RateLimited, "you are over the rate of runs for one principal", mend)
        }
    }
}

impl RateLimiter {
    /// A limiter with the operator's `rate` for each principal.
    pub fn new(rate: &Rate) -> Self {
        Self::on(rate, DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimiter<C> {
    fn on(rate: &Rate, clock: C) -> Self {
        // The configuration refuses zero; one is what is left of it here.
        let number = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = governor::Quota::per_second(number(rate.runs_per_second)).allow_burst(number(rate.burst));
        let buckets = governor::RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Self { buckets, clock, asked: AtomicU64::new(0) }
    }

    /// Takes one run from the principal's allowance, or says how long to wait. Asking in vain costs nothing.
    pub fn check(&self, principal: &Principal) -> Result<(), RetryAfter> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
        }
        let until = self.buckets.check_key(&principal.id);
        until.map_err(|until| RetryAfter(until.earliest_possible().duration_since(self.clock.now()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn principal(id: &str) -> Principal {
        Principal { id: id.to_owned(), ..Principal::local() }
    }

    fn limiter(runs_per_second: u32, burst: u32) -> (RateLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (RateLimiter::on(&Rate { runs_per_second, burst }, clock.clone()), clock)
    }

    #[test]
    fn the_burst_is_granted_and_one_more_waits_for_its_turn() {
        let (limiter, clock) = limiter(10, 3);
        let a = principal("key:a");
        assert!((0..3).all(|_| limiter.check(&a).is_ok()));
        let wait = limiter.check(&a).expect_err("over the burst");
        assert_eq!((wait.0, wait.seconds()), (Duration::from_millis(100), 1));
        clock.advance(Duration::from_millis(99));
        assert!(limiter.check(&a).is_err());
        clock.advance(Duration::from_millis(1));
        assert!(limiter.check(&a).is_ok());
    }

    #[test]
    fn one_principal_does_not_use_up_the_rate_of_another() {
        let (limiter, _clock) = limiter(1, 1);
        assert!(limiter.check(&principal("key:a")).is_ok());
        assert!(limiter.check(&principal("key:a")).is_err());
        assert!(limiter.check(&principal("key:b")).is_ok());
    }

    #[test]
    fn principals_that_have_rested_are_forgotten() {
        let (limiter, clock) = limiter(1_000, 1);
        for n in 0..SWEEP_EVERY - 1 {
            assert!(limiter.check(&principal(&format!("key:{n}"))).is_ok());
        }
        clock.advance(Duration::from_secs(10));
        assert!(limiter.check(&principal("key:last")).is_ok());
        assert_eq!(limiter.buckets.len(), 1);
    }

    #[test]
    fn retry_after_rounds_up_and_is_never_zero() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(RetryAfter(Duration::from_millis(millis)).seconds(), seconds);
        }
        let problem = RetryAfter(Duration::from_millis(1500)).problem();
        assert_eq!((problem.status, problem.retry_after), (429, Some(2)));
    }
}
