//! The daemon: built, then run until it is asked to stop.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::dev::Server;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::ears::Ears;
use crate::http::{self, Api, Events, Hosts};
use crate::live::{self, LiveHandle, Outside};
use crate::snapshot::Snapshot;
use crate::trainer::{EnsembleLearner, Learner, Trainer};

/// The loop gets this long to put its last line on the disk.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// Who finds the loop's inbox full asks again after so long.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A predictor that listens, watches and trains.
pub struct Application {
    address: SocketAddr,
    observer: Observer,
    server: Server,
    live: LiveHandle,
    live_ended: oneshot::Receiver<()>,
    stop: CancellationToken,
}

impl Application {
    /// Binds the port and starts to watch. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        Self::with_learner(config, Box::new(EnsembleLearner::default()))
    }

    /// The same with another learner.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn with_learner(config: &Config, learner: Box<dyn Learner>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen).with_context(|| {
            format!("cannot listen on {}; choose another with --listen", config.listen)
        })?;
        let address = listener.local_addr().context("asking for the port")?;
        let stop = CancellationToken::new();
        let events = Events::new(stop.clone());
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
        let trainer = Trainer::start(learner, stop.clone()).context("starting the trainer")?;
        let outside = Outside {
            snapshot: Arc::clone(&snapshot),
            events: events.clone(),
            trainer,
            ears: Ears::default(),
            now,
        };
        let (live, thread) = live::start(config, outside).context("starting the loop")?;
        let live_ended = when_ended(thread).context("starting the loop")?;
        let observer =
            Observer { snapshot: Arc::clone(&snapshot), live: live.clone(), address, now };
        let api = Api { snapshot, live: live.clone(), now };
        let hosts = Hosts::new(address, &config.allowed_hosts);
        let server = http::server(listener, api, events, hosts).context("starting the server")?;
        Ok(Self { address, observer, server, live, live_ended, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For those who watch it.
    pub(crate) fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Runs until `shutdown` or until a part of it fails.
    ///
    /// Streams are closed first: the server waits for every response that is still being sent, and
    /// an event stream never ends by itself.
    ///
    /// # Errors
    /// When a part fails.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { mut server, live, mut live_ended, stop, .. } = self;
        let handle = server.handle();
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            ended = &mut server => ended.context("serving"),
            _ = &mut live_ended => Err(anyhow::anyhow!("the loop that watches the files has ended")),
        };
        stop.cancel();
        live.stop();
        let ((), drained) = tokio::join!(handle.stop(true), server);
        if tokio::time::timeout(STOP_WITHIN, live_ended).await.is_err() {
            tracing::warn!("A scan was still running; it is left behind.");
        }
        outcome.and(drained.context("serving"))
    }
}

/// Sees what the running predictor sees, and can ask whether it still looks.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    snapshot: Arc<ArcSwap<Snapshot>>,
    live: LiveHandle,
    address: SocketAddr,
    now: fn() -> DateTime<Utc>,
}

impl Observer {
    /// What HTTP may see at present.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// Comes back when the directory has been looked at and all that was found has been heard.
    pub(crate) async fn first_look(&self) {
        loop {
            let looked = match self.live.look() {
                Some(looked) => looked.await.is_ok(),
                None => false,
            };
            if looked {
                return;
            }
            // Its inbox is full, or it has ended and so will we.
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Resolves when the thread has ended, however it did.
fn when_ended(thread: thread::JoinHandle<()>) -> std::io::Result<oneshot::Receiver<()>> {
    let (ended, receiver) = oneshot::channel();
    thread::Builder::new().name("live-end".to_owned()).spawn(move || {
        // A panic has been printed where it happened.
        drop(thread.join());
        drop(ended);
    })?;
    Ok(receiver)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the daemon's clock is read")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
