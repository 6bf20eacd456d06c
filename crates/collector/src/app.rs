//! The process around a session: runtime, signals, service manager and metrics.

use std::time::Duration;

use anyhow::Context;
use daemon::output::say;
use daemon::signals::Signals;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::output::status::StatusWatch;
use crate::output::{metrics, systemd};
use crate::session;

/// How long background tasks may run on after the last row is written.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Exit code after a second signal.
const STOPPED_AT_ONCE: i32 = 1;
/// Signals that arrive this soon after the first are the same request: `timeout` and a terminal send one to the process and
/// one to its group.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// Records until a signal arrives or the source ends.
///
/// # Errors
///
/// The runtime, the signal handlers or the metrics address is not available, or the session failed (see [`session::run`]).
pub fn record(config: Config) -> anyhow::Result<()> {
    let runtime = Runtime::new().context("starting the runtime")?;
    let recorded = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let signals = Signals::listen().context("listening for signals")?;
        let status = StatusWatch::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(shut_down_on_signal(signals, shutdown.clone()));
        tasks.spawn(systemd::notify(status.clone()));
        if let Some(address) = config.metrics_listen {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address}; choose another with --metrics-listen")
            })?;
            let address = listener.local_addr().context("asking for the port")?;
            tracing::info!(url = %format_args!("http://{address}/metrics"), "Metrics are served.");
            tasks.spawn(metrics::serve(listener, status.clone()));
        }
        session::run(config, shutdown, status).await
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    recorded
}

/// Asks the session to stop at the first signal and ends the process at the second request.
async fn shut_down_on_signal(mut signals: Signals, shutdown: CancellationToken) {
    let signal = signals.next().await;
    let asked_at = Instant::now();
    tracing::info!(signal, "Asked to stop.");
    daemon::systemd::stopping();
    shutdown.cancel();
    loop {
        signals.next().await;
        if !is_same_request(asked_at, Instant::now()) {
            break;
        }
    }
    say("collector: stopped at once; what was on the disk stays");
    #[expect(clippy::exit, reason = "every round that was acknowledged is on the disk already")]
    std::process::exit(STOPPED_AT_ONCE);
}

fn is_same_request(asked_at: Instant, now: Instant) -> bool {
    now.duration_since(asked_at) < SAME_REQUEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `timeout 5 collector` sent SIGTERM twice within a millisecond, and the collector ended as if asked twice.
    #[test]
    fn a_signal_to_the_process_and_one_to_its_group_are_one_request() {
        let asked_at = Instant::now();
        for (ms, expected) in [(0, true), (999, true), (1000, false), (5000, false)] {
            let now = asked_at + Duration::from_millis(ms);
            assert_eq!(is_same_request(asked_at, now), expected, "{ms} ms");
        }
    }
}
