//! The process around a session: runtime, signals, service manager and metrics.

use std::time::Duration;

use anyhow::Context;
use daemon::signals::Signals;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::output::status::StatusWatch;
use crate::output::{metrics, systemd};
use crate::session;

/// How long background tasks may run on after the last row is written.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

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
        let stop = shutdown.clone();
        tasks.spawn(signals.stop_then_exit("collector", move || {
            daemon::systemd::stopping();
            stop.cancel();
        }));
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
