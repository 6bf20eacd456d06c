//! What a service manager is told: ready, alive, ending. Without one, nothing.
//!
//! Alive is what has moved: the session posts its status at least every five seconds, from the one loop that does everything.
//! A process that merely exists is not alive.

use daemon::systemd;

use crate::output::status::StatusWatch;

/// Says when it is ready and, where a watchdog listens, that the session moves; until dropped.
pub async fn notify(board: StatusWatch) {
    let mut updates = board.subscribe();
    let mut is_ready = false;
    loop {
        // Nothing is posted by a session that hangs, and so nothing is told.
        if updates.changed().await.is_err() {
            return;
        }
        let status_text = updates.borrow_and_update().as_ref().map(|status| {
            format!("{}, {} rounds written", status.state.name(), status.rounds_written)
        });
        let status_text = status_text.unwrap_or_default();
        if !is_ready {
            systemd::ready(&status_text);
            is_ready = true;
        }
        let Some(limit) = systemd::watchdog() else { return };
        systemd::alive(&status_text);
        tokio::time::sleep(limit / 3).await;
    }
}
