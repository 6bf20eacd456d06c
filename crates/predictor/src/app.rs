//! The daemon: binds its port, starts the tables and runs until shutdown is requested.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use forecasting::learner::Learner;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::config::{BasePath, TokenFile};
use crate::http::{self, Guard, Hosts, ServerParts};
use crate::table::{Observer, Table, Tables};
use crate::training::ensemble_learner::EnsembleLearner;

/// Time the loops get at shutdown to write the last ledger line and the checkpoint.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A predictor that listens, watches and trains.
pub struct Application {
    address: SocketAddr,
    server: Server,
    tables: Tables,
    stop: CancellationToken,
}

impl Application {
    /// Binds the port and starts watching the data directory. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The port cannot be bound, or a table cannot be started.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        Self::with_learner(config, Box::new(EnsembleLearner::new(*config.game.law())))
    }

    /// Same as [`build`](Self::build), with another learner.
    ///
    /// # Errors
    /// The port cannot be bound, or a table cannot be started.
    pub fn with_learner(config: &Config, learner: Box<dyn Learner>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen).with_context(|| {
            format!("cannot listen on {}; choose another with --listen", config.listen)
        })?;
        let address = listener.local_addr().context("reading the local address")?;
        let stop = CancellationToken::new();
        let tables = Tables::start(config, learner, now, &stop)?;
        let guard = guard(address, config, stop.clone())?;
        let base = BasePath::parse(&config.base_path).context("the base path is invalid")?;
        let parts = ServerParts { tables: tables.all(), guard, base, format: config.api_format };
        let server = http::server(listener, parts).context("starting the server")?;
        Ok(Self { address, server, tables, stop })
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns one observer for each table; never empty.
    pub(crate) fn observers(&self) -> Vec<Observer> {
        let observer = |table: &Table| Observer::new(table.clone(), self.address);
        self.tables.all().iter().map(observer).collect()
    }

    /// Runs until `shutdown` resolves or a part fails.
    ///
    /// Streams are closed first: the server waits for every response that is still being sent, and
    /// an event stream never ends by itself.
    ///
    /// # Errors
    /// The server or a table loop has failed.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { mut server, mut tables, stop, .. } = self;
        let handle = server.handle();
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            ended = &mut server => ended.context("serving"),
            () = tables.any_exited() => Err(anyhow::anyhow!("a table loop has exited")),
        };
        stop.cancel();
        tables.stop();
        if tokio::time::timeout(STOP_WITHIN, tables.all_exited()).await.is_err() {
            tracing::warn!("A table loop did not stop in time; shutting down without it.");
        }
        // The loops have answered all pending training requests by now. Stopping the server earlier
        // would take a second longer: it checks only once a second whether open requests have
        // ended.
        let ((), drained) = tokio::join!(handle.stop(true), server);
        outcome.and(drained.context("serving"))
    }
}

fn guard(address: SocketAddr, config: &Config, stop: CancellationToken) -> anyhow::Result<Guard> {
    let token = config.token_file.clone().map(TokenFile::open).transpose()?;
    let guard = Guard::new(Hosts::new(address, &config.allowed_hosts), token, stop);
    if guard.is_insecure() {
        tracing::warn!(
            %address,
            "Anyone who can reach this address can use the API; require a token with --token-file."
        );
    }
    Ok(guard)
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads the daemon's clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
