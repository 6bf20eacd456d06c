//! The one loop: connect, listen, ledger, writer; going stale, backing off and stopping, for every source alike.

mod desk;

use std::time::Duration;

use anyhow::bail;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::desk::{Desk, Interrupt};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::source::{ConnectError, Said, SessionError, Source};
use crate::status::Board;
use crate::writer::WriterGone;

/// A live source without a new round for so long is said to be stalled.
pub const STALLED_AFTER: Duration = Duration::from_mins(3);
/// And connected again after so long. Not sooner: there are flights of minutes.
pub const RECONNECT_AFTER: Duration = Duration::from_mins(5);
/// A connection that held for so long was a good one: the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// A source that cannot say whether it is connected is given up and tried again.
const CONNECT_WITHIN: Duration = Duration::from_mins(3);
/// Errors in a row that may be a mistake of the configuration.
const SUSPECTS_MAX: u32 = 5;
/// Time for a goodbye.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Records until `shutdown`, or until a demo or a replay is finished.
///
/// # Errors
///
/// Wrong configuration ([`crate::config::ConfigError`]), a directory that cannot be written or that another process holds
/// ([`rounds::LogError`]), an error of the source that no waiting helps, or rounds that the disk refused to the end.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    run_shown(config, shutdown, Board::default()).await
}

/// The same, with its status on `board` for those who watch it.
///
/// # Errors
///
/// As [`run`].
pub async fn run_shown(
    config: Config,
    shutdown: CancellationToken,
    board: Board,
) -> anyhow::Result<()> {
    let source = Source::new(&config)?;
    record(source, &config, &shutdown, board).await
}

async fn record(
    mut source: Source,
    config: &Config,
    shutdown: &CancellationToken,
    board: Board,
) -> anyhow::Result<()> {
    let mut desk = Desk::open(config, board)?;
    let driven = drive(&mut source, &mut desk, shutdown).await;
    if timeout(CLOSE_WITHIN, source.close()).await.is_err() {
        tracing::debug!("The source took too long to say goodbye.");
    }
    let finished = desk.finish(&driven).await;
    driven?;
    finished
}

/// Why a connection, or the attempt at one, ended.
enum Loss {
    Ended(&'static str),
    Connect(ConnectError),
    Session(SessionError),
}

impl Loss {
    fn is_permanent(&self) -> bool {
        match self {
            Self::Ended(_) => false,
            Self::Connect(error) => error.is_permanent(),
            Self::Session(error) => error.is_permanent(),
        }
    }

    fn is_suspect(&self) -> bool {
        match self {
            Self::Ended(_) => false,
            Self::Connect(error) => error.is_suspect(),
            Self::Session(error) => error.is_suspect(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Ended(_) => None,
            Self::Connect(error) => error.retry_after(),
            Self::Session(error) => error.retry_after(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ended(reason) => (*reason).to_owned(),
            Self::Connect(error) => error.to_string(),
            Self::Session(error) => error.to_string(),
        }
    }
}

/// Until the end of the source or of the process, and says which.
async fn drive(
    source: &mut Source,
    desk: &mut Desk,
    shutdown: &CancellationToken,
) -> anyhow::Result<&'static str> {
    let (mut backoff, mut suspects) = (Backoff::new(), 0);
    loop {
        let loss = match hold(source, desk, shutdown).await {
            Ok(Loss::Ended(reason)) => return Ok(reason),
            Ok(loss) => loss,
            Err(Interrupt::WriterGone) => return Err(WriterGone.into()),
            Err(Interrupt::Shutdown | Interrupt::Overdue) => return Ok("asked to stop"),
        };
        if desk.connection_held(HEALTHY_AFTER) {
            backoff.reset();
            suspects = 0;
        }
        suspects += u32::from(loss.is_suspect());
        if loss.is_permanent() || suspects >= SUSPECTS_MAX {
            bail!("{}", loss.text());
        }
        let pause = backoff.pause(loss.retry_after());
        desk.lose(&loss.text(), pause);
        let wait = async {
            // A source that cannot say goodbye in time is left without.
            drop(timeout(CLOSE_WITHIN, source.close()).await);
            sleep(pause).await;
        };
        match desk.attend(wait, None, shutdown).await {
            Ok(()) => {}
            Err(Interrupt::WriterGone) => return Err(WriterGone.into()),
            Err(Interrupt::Shutdown | Interrupt::Overdue) => return Ok("asked to stop"),
        }
    }
}

/// One connection, from the attempt to its end.
async fn hold(
    source: &mut Source,
    desk: &mut Desk,
    shutdown: &CancellationToken,
) -> Result<Loss, Interrupt> {
    match desk.attend(source.connect(), Some(CONNECT_WITHIN), shutdown).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Ok(Loss::Connect(error)),
        Err(Interrupt::Overdue) => {
            let what = "the source".to_owned();
            return Ok(Loss::Connect(ConnectError::TimedOut { what, after: CONNECT_WITHIN }));
        }
        Err(interrupt) => return Err(interrupt),
    }
    desk.connected(shutdown).await?;
    loop {
        let limit = desk.time_to_stale(RECONNECT_AFTER);
        let reading = match desk.attend(source.next(), limit, shutdown).await {
            Ok(Ok(reading)) => reading,
            Ok(Err(error)) => return Ok(Loss::Session(error)),
            Err(Interrupt::Overdue) => {
                let what = "the game (no new round)".to_owned();
                return Ok(Loss::Session(SessionError::Silent { what, after: RECONNECT_AFTER }));
            }
            Err(interrupt) => return Err(interrupt),
        };
        desk.take(&reading, shutdown).await?;
        if reading.said == Said::End {
            return Ok(Loss::Ended("the source is finished"));
        }
    }
}

#[cfg(test)]
mod tests;
