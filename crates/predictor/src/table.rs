//! Tables side by side: each has a directory, a loop, an engine and a ledger; trainer, watcher and
//! server are shared.

mod table_loop;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use forecasting::learner::Learner;
use rounds::TableName;
use rounds::disk::RealDisk;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::events::Events;
use crate::input::fs_watcher::FsWatcher;
use crate::snapshot::Snapshot;
use crate::table::table_loop::{ExitSignal, LoopDeps, LoopHandle};
use crate::training::thread::Trainer;

/// A running table as HTTP handlers use it.
#[derive(Debug, Clone)]
pub(crate) struct TableHandle {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) loop_handle: LoopHandle,
    pub(crate) now: fn() -> DateTime<Utc>,
}

/// Retry interval while the inbox of a loop is full.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// A running table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    /// Its settings; `data_dir` is the directory of its files.
    pub(crate) config: Config,
    pub(crate) handle: TableHandle,
    pub(crate) events: Events,
}

/// All tables.
pub(crate) struct Tables {
    /// Never empty; routes without a table name serve the first.
    all: Vec<Table>,
    exited: UnboundedReceiver<()>,
}

impl Tables {
    /// Starts a loop for each configured table, each on its own thread.
    ///
    /// # Errors
    /// The tables cannot be listed, or a thread cannot be started.
    pub(crate) fn start(
        config: &Config,
        learner: Box<dyn Learner>,
        now: fn() -> DateTime<Utc>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let trainer = Trainer::start(learner, stop.clone()).context("starting the trainer")?;
        let watcher = FsWatcher::default();
        let (exit_signal, exited) = unbounded_channel();
        let start = |name: TableName| {
            let config = config.of(&name);
            let events = Events::new(stop.clone());
            let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
            let deps = LoopDeps {
                table: name.clone(),
                snapshot: Arc::clone(&snapshot),
                events: events.clone(),
                trainer: trainer.clone(),
                watcher: watcher.clone(),
                now,
                disk: Arc::new(RealDisk),
                stop: stop.clone(),
            };
            let loop_handle = table_loop::start(&config, deps, ExitSignal(exit_signal.clone()))
                .with_context(|| format!("starting the loop of table {name}"))?;
            Ok(Table { name, config, handle: TableHandle { snapshot, loop_handle, now }, events })
        };
        let all = config.tables()?.into_iter().map(start).collect::<anyhow::Result<_>>()?;
        Ok(Self { all, exited })
    }

    /// Returns all tables, in the configured order.
    pub(crate) fn all(&self) -> &[Table] {
        &self.all
    }

    /// Resolves when any loop exits; before shutdown that is a failure.
    pub(crate) async fn any_exited(&mut self) {
        self.exited.recv().await;
    }

    /// Stops all loops.
    pub(crate) fn stop(&self) {
        self.all.iter().for_each(|table| table.handle.loop_handle.stop());
    }

    /// Resolves when all loops have exited.
    pub(crate) async fn all_exited(mut self) {
        while self.exited.recv().await.is_some() {}
    }
}

/// Reads the state of a running table and can wait for a scan; used by alerts and the watchdog.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    table: Table,
    address: SocketAddr,
}

impl Observer {
    /// Returns an observer of `table`, which is served at `address`.
    pub(crate) fn new(table: Table, address: SocketAddr) -> Self {
        Self { table, address }
    }

    /// Returns the name of the table.
    pub(crate) fn table(&self) -> &TableName {
        &self.table.name
    }

    /// Returns the settings of the table.
    pub(crate) fn config(&self) -> &Config {
        &self.table.config
    }

    /// Returns the current snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.table.handle.snapshot.load_full()
    }

    /// Returns the address that serves the table.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.table.handle.now)()
    }

    /// Resolves when the directory has been scanned and the snapshot shows what was found.
    pub(crate) async fn scan_completed(&self) {
        loop {
            let scanned = match self.table.handle.loop_handle.scan() {
                Some(scanned) => scanned.await.is_ok(),
                None => false,
            };
            if scanned {
                return;
            }
            // The inbox is full, or the loop has exited and the program is about to.
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }
}
