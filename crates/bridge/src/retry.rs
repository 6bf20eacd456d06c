//! Reconnecting to a hub that is unavailable: one loop for pushing and pulling.

use std::fmt::Display;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use crate::hub::{self, HubError};

/// Delays between attempts: at first 125 to 250 ms, later 1 to 2 s. A hub that comes back is in use
/// again within five seconds, and the jitter keeps many bridges from reconnecting at once.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(125))
    .with_max_delay(Duration::from_secs(1))
    .with_factor(2.0)
    .with_jitter()
    .without_max_times();

/// Delays while the hub stores nothing, which an operator has to change: 1 to 2 s at first, later 30 to 60 s.
const REFUSAL_BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_factor(2.0)
    .with_jitter()
    .without_max_times();

/// The error of a session with the hub.
pub trait SessionError: From<HubError> + Display {
    /// Returns whether to give up; `was_connected` says whether an earlier session could use the hub.
    fn is_final(&self, was_connected: bool) -> bool;

    /// Returns whether the hub can be reached but stores nothing.
    fn is_refusal(&self) -> bool {
        false
    }
}

impl SessionError for HubError {
    fn is_final(&self, was_connected: bool) -> bool {
        self.is_permanent() && !(was_connected && self.may_pass())
    }

    fn is_refusal(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Unacknowledged { .. })
    }
}

/// Runs sessions one after another until one succeeds or fails for good, or `shutdown` is cancelled.
///
/// A session calls [`Outage::connected`] as soon as it can use the hub.
///
/// # Errors
/// The final error of a session.
pub fn run<E: SessionError>(
    shutdown: &CancellationToken,
    mut session: impl FnMut(&mut Outage) -> Result<(), E>,
) -> Result<(), E> {
    let mut outage = Outage::new("hub");
    let mut was_connected = false;
    loop {
        let ended = session(&mut outage);
        was_connected |= outage.has_connected;
        match ended {
            Ok(()) => return Ok(()),
            Err(error) if error.is_final(was_connected) => return Err(error),
            Err(error) => {
                let delay = outage.next_delay(&error);
                wait_blocking(
                    if error.is_refusal() { outage.refusal_delay() } else { delay },
                    shutdown,
                )?;
            }
        }
        if shutdown.is_cancelled() {
            return Ok(());
        }
    }
}

/// A series of failures, up to the next success.
#[derive(Debug)]
pub struct Outage {
    /// What is unavailable.
    what: &'static str,
    since: Option<Instant>,
    backoff: ExponentialBackoff,
    refusal_backoff: ExponentialBackoff,
    /// The hub was reached but stored nothing.
    is_refused: bool,
    has_connected: bool,
}

impl Outage {
    /// Returns the state before any failure; the log names `what` as unavailable.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            since: None,
            backoff: BACKOFF.build(),
            refusal_backoff: REFUSAL_BACKOFF.build(),
            is_refused: false,
            has_connected: false,
        }
    }

    /// Records a failure and returns how long to wait. Only the first one is logged as a warning.
    pub fn next_delay(&mut self, error: &dyn Display) -> Duration {
        let what = self.what;
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(what, %error, "Unavailable; retrying until it is back. Nothing is lost.");
        } else {
            tracing::debug!(what, %error, "Still unavailable.");
        }
        self.backoff.next().expect("the number of attempts is not limited")
    }

    /// Returns how long to wait after the hub stored nothing; a connection alone does not end such an outage.
    fn refusal_delay(&mut self) -> Duration {
        self.is_refused = true;
        self.refusal_backoff.next().expect("the number of attempts is not limited")
    }

    /// Records that the hub can be reached, which ends an outage unless the hub stored nothing.
    pub fn connected(&mut self) {
        self.has_connected = true;
        if !self.is_refused {
            self.end();
        }
    }

    /// Records a success and logs the length of the outage that it ends, if any.
    pub fn end(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(what = self.what, seconds, "Available again.");
        }
        self.backoff = BACKOFF.build();
        self.refusal_backoff = REFUSAL_BACKOFF.build();
        self.is_refused = false;
    }
}

/// Waits for `time`, or until `shutdown` is cancelled.
pub async fn wait(time: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = shutdown.cancelled() => {}
    }
}

/// Like [`wait`], for callers outside a runtime.
///
/// # Errors
/// No runtime can be created.
pub fn wait_blocking(time: Duration, shutdown: &CancellationToken) -> Result<(), HubError> {
    hub::run(async {
        wait(time, shutdown).await;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_two_seconds_and_are_reset_by_a_success() {
        let mut outage = Outage::new("hub");
        let mut whole = Duration::from_millis(250);
        for _ in 0..20 {
            let delay = outage.next_delay(&"no");
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} of {whole:?}");
            whole = (whole * 2).min(Duration::from_secs(2));
        }
        outage.end();
        assert!(outage.next_delay(&"no") <= Duration::from_millis(250));
    }

    #[test]
    fn a_hub_that_stores_nothing_is_asked_less_and_less_often_although_it_can_be_reached() {
        let mut outage = Outage::new("hub");
        let mut whole = Duration::from_secs(2);
        for _ in 0..10 {
            let delay = outage.refusal_delay();
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?} of {whole:?}");
            whole = (whole * 2).min(Duration::from_mins(1));
            outage.connected();
        }
        outage.end();
        assert!(outage.refusal_delay() <= Duration::from_secs(2));
    }

    /// A server whose disk was full answers everything except rows. Each connection ended the outage, so the log had two
    /// lines every ten seconds, and none said what to do.
    #[test]
    fn only_a_stored_row_ends_an_outage_in_which_the_hub_stored_nothing() {
        let problem = || "timed out".to_owned();
        for (error, is_refusal) in [
            (HubError::Full { problem: problem() }, true),
            (HubError::Unacknowledged { problem: problem() }, true),
            (HubError::disconnected(), false),
        ] {
            assert_eq!(error.is_refusal(), is_refusal, "{error}");
        }
        let mut outage = Outage::new("hub");
        outage.next_delay(&"no");
        outage.refusal_delay();
        outage.connected();
        assert!(outage.since.is_some());
        outage.end();
        assert!(outage.since.is_none());
    }

    /// Runs sessions that end with these errors; returns the number of sessions and the last error.
    fn run_sessions(connects: bool, errors: [fn() -> HubError; 2]) -> (usize, String) {
        let mut errors = errors.into_iter();
        let mut sessions = 0;
        let ended = run(&CancellationToken::new(), |outage| {
            sessions += 1;
            if connects {
                outage.connected();
            }
            errors.next().map_or(Ok(()), |error| Err(error()))
        });
        (sessions, ended.map_or_else(|error| error.to_string(), |()| String::new()))
    }

    #[test]
    fn only_errors_that_may_pass_are_retried() {
        let refused = || HubError::NoCredentials { address: "hub".to_owned() };
        assert_eq!(run_sessions(false, [HubError::disconnected, HubError::disconnected]).0, 3);
        assert_eq!(run_sessions(true, [refused, HubError::disconnected]).0, 3);
        let (sessions, error) = run_sessions(false, [HubError::disconnected, refused]);
        assert_eq!((sessions, error), (2, refused().to_string()));
        let mismatch = || HubError::Mismatch("another stream".to_owned());
        assert_eq!(run_sessions(true, [mismatch, refused]).0, 1);
    }
}
