//! Notifies the service manager, if there is one: ready, alive, stopping.
//!
//! The watchdog is only notified after the session has updated its status, which its loop does at least every five seconds. A
//! session that hangs is restarted, although its process still runs.

use daemon::systemd;

use crate::output::status::StatusWatch;

/// Reports readiness at the first status and, if the watchdog is on, progress at later ones. Runs
/// until dropped.
pub async fn notify(status: StatusWatch) {
    let mut updates = status.subscribe();
    let mut is_ready = false;
    loop {
        // A session that hangs publishes no status, so the watchdog is not notified.
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
