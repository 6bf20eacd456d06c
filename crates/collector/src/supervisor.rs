//! What a service manager is told: ready, alive, ending. Without one, nothing.
//!
//! Alive is what has moved: the session posts its status at least every five seconds, from the one loop that does everything.
//! A process that merely exists is not alive.

use crate::status::Board;

/// Says when it is ready and, where a watchdog listens, that the session moves; until dropped.
pub async fn inform(board: Board) {
    let mut posts = board.listen();
    let mut is_ready = false;
    loop {
        // Nothing is posted by a session that hangs, and so nothing is told.
        if posts.changed().await.is_err() {
            return;
        }
        let words = posts.borrow_and_update().as_ref().map(|status| {
            format!("{}, {} rounds written", status.state.word(), status.rounds_written)
        });
        let words = words.unwrap_or_default();
        if !is_ready {
            manager::ready(&words);
            is_ready = true;
        }
        let Some(limit) = manager::watchdog() else { return };
        manager::alive(&words);
        tokio::time::sleep(limit / 3).await;
    }
}

/// Says that the end was asked for.
pub fn stopping() {
    manager::stopping();
}

#[cfg(target_os = "linux")]
mod manager {
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

    /// Within what time it wants to hear of us.
    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
    }
}

#[cfg(not(target_os = "linux"))]
mod manager {
    use std::time::Duration;

    pub(super) fn ready(_: &str) {}

    pub(super) fn alive(_: &str) {}

    pub(super) fn stopping() {}

    pub(super) fn watchdog() -> Option<Duration> {
        None
    }
}
