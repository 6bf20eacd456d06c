//! The recording loop, the same for every source: connects, records observations, detects a stalled source, reconnects with
//! backoff, and stops.

mod multiplier_limit;
mod recorder;
mod reset_watch;
pub mod resume;
mod suspension;

use std::time::Duration;

use anyhow::bail;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::recorder::{Interrupt, Recorder};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::observation::Report;
use crate::output::status::StatusWatch;
use crate::output::writer::WriterGone;
use crate::source_error::SourceError;
use crate::sources::Source;

/// Time without a new round after which a live source is reported as stalled.
pub const STALLED_AFTER: Duration = Duration::from_mins(3);
/// Time without a new round after which a live source is reconnected. Not sooner, because a round can last minutes.
pub const RECONNECT_AFTER: Duration = Duration::from_mins(5);
/// A connection that lasts this long resets the backoff.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// Timeout of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(3);
/// Number of errors that look like a configuration mistake, without a lasting connection in
/// between, after which the process gives up.
const SUSPECTS_MAX: u32 = 5;
/// Timeout for closing a source.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Records until `shutdown`, or until a demo or replay is finished; publishes the status on `status`.
///
/// # Errors
///
/// The configuration is invalid ([`crate::config_error::ConfigError`]), the directory cannot be written or another process
/// holds it ([`rounds::LogError`]), the source failed permanently, or rounds could not be written.
pub async fn run(
    config: Config,
    shutdown: CancellationToken,
    status: StatusWatch,
) -> anyhow::Result<()> {
    let source = config.build_source()?;
    record(source, &config, &shutdown, status).await
}

async fn record(
    mut source: Source,
    config: &Config,
    shutdown: &CancellationToken,
    status: StatusWatch,
) -> anyhow::Result<()> {
    let mut recorder = Recorder::open(config, status)?;
    let outcome = run_with_reconnect(&mut source, &mut recorder, shutdown).await;
    if timeout(CLOSE_TIMEOUT, source.close()).await.is_err() {
        tracing::debug!("The source did not close in time.");
    }
    let finished = recorder.finish(&outcome).await;
    outcome?;
    finished
}

/// How a connection, or an attempt at one, ended.
enum ConnectionEnd {
    /// The source has nothing more to report.
    Finished(&'static str),
    /// The source cannot be connected or read.
    Failed(SourceError),
}

/// Runs connections until the source ends or the process is asked to stop, and returns the reason.
async fn run_with_reconnect(
    source: &mut Source,
    recorder: &mut Recorder,
    shutdown: &CancellationToken,
) -> anyhow::Result<&'static str> {
    let (mut backoff, mut suspects) = (Backoff::new(), 0);
    loop {
        let error = match run_connection(source, recorder, shutdown).await {
            Ok(ConnectionEnd::Finished(reason)) => return Ok(reason),
            Ok(ConnectionEnd::Failed(error)) => error,
            Err(Interrupt::WriterGone) => return Err(WriterGone.into()),
            Err(Interrupt::Shutdown | Interrupt::Overdue) => return Ok("asked to stop"),
        };
        if recorder.connection_lasted(HEALTHY_AFTER) {
            backoff.reset();
            suspects = 0;
        }
        suspects += u32::from(error.is_suspect());
        if error.is_permanent() || suspects >= SUSPECTS_MAX {
            bail!("{error}");
        }
        let pause = backoff.pause(error.retry_after());
        recorder.on_disconnect(&error.to_string(), pause);
        let wait = async {
            // A source that does not close in time is abandoned.
            drop(timeout(CLOSE_TIMEOUT, source.close()).await);
            sleep(pause).await;
        };
        match recorder.wait_for(wait, None, shutdown).await {
            Ok(()) => {}
            Err(Interrupt::WriterGone) => return Err(WriterGone.into()),
            Err(Interrupt::Shutdown | Interrupt::Overdue) => return Ok("asked to stop"),
        }
    }
}

/// Connects, and records until the connection ends.
async fn run_connection(
    source: &mut Source,
    recorder: &mut Recorder,
    shutdown: &CancellationToken,
) -> Result<ConnectionEnd, Interrupt> {
    match recorder.wait_for(source.connect(), Some(CONNECT_TIMEOUT), shutdown).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Ok(ConnectionEnd::Failed(error)),
        Err(Interrupt::Overdue) => {
            let peer = "the source".to_owned();
            return Ok(ConnectionEnd::Failed(SourceError::TimedOut {
                peer,
                after: CONNECT_TIMEOUT,
            }));
        }
        Err(interrupt) => return Err(interrupt),
    }
    recorder.connected(shutdown).await?;
    loop {
        let limit = recorder.time_to_stale(RECONNECT_AFTER);
        let observation = match recorder.wait_for(source.next(), limit, shutdown).await {
            Ok(Ok(observation)) => observation,
            Ok(Err(error)) => return Ok(ConnectionEnd::Failed(error)),
            Err(Interrupt::Overdue) => {
                let peer = "the game (no new round)".to_owned();
                return Ok(ConnectionEnd::Failed(SourceError::Silent {
                    peer,
                    after: RECONNECT_AFTER,
                }));
            }
            Err(interrupt) => return Err(interrupt),
        };
        recorder.record(&observation, shutdown).await?;
        if observation.report == Report::End {
            return Ok(ConnectionEnd::Finished("the source has ended"));
        }
    }
}

#[cfg(test)]
mod tests;
