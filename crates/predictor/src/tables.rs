//! Tables side by side: each has its directory, its loop, its engine and its ledger; the trainer, the
//! watcher of the file system and the server are shared.

use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use rounds::TableName;
use rounds::disk::RealDisk;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::ears::Ears;
use crate::http::{Api, Events};
use crate::live::{self, Outside};
use crate::snapshot::Snapshot;
use crate::trainer::{Learner, Trainer};

/// One table at work.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    /// Where its files lie, and all else it is told.
    pub(crate) config: Config,
    pub(crate) api: Api,
    pub(crate) events: Events,
}

/// All of them.
pub(crate) struct Tables {
    /// Never empty; addresses that name no table mean the first.
    all: Vec<Table>,
    ended: UnboundedReceiver<()>,
}

/// Held by a loop; says when it ends, however it does.
pub(crate) struct Ending(UnboundedSender<()>);

impl Tables {
    /// Starts a loop for each table of the configuration, on threads of their own.
    ///
    /// # Errors
    /// When the tables cannot be listed, or the system gives no threads.
    pub(crate) fn start(
        config: &Config,
        learner: Box<dyn Learner>,
        now: fn() -> DateTime<Utc>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let trainer = Trainer::start(learner, stop.clone()).context("starting the trainer")?;
        let ears = Ears::default();
        let (ending, ended) = unbounded_channel();
        let start = |name: TableName| {
            let config = config.of(&name);
            let events = Events::new(stop.clone());
            let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
            let outside = Outside {
                table: name.clone(),
                snapshot: Arc::clone(&snapshot),
                events: events.clone(),
                trainer: trainer.clone(),
                ears: ears.clone(),
                now,
                disk: Arc::new(RealDisk),
                stop: stop.clone(),
            };
            let live = live::start(&config, outside, Ending(ending.clone()))
                .with_context(|| format!("starting the loop of table {name}"))?;
            Ok(Table { name, config, api: Api { snapshot, live, now }, events })
        };
        let all = config.tables()?.into_iter().map(start).collect::<anyhow::Result<_>>()?;
        Ok(Self { all, ended })
    }

    /// All tables, the first first.
    pub(crate) fn all(&self) -> &[Table] {
        &self.all
    }

    /// Comes back when the first loop has ended, which none does unless it is told to.
    pub(crate) async fn one_ended(&mut self) {
        self.ended.recv().await;
    }

    /// Ends all loops.
    pub(crate) fn stop(&self) {
        self.all.iter().for_each(|table| table.api.live.stop());
    }

    /// Comes back when all loops have ended.
    pub(crate) async fn all_ended(mut self) {
        while self.ended.recv().await.is_some() {}
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody waits any more: the program is ending too.
        self.0.send(()).unwrap_or_default();
    }
}
