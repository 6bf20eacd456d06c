//! Notifies the service manager of readiness, liveness and shutdown (`sd_notify(3)`); a no-op
//! without one and outside Linux.

use std::time::Duration;

/// Reports that the program is ready, with a status line.
pub fn ready(status: &str) {
    notifier::ready(status);
}

/// Resets the watchdog, with a status line.
pub fn alive(status: &str) {
    notifier::alive(status);
}

/// Reports that shutdown has begun.
pub fn stopping() {
    notifier::stopping();
}

/// Returns the longest allowed interval between calls of [`alive`]; `None` if the watchdog is off.
pub fn watchdog() -> Option<Duration> {
    notifier::watchdog()
}

#[cfg(target_os = "linux")]
mod notifier {
    use std::time::Duration;

    use sd_notify::NotifyState;

    pub(super) fn ready(status: &str) {
        notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    pub(super) fn alive(status: &str) {
        notify(&[NotifyState::Watchdog, NotifyState::Status(status)]);
    }

    pub(super) fn stopping() {
        notify(&[NotifyState::Stopping]);
    }

    fn notify(states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states) {
            tracing::debug!(%error, "Cannot notify the service manager.");
        }
    }

    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
    }
}

#[cfg(not(target_os = "linux"))]
mod notifier {
    use std::time::Duration;

    pub(super) fn ready(_: &str) {}

    pub(super) fn alive(_: &str) {}

    pub(super) fn stopping() {}

    pub(super) fn watchdog() -> Option<Duration> {
        None
    }
}
