//! Waiting for a hub that does not answer, and saying so once.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// The first pause.
const SHORTEST: Duration = Duration::from_millis(250);
/// No pause is longer: a hub that is back is used within five seconds.
pub const LONGEST: Duration = Duration::from_secs(2);

/// From the first failure to the next success.
#[derive(Debug)]
pub struct Outage {
    since: Option<Instant>,
    pause: Duration,
    /// State of the jitter, so that many bridges do not return at once.
    random: u64,
}

impl Outage {
    /// No outage yet.
    pub fn new() -> Self {
        Self { since: None, pause: SHORTEST, random: u64::from(std::process::id()) << 1 | 1 }
    }

    /// A failure: says so the first time, and how long to wait.
    pub fn failed(&mut self, error: &str) -> Duration {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(
                error,
                "The hub cannot be used; nothing is lost, it is tried again until it can."
            );
        } else {
            tracing::debug!(error, "Still not.");
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        // Between half and the whole of it. A linear congruence is random enough to spread bridges out.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(self.random >> 33).expect("31 bits");
        pause / 2 + pause / 2 * (share >> 21) / (1 << 10)
    }

    /// A success: says how long it took.
    pub fn over(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(seconds, "The hub can be used again.");
        }
        self.pause = SHORTEST;
    }
}

impl Default for Outage {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits, unless asked to stop first.
pub async fn pause(length: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = shutdown.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_start_afresh_after_a_success() {
        let mut outage = Outage::new();
        let mut whole = SHORTEST;
        for _ in 0..20 {
            let pause = outage.failed("no");
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        outage.over();
        assert!(outage.failed("no") <= SHORTEST);
    }
}
