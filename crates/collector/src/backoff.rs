//! How long to wait before connecting again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The first pause.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// No pause is longer, unless the other side asks for it.
pub const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double from 1 s to 30 s, with jitter so that many collectors do not return at once; without an end.
#[derive(Debug)]
pub struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
}

impl Backoff {
    /// Starts at the shortest pause; the jitter comes from the operating system's randomness.
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

    /// The next pause, at least what the other side asked for.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        // The jitter comes on top of the delay, hence the cap here.
        let own = self.pauses.next().unwrap_or(LONGEST).min(LONGEST);
        own.max(asked.unwrap_or_default())
    }

    /// Begins again with the shortest pause, after a time of health.
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
    fn a_longer_pause_that_is_asked_for_is_kept() {
        let asked = Duration::from_mins(5);
        assert_eq!(without_jitter().pause(Some(asked)), asked);
        assert_eq!(without_jitter().pause(Some(Duration::ZERO)), SHORTEST);
    }
}
