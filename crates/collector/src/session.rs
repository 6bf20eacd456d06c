//! The one loop: connect, listen, ledger, writer; going stale, backing off and stopping, for every source alike.

mod recorder;
pub mod resume;

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

/// A live source without a new round for so long is said to be stalled.
pub const STALLED_AFTER: Duration = Duration::from_mins(3);
/// And connected again after so long. Not sooner: there are flights of minutes.
pub const RECONNECT_AFTER: Duration = Duration::from_mins(5);
/// A connection that held for so long was a good one: the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// A source that cannot say whether it is connected is given up and tried again.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(3);
/// Errors in a row that may be a mistake of the configuration.
const SUSPECTS_MAX: u32 = 5;
/// Time for a goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Records until `shutdown`, or until a demo or a replay is finished; posts the status on `status`.
///
/// # Errors
///
/// Wrong configuration ([`crate::config_error::ConfigError`]), a directory that cannot be written or that another process holds
/// ([`rounds::LogError`]), an error of the source that no waiting helps, or rounds that the disk refused to the end.
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
    board: StatusWatch,
) -> anyhow::Result<()> {
    let mut recorder = Recorder::open(config, board)?;
    let outcome = run_with_reconnect(&mut source, &mut recorder, shutdown).await;
    if timeout(CLOSE_TIMEOUT, source.close()).await.is_err() {
        tracing::debug!("The source took too long to say goodbye.");
    }
    let finished = recorder.finish(&outcome).await;
    outcome?;
    finished
}

/// How a connection, or the attempt at one, ended.
enum ConnectionEnd {
    /// The source has nothing more to report.
    Finished(&'static str),
    Failed(SourceError),
}

/// Until the end of the source or of the process, and says which.
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
            // A source that cannot say goodbye in time is left without.
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

/// One connection, from the attempt to its end.
async fn run_connection(
    source: &mut Source,
    recorder: &mut Recorder,
    shutdown: &CancellationToken,
) -> Result<ConnectionEnd, Interrupt> {
    match recorder.wait_for(source.connect(), Some(CONNECT_TIMEOUT), shutdown).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Ok(ConnectionEnd::Failed(error)),
        Err(Interrupt::Overdue) => {
            let what = "the source".to_owned();
            return Ok(ConnectionEnd::Failed(SourceError::TimedOut {
                what,
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
                let what = "the game (no new round)".to_owned();
                return Ok(ConnectionEnd::Failed(SourceError::Silent {
                    what,
                    after: RECONNECT_AFTER,
                }));
            }
            Err(interrupt) => return Err(interrupt),
        };
        recorder.record(&observation, shutdown).await?;
        if observation.report == Report::End {
            return Ok(ConnectionEnd::Finished("the source is finished"));
        }
    }
}

#[cfg(test)]
mod tests;
