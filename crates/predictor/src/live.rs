//! The loop that does everything that is not answering requests: it looks at the directory, drives
//! the engine, keeps the ledger, orders trainings and publishes the snapshot.
//!
//! It runs on a thread of its own because all it does is wait for files; handlers never wait for it
//! except where they ask it for something.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use rounds::{Origin, Round};
use serde_json::json;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, SCAN_EVERY};
use crate::engine::{Effect, Engine, Installed, Settings, Settlement};
use crate::http::{Events, Topic};
use crate::intake::Intake;
use crate::keeper::Keeper;
use crate::ledger::{Entry, Ledger, Settled, Void};
use crate::retrain::FIRST_AT;
use crate::series::{Growth, Series};
use crate::snapshot::Snapshot;
use crate::tail::{Hint, Tail};
use crate::trainer::{Learned, Learner, News, Order, Trainer};
use crate::trainings::{Asker, Running, Trainings};
use crate::view::{Picture, View};

/// Messages that may wait; a scan takes milliseconds, so more means that something hangs.
const INBOX: usize = 1024;

/// Why a training that was asked for does not take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoTraining {
    /// There is one already.
    Running { id: u64 },
    /// There is too little to learn from.
    TooFewRounds { have: u64, need: u64 },
    /// It went wrong.
    Failed(String),
}

enum Message {
    Hint,
    Look(oneshot::Sender<()>),
    Train(Asker),
    Trainer(News),
    Stop,
}

/// How others speak to the loop.
#[derive(Debug, Clone)]
pub(crate) struct LiveHandle {
    inbox: SyncSender<Message>,
}

impl LiveHandle {
    /// Asks for a look at the directory now; the receiver hears when it is over.
    pub(crate) fn look(&self) -> Option<oneshot::Receiver<()>> {
        let (done, looked) = oneshot::channel();
        self.inbox.try_send(Message::Look(done)).ok().map(|()| looked)
    }

    /// Asks for a training. False when nobody listens any more.
    pub(crate) fn train(&self, asker: Asker) -> bool {
        self.inbox.try_send(Message::Train(asker)).is_ok()
    }

    /// Ends the loop.
    pub(crate) fn stop(&self) {
        // It may have ended already.
        drop(self.inbox.send(Message::Stop));
    }
}

/// What the loop is given.
pub(crate) struct Outside {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) events: Events,
    pub(crate) learner: Box<dyn Learner>,
    pub(crate) now: fn() -> DateTime<Utc>,
    pub(crate) stop: CancellationToken,
}

/// Starts the loop.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn start(
    config: &Config,
    outside: Outside,
) -> std::io::Result<(LiveHandle, JoinHandle<()>)> {
    let (inbox, messages) = sync_channel(INBOX);
    let wake = inbox.clone();
    // A full inbox means that a look is due anyway.
    let hint = Hint::new(move || drop(wake.try_send(Message::Hint)));
    let news = inbox.clone();
    let trainer = Trainer::start(
        outside.learner,
        move |it| drop(news.send(Message::Trainer(it))),
        outside.stop.clone(),
    )?;
    let mut live = Live {
        tail: Tail::new(config.data_dir.clone(), config.watch, hint),
        intake: Intake::new(&config.data_dir),
        series: Series::default(),
        engine: Engine::new(Settings { auto_train: config.auto_train_enabled, can_be_late: true }),
        keeper: Keeper::new(config.state_dir()),
        trainings: Trainings::default(),
        view: View::default(),
        trouble: None,
        origin: None,
        rebuilds: 0,
        config: config.clone(),
        started_at: (outside.now)(),
        trainer,
        snapshot: outside.snapshot,
        events: outside.events,
        now: outside.now,
    };
    let thread =
        thread::Builder::new().name("live".to_owned()).spawn(move || live.run(&messages))?;
    Ok((LiveHandle { inbox }, thread))
}

struct Live {
    tail: Tail,
    intake: Intake,
    series: Series,
    engine: Engine,
    keeper: Keeper,
    trainings: Trainings,
    view: View,
    /// Why the directory cannot be read.
    trouble: Option<String>,
    origin: Option<Origin>,
    rebuilds: u64,
    config: Config,
    started_at: DateTime<Utc>,
    trainer: Trainer,
    snapshot: Arc<ArcSwap<Snapshot>>,
    events: Events,
    now: fn() -> DateTime<Utc>,
}

