//! What a service manager is told: ready, alive, ending (`sd_notify(3)`). Without one, and elsewhere
//! than on Linux, nothing.

use std::time::Duration;

/// Says that the program does its work now, and how it is.
pub fn ready(status: &str) {
    told::ready(status);
}

/// Says that the work goes on, and how it is.
pub fn alive(status: &str) {
    told::alive(status);
}

/// Says that the end was asked for.
pub fn stopping() {
    told::stopping();
}

/// Within what time the manager wants to hear that the work goes on, if it watches.
pub fn watchdog() -> Option<Duration> {
    told::watchdog()
}

#[cfg(target_os = "linux")]
mod told {
    use std::time::Duration;

    use sd_notify::NotifyState;

    pub(super) fn ready(status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    pub(super) fn alive(status: &str) {
        tell(&[NotifyState::Watchdog, NotifyState::Status(status)]);
    }

    pub(super) fn stopping() {
        tell(&[NotifyState::Stopping]);
    }

    fn tell(states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states) {
            tracing::debug!(%error, "The service manager cannot be told.");
        }
    }

    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
    }
}

#[cfg(not(target_os = "linux"))]
mod told {
    use std::time::Duration;

    pub(super) fn ready(_: &str) {}

    pub(super) fn alive(_: &str) {}

    pub(super) fn stopping() {}

    pub(super) fn watchdog() -> Option<Duration> {
        None
    }
}
