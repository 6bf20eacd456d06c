//! Pauses between connection attempts: exponential, with jitter.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The first pause, and the shortest.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest pause, unless the server asks for a longer one.
pub const LONGEST: Duration = Duration::from_secs(30);

/// An endless sequence of pauses that double from 1 s to 30 s. Jitter keeps many collectors from reconnecting at once.
#[derive(Debug)]
pub struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
}

impl Backoff {
    /// Starts at the shortest pause.
    pub fn new() -> Self {
        Self::from(
            ExponentialBuilder::new()
                .with_min_delay(SHORTEST)
                .with_factor(2.0)
                .with_max_delay(LONGEST)
                .with_jitter()
                .without_max_times(),
        )
    }

    /// Returns the next pause, and at least `asked`, the pause that the server asked for.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        // Jitter is added after the maximum delay is applied, so the result is capped again.
        let own = self.pauses.next().unwrap_or(LONGEST).min(LONGEST);
        own.max(asked.unwrap_or_default())
    }

    /// Starts again at the shortest pause, after a connection that lasted.
    pub fn reset(&mut self) {
        self.pauses = self.builder.build();
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl From<ExponentialBuilder> for Backoff {
    fn from(builder: ExponentialBuilder) -> Self {
        Self { pauses: builder.build(), builder }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_jitter() -> Backoff {
        Backoff::from(
            ExponentialBuilder::new()
                .with_min_delay(SHORTEST)
                .with_factor(2.0)
                .with_max_delay(LONGEST)
                .without_max_times(),
        )
    }

    #[track_caller]
    fn check(backoff: &mut Backoff, seconds: &[u64]) {
        let pauses: Vec<_> = seconds.iter().map(|_| backoff.pause(None).as_secs()).collect();
        assert_eq!(pauses, seconds);
    }

    #[test]
    fn pauses_double_up_to_half_a_minute_and_never_end() {
        check(&mut without_jitter(), &[1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
    }

    #[test]
    fn after_a_reset_the_pauses_are_short_again() {
        let mut backoff = without_jitter();
        check(&mut backoff, &[1, 2, 4]);
        backoff.reset();
        check(&mut backoff, &[1, 2]);
    }

    #[test]
    fn jitter_never_leaves_the_range() {
        let mut backoff = Backoff::new();
        for _ in 0..200 {
            let pause = backoff.pause(None);
            assert!((SHORTEST..=LONGEST).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn a_longer_pause_that_the_server_asks_for_is_kept() {
        let asked = Duration::from_mins(5);
        assert_eq!(without_jitter().pause(Some(asked)), asked);
        assert_eq!(without_jitter().pause(Some(Duration::ZERO)), SHORTEST);
    }
}