impl Live {
    fn run(&mut self, messages: &Receiver<Message>) {
        self.look();
        let mut look_at = Instant::now() + SCAN_EVERY;
        loop {
            let wait = look_at.saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Hint) | Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Message::Look(done)) => {
                    self.look();
                    // Who asked may have gone.
                    done.send(()).unwrap_or_default();
                }
                Ok(Message::Train(asker)) => {
                    self.train_for(asker);
                    continue;
                }
                Ok(Message::Trainer(news)) => {
                    self.hear(news);
                    continue;
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            look_at = Instant::now() + SCAN_EVERY;
        }
        self.keeper.sync();
    }

    fn look(&mut self) {
        match self.tail.look() {
            Ok(changes) => {
                if self.trouble.take().is_some() {
                    tracing::info!("{} can be read again.", self.config.data_dir.display());
                }
                let changes = self.intake.enter(changes);
                let growth = self.series.apply(changes);
                self.grow(growth);
            }
            Err(error) => {
                let text = error.to_string();
                if self.trouble.as_ref() != Some(&text) {
                    tracing::warn!("{text}; looking again every 2 s.");
                    self.trouble = Some(text);
                }
            }
        }
        self.publish();
    }

    fn grow(&mut self, growth: Growth) {
        match growth {
            Growth::Unchanged => {}
            Growth::From(0) | Growth::Rebuilt => self.reload(),
            Growth::From(first) => {
                let rounds = self.series.rounds()[first..].to_vec();
                for round in rounds {
                    self.hear_round(round);
                }
                self.keeper.sync();
            }
        }
    }

    /// Takes all rounds anew: those that have a forecast in the ledger are scored by it, the others
    /// are only learnt from.
    fn reload(&mut self) {
        if self.engine.rounds() > 0 {
            self.rebuilds += 1;
            tracing::warn!(
                "Earlier rounds have changed; everything is computed anew from the files."
            );
            self.events.say(Topic::Data, &json!({ "records": self.series.rounds().len() }));
        }
        self.origin = self.read_origin();
        let settings = Settings {
            auto_train: self.config.auto_train_enabled,
            can_be_late: self.origin != Some(Origin::Replayed),
        };
        let installed = self.engine.installed().cloned();
        self.engine = Engine::new(settings);
        self.view = View::default();
        let mut ledger = self.keeper.read();
        self.trainings.count_from(ledger.model_version());
        let rounds = self.series.rounds().to_vec();
        self.remember(&rounds, &mut ledger);
        if let Some(open) = rounds.last().and_then(|last| ledger.take_open(last)) {
            self.engine.resume(open);
        }
        if ledger.left() > 0 {
            tracing::warn!(
                "{} forecasts in the ledger belong to rounds that are not in the files; they are left out.",
                ledger.left()
            );
        }
        if let Some(installed) = installed {
            let issued = self.engine.install(installed, (self.now)());
            if let Some(forecast) = issued {
                self.keep(&Entry::Forecast(forecast));
            }
        }
        self.keeper.sync();
        if self.engine.ask_for_training().is_some() {
            self.train(None);
        }
    }

    fn remember(&mut self, rounds: &[Round], ledger: &mut Ledger) {
        let mut before: Option<&Round> = None;
        for round in rounds {
            let found = before.map_or(Ok(None), |before| ledger.take(before, round));
            let kept = found.unwrap_or_else(|Void| {
                self.view.void();
                None
            });
            let is_settled = kept.is_some_and(|kept| kept.settled.is_some());
            let settlement = self.engine.remember(*round, kept.map(|kept| kept.forecast));
            self.view.round(*round, settlement.as_ref());
            if let Some(settlement) = settlement.filter(|_| !is_settled) {
                self.keep(&settled(&settlement, (self.now)()));
            }
            before = Some(round);
        }
    }

    fn hear_round(&mut self, round: Round) {
        let heard = (self.now)();
        let mut settlement = None;
        for effect in self.engine.observe(round, heard) {
            match effect {
                Effect::Settled(it) => {
                    self.keep(&settled(&it, heard));
                    settlement = Some(it);
                }
                Effect::Issued(forecast) => self.keep(&Entry::Forecast(forecast)),
                Effect::Retrain(_) => self.train(None),
            }
        }
        self.view.round(round, settlement.as_ref());
        let said = json!({
            "round": self.engine.rounds(),
            "time": round.time,
            "multiplier": round.multiplier,
            "forecast": settlement.map(|it| it.forecast.calibrated()),
        });
        self.events.say(Topic::Round, &said);
    }

    fn keep(&mut self, entry: &Entry) {
        self.keeper.append(entry);
        if let Entry::Forecast(forecast) = entry {
            let said = json!({ "round": forecast.round, "model_version": forecast.model_version });
            self.events.say(Topic::Forecast, &said);
        }
    }

    fn train_for(&mut self, asker: Asker) {
        let have = self.engine.rounds();
        let refused = match self.trainings.running() {
            Some(running) => NoTraining::Running { id: running.id },
            None if have < FIRST_AT => NoTraining::TooFewRounds { have, need: FIRST_AT },
            None => {
                self.train(Some(asker));
                self.publish();
                return;
            }
        };
        // Who asked may have gone.
        drop(asker.send(Err(refused)));
    }

    /// Orders a training on all rounds there are, or queues one if the trainer is busy.
    fn train(&mut self, asker: Option<Asker>) {
        if self.trainings.running().is_some() {
            self.trainings.queued = true;
            return;
        }
        let records = self.engine.training_started();
        let id = self.trainings.begin(records, (self.now)(), asker);
        let rows = self.engine.dataset().snapshot();
        if !self.trainer.order(Order { id, rows }) {
            self.trainings.failed("the training thread has ended".to_owned());
        }
        self.say_training(id, "started");
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Progress { id, share } => {
                self.trainings.progress(id, share);
                self.say_training(id, "running");
            }
            News::Done { id, result } => {
                match result {
                    Ok(learned) => self.trained(&learned),
                    Err(error) => {
                        tracing::error!(id, "The model could not be trained: {error}.");
                        self.trainings.failed(error);
                    }
                }
                self.say_training(id, "ended");
                if std::mem::take(&mut self.trainings.queued) {
                    self.train(None);
                }
            }
        }
        self.publish();
    }

    fn trained(&mut self, learned: &Learned) {
        let now = (self.now)();
        let is_automatic = self.trainings.running().is_some_and(Running::is_automatic);
        let Some(accuracy) = self.trainings.done(learned, now) else { return };
        let tag = if is_automatic { "[AUTO-TRAIN]" } else { "[TRAIN]" };
        tracing::info!(
            "🤖 {tag} Model retrained! MAE: {:.3}, RMSE: {:.3}, Records: {}",
            accuracy.mae,
            accuracy.rmse,
            accuracy.total_records
        );
        let installed = Installed {
            model: Arc::clone(&learned.model),
            version: accuracy.version,
            trained_on: accuracy.total_records,
        };
        if let Some(forecast) = self.engine.install(installed, now) {
            self.keep(&Entry::Forecast(forecast));
            self.keeper.sync();
        }
    }

    fn say_training(&self, id: u64, what: &str) {
        let view = self.trainings.view(self.engine.rounds(), self.engine.next_training_at());
        let said = json!({ "id": id, "what": what, "progress": view.progress });
        self.events.say(Topic::Training, &said);
    }

    fn read_origin(&self) -> Option<Origin> {
        Origin::of(&self.config.data_dir).unwrap_or_else(|error| {
            tracing::warn!("The origin of the rounds is taken as recorded: {error}.");
            Some(Origin::Recorded)
        })
    }

    fn publish(&mut self) {
        self.view.refresh(self.engine.scorecard());
        let picture = Picture {
            config: &self.config,
            engine: &self.engine,
            series: &self.series,
            trainings: &self.trainings,
            intake: &self.intake,
            keeper: &self.keeper,
            trouble: self.trouble.as_deref(),
            watch: self.tail.watch(),
            origin: self.origin,
            rebuilds: self.rebuilds,
            started_at: self.started_at,
        };
        self.snapshot.store(Arc::new(self.view.snapshot(&picture)));
    }
}

fn settled(settlement: &Settlement, now: DateTime<Utc>) -> Entry {
    Entry::Settled(Settled {
        round: settlement.forecast.round,
        time: settlement.round.time,
        actual: settlement.round.multiplier.as_f64(),
        settled_at: now,
    })
}
