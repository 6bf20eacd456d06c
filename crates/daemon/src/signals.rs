//! Signals that ask the process to stop: Ctrl-C, a service manager, a closed terminal.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use crate::output::say;

/// Signals within this time of the first are the same request: `timeout` sends one to the process and one to its group, and a
/// script passes on as SIGTERM the Ctrl-C that the terminal has sent to the whole group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// The signal of a write beyond the file size limit, which ends the process by default; the same number on Linux (all but
/// MIPS), macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

/// The signals that ask the process to stop.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    listeners: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    ctrl_c: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    ctrl_break: tokio::signal::windows::CtrlBreak,
    #[cfg(windows)]
    ctrl_close: tokio::signal::windows::CtrlClose,
    #[cfg(windows)]
    ctrl_shutdown: tokio::signal::windows::CtrlShutdown,
}

impl Signals {
    /// Calls `stop` at the first signal, and ends the process with code 1 at the second request.
    pub async fn stop_then_exit(mut self, program: &str, stop: impl FnOnce()) {
        let signal = self.next().await;
        let asked_at = Instant::now();
        tracing::info!(signal, "Asked to stop.");
        stop();
        loop {
            self.next().await;
            if !is_same_request(asked_at, Instant::now()) {
                break;
            }
        }
        say(&format!(
            "{program}: stopped at once, at a second signal; everything acknowledged is on the disk"
        ));
        std::process::exit(1);
    }
}

fn is_same_request(asked_at: Instant, now: Instant) -> bool {
    now.duration_since(asked_at) < SAME_REQUEST
}

#[cfg(unix)]
impl Signals {
    /// Starts listening; from then on these signals no longer end the process.
    ///
    /// # Errors
    /// A handler cannot be registered.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A file size limit (`ulimit -f`) then fails the write as a full disk does. Once registered, a handler stays.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        Ok(Self {
            listeners: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
        })
    }

    /// Waits for the next signal and returns its name.
    pub async fn next(&mut self) -> &'static str {
        let [interrupt, terminate, hangup] = &mut self.listeners;
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            _ = hangup.recv() => "SIGHUP",
        }
    }
}

#[cfg(windows)]
impl Signals {
    /// Starts listening; from then on these signals no longer end the process.
    ///
    /// # Errors
    /// A handler cannot be registered.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            ctrl_c: ctrl_c()?,
            ctrl_break: ctrl_break()?,
            ctrl_close: ctrl_close()?,
            ctrl_shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.ctrl_c.recv() => "Ctrl-C",
            _ = self.ctrl_break.recv() => "Ctrl-Break",
            _ = self.ctrl_close.recv() => "a closed window",
            _ = self.ctrl_shutdown.recv() => "shutdown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `timeout 5 collector` sends SIGTERM twice within a millisecond; Ctrl-C in a script may add SIGTERM to SIGINT.
    #[test]
    fn a_signal_to_the_process_and_one_to_its_group_are_one_request() {
        let asked_at = Instant::now();
        for (ms, expected) in [(0, true), (999, true), (1000, false), (5000, false)] {
            let now = asked_at + Duration::from_millis(ms);
            assert_eq!(is_same_request(asked_at, now), expected, "{ms} ms");
        }
    }
}
