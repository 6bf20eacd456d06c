//! A running collector and its files.

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

use crate::simulator::{Game, PlayedRound};

/// A running collector and the rows that it has written so far.
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
        // Access events are ignored: scanning the directory causes them.
        let on_event = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                written.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(on_event).unwrap();
        watcher.watch(data.path(), RecursiveMode::NonRecursive).unwrap();
        let config = Config {
            source: SourceKind::Browser,
            data_dir: data.path().to_owned(),
            // Record the first list too, so that the test sees when it has been read.
            baseline: Baseline::All,
            // Rounds take a few milliseconds here.
            round_min: DurationArg(Duration::from_millis(1)),
            quiet: true,
            // No power failure is tested here.
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

    /// Returns the number of rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Waits until there are at least `rows` rows and the last one is the last round of the game.
    pub(crate) async fn wait_for_rows(&mut self, game: &Game, rows: usize) {
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

    /// Stops the collector and compares its rows with the rounds that were played: between two discontinuities, the rows are
    /// consecutive rounds. Returns a summary.
    pub(crate) async fn check(
        mut self,
        truth: &[PlayedRound],
        lost_max: usize,
        took: Duration,
    ) -> String {
        self.stop.cancel();
        self.session.join_next().await.unwrap().unwrap().unwrap();
        let events = self.events();
        let stretches = self.stretches(&events);
        let (mut next, mut lost, mut named) = (0, 0, 0);
        for stretch in stretches.iter().filter(|stretch| !stretch.is_empty()) {
            let matches = |played: &[PlayedRound]| played.iter().zip(stretch).all(is_same);
            let place = truth[next..].windows(stretch.len()).position(matches);
            assert!(place.is_some(), "these rounds were never played: {stretch:?}");
            named += stretch.iter().filter(|(_, id)| id.is_some()).count();
            lost += place.unwrap();
            next += place.unwrap() + stretch.len();
        }
        assert_eq!(next, truth.len(), "the last rounds are missing");
        assert!(lost <= lost_max, "{lost} rounds lost");
        assert_eq!(self.rows.len() + lost, truth.len());
        let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        format!(
            "played {}, recorded {} ({named} with ids, {} backfilled), lost at discontinuities {lost}; gaps {}, weak {}, resets {}, \
             reconnects {}; {:.0} rounds per second",
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

    /// Returns the rows with their ids, split at the discontinuities of the event file.
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

    /// Returns the lines of the event files.
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

fn is_same((played, (row, id)): (&PlayedRound, &(Round, Option<String>))) -> bool {
    let name = played.id.to_string();
    played.multiplier == row.multiplier && id.as_ref().is_none_or(|id| *id == name)
}
