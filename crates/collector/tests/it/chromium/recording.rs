//! A collector at work, and what it has written so far.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use collector::config::Config;
use collector::dedup::Baseline;
use collector::duration_arg::DurationArg;
use collector::observation::SourceKind;
use collector::output::status::StatusWatch;
use collector::output::sync_policy::SyncPolicyArg;
use collector::session;
use collector::sources::browser::BrowserOptions;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use rounds::Round;
use rounds::disk::SyncPolicy;
use rounds::scan::Directory;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::simulator::{Game, Truth};

/// A collector at work.
pub(crate) struct Recording {
    data: tempfile::TempDir,
    rows: Vec<Round>,
    directory: Directory,
    changed: Arc<Notify>,
    _watcher: RecommendedWatcher,
    stop: CancellationToken,
    session: JoinSet<anyhow::Result<()>>,
}

impl Recording {
    pub(crate) fn start(browser: BrowserOptions) -> Self {
        let data = tempfile::tempdir().unwrap();
        let changed = Arc::new(Notify::new());
        let written = Arc::clone(&changed);
        // Not when a file is opened: looking opens them, and would see itself.
        let tell = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                written.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(tell).unwrap();
        watcher.watch(data.path(), RecursiveMode::NonRecursive).unwrap();
        let config = Config {
            source: SourceKind::Browser,
            data_dir: data.path().to_owned(),
            // The first list too, so that it is seen when it has been read.
            baseline: Baseline::All,
            // Rounds of a few milliseconds.
            round_min: DurationArg(Duration::from_millis(1)),
            quiet: true,
            // A loss of power is another test's matter.
            fsync: SyncPolicyArg(SyncPolicy::Never),
            browser,
            ..Config::default()
        };
        let stop = CancellationToken::new();
        let mut session = JoinSet::new();
        session.spawn(session::run(config, stop.clone(), StatusWatch::default()));
        let directory = Directory::new(data.path());
        Self { data, rows: Vec::new(), directory, changed, _watcher: watcher, stop, session }
    }

    /// Rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Waits until there are at least so many rows and the last one is the last round of the game.
    pub(crate) async fn until_it_has(&mut self, game: &Game, rows: usize) {
        let last = game.truth().last().map(|round| round.multiplier);
        loop {
            for change in self.directory.scan().unwrap() {
                self.rows.extend(change.rounds);
            }
            let written = self.rows.last().map(|round| round.multiplier);
            if self.rows.len() >= rows && written == last {
                return;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                ended = self.session.join_next() => panic!("the collector ended: {ended:?}"),
            }
        }
    }

    /// Stops the collector and lays what it has written beside what was played: between two marks every row is the round that
    /// followed. Says what came of it.
    pub(crate) async fn check(
        mut self,
        truth: &[Truth],
        lost_max: usize,
        took: Duration,
    ) -> String {
        self.stop.cancel();
        self.session.join_next().await.unwrap().unwrap().unwrap();
        let events = self.events();
        let stretches = self.stretches(&events);
        let (mut next, mut lost, mut named) = (0, 0, 0);
        for stretch in stretches.iter().filter(|stretch| !stretch.is_empty()) {
            let is_it = |played: &[Truth]| played.iter().zip(stretch).all(is_same);
            let place = truth[next..].windows(stretch.len()).position(is_it);
            assert!(place.is_some(), "never played: {stretch:?}");
            named += stretch.iter().filter(|(_, id)| id.is_some()).count();
            lost += place.unwrap();
            next += place.unwrap() + stretch.len();
        }
        assert_eq!(next, truth.len(), "the last rounds are missing");
        assert!(lost <= lost_max, "{lost} rounds lost");
        assert_eq!(self.rows.len() + lost, truth.len());
        let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        format!(
            "played {}, recorded {} ({named} with their id, {} back-filled), lost behind marks {lost}; gaps {}, weak {}, resets {}, \
             reconnects {}; {:.0} rounds a second",
            truth.len(),
            self.rows.len(),
            count("backfill"),
            count("gap"),
            count("weak"),
            count("reset"),
            count("reconnect"),
            truth.len() as f64 / took.as_secs_f64(),
        )
    }

    /// The rows with what the side file knows of them, cut at its marks.
    fn stretches(&self, events: &[Value]) -> Vec<Vec<(Round, Option<String>)>> {
        let (mut stretches, mut rows) = (vec![Vec::new()], 0);
        for event in events {
            match event["kind"].as_str().unwrap() {
                "live" | "backfill" => {
                    let id = event["round_id"].as_str().map(str::to_owned);
                    stretches.last_mut().unwrap().push((self.rows[rows], id));
                    rows += 1;
                    assert_eq!(event["row"], rows, "{event}");
                }
                "gap" | "weak" | "reset" => stretches.push(Vec::new()),
                kind => assert!(["start", "stop", "reconnect"].contains(&kind), "{event}"),
            }
        }
        assert_eq!(rows, self.rows.len());
        stretches
    }

    /// The lines of the side file.
    fn events(&self) -> Vec<Value> {
        let mut files: Vec<_> = fs::read_dir(self.data.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".events.jsonl"))
            .collect();
        files.sort();
        let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
        let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
    }
}

fn is_same((played, (row, id)): (&Truth, &(Round, Option<String>))) -> bool {
    let name = played.id.to_string();
    played.multiplier == row.multiplier && id.as_ref().is_none_or(|id| *id == name)
}
