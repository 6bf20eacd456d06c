//! The whole collector against a real Chromium and a game of our own in it: what stands in the CSV is what was played.

mod driver;
mod process;
mod recording;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use collector::duration_arg::DurationArg;
use collector::sources::browser::BrowserOptions;
use tokio::time::timeout;

use crate::simulator::{Game, Shows};
use driver::Driver;
use process::Chromium;
use recording::Recording;

const ROUNDS: usize = 2000;
/// Rounds that end at once, so that several lie between two looks.
const BURST: [usize; 5] = [1, 4, 2, 8, 3];
/// Rounds that end while the page is away.
const AWAY: [usize; 4] = [0, 3, 7, 1];
/// More than the game shows: some are lost for good, and must be marked.
const LONG_AWAY: usize = 40;
const FRAME: &str = "http://aviator-next.localhost";
/// A step that waits for what will not come ends the test.
const STEP: Duration = Duration::from_mins(1);

/// What happens to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    FrameReloads,
    TabReloads,
    FrameCrashes,
    BrowserRestarts,
}

/// When, in rounds, what happens.
fn schedule() -> VecDeque<(usize, Fault)> {
    let mut faults: Vec<_> = (1..=20).map(|i| (i * 95, Fault::FrameReloads)).collect();
    faults.extend([333, 777, 1555].map(|round| (round, Fault::TabReloads)));
    faults.extend([(1000, Fault::FrameCrashes), (1222, Fault::BrowserRestarts)]);
    faults.sort_by_key(|(round, _)| *round);
    faults.into()
}

/// Where the game's frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    /// On a site of its own within another's, each with a process of its own, as the real one.
    Apart,
    /// On the casino's own site, in the page's process.
    Inside,
}

/// A player at the game, and a collector that watches.
struct Evening {
    seat: Seat,
    game: Game,
    chromium: Chromium,
    /// Gone after the browser that writes into it.
    profile: tempfile::TempDir,
    player: Driver,
    tab: String,
    /// The session in which the game runs.
    frame: String,
    recording: Recording,
}

impl Evening {
    async fn begin(seat: Seat, shows: Shows, seed: u64) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut game = Game::open(shows, seed).await;
        let chromium = Chromium::start(profile.path());
        let mut player = Driver::connect(&chromium.socket).await;
        let poll = Some(DurationArg(Duration::from_millis(5)));
        let mut options = BrowserOptions { poll, ..BrowserOptions::default() };
        let url = match seat {
            Seat::Apart => {
                options.profile = Some(profile.path().to_owned());
                game.url()
            }
            Seat::Inside => {
                options.cdp = Some(chromium.http());
                game.inner_url()
            }
        };
        let recording = Recording::start(options);
        let tab = player.open(&url).await;
        game.loaded_after(0).await;
        let frame = tab.clone();
        let mut evening = Self { seat, game, chromium, profile, player, tab, frame, recording };
        evening.settle().await;
        evening.recording.until_it_has(&evening.game, 1).await;
        evening
    }

    /// The socket tells its history when it opens, and the page may have been faster than the collector: once that is there, the
    /// game loads again.
    async fn settle(&mut self) {
        if self.seat == Seat::Apart {
            self.frame = self.player.watched_frame(FRAME).await;
            self.reload_frame(0).await;
        }
    }

    /// Rounds end, and are recorded.
    async fn play(&mut self, rounds: usize) {
        let before = self.recording.rows();
        self.game.play(rounds);
        self.recording.until_it_has(&self.game, before + 1).await;
    }

    async fn reload_frame(&mut self, away: usize) {
        let loads = self.game.loads();
        let script = match self.seat {
            Seat::Apart => "location.reload()",
            Seat::Inside => "document.querySelector('iframe').contentWindow.location.reload()",
        };
        self.player.run(&self.frame, script).await;
        self.game.play(away);
        self.game.loaded_after(loads).await;
    }

    async fn reload_tab(&mut self, away: usize) {
        let loads = self.game.loads();
        self.player.reload(&self.tab).await;
        self.game.play(away);
        self.game.loaded_after(loads).await;
        if self.seat == Seat::Apart {
            self.frame = self.player.frame(FRAME).await;
        }
    }

    async fn crash(&mut self) {
        self.player.crash(&self.frame).await;
        self.game.play(2);
        self.reload_tab(4).await;
    }

    async fn restart_browser(&mut self) {
        let loads = self.game.loads();
        self.chromium.kill();
        self.game.play(LONG_AWAY);
        self.chromium = Chromium::start(self.profile.path());
        self.player = Driver::connect(&self.chromium.socket).await;
        self.tab = self.player.open(&self.game.url()).await;
        self.game.loaded_after(loads).await;
        self.settle().await;
    }

    /// Plays with every fault in its turn.
    async fn play_out(mut self) -> String {
        let (began, mut faults) = (Instant::now(), schedule());
        for step in 0.. {
            let played = self.game.truth().len();
            if played >= ROUNDS {
                break;
            }
            let away = AWAY[step % AWAY.len()];
            match faults.pop_front_if(|(round, _)| *round <= played).map(|(_, fault)| fault) {
                Some(Fault::FrameReloads) => within("a reload", self.reload_frame(away)).await,
                Some(Fault::TabReloads) => within("a tab's reload", self.reload_tab(away)).await,
                Some(Fault::FrameCrashes) => within("a crash", self.crash()).await,
                Some(Fault::BrowserRestarts) => within("a restart", self.restart_browser()).await,
                None => {}
            }
            within("a few rounds", self.play(BURST[step % BURST.len()])).await;
        }
        assert!(faults.is_empty(), "{faults:?}");
        let took = began.elapsed();
        self.recording.check(&self.game.truth(), LONG_AWAY, took).await
    }
}

/// What a step gives, if it comes to its end.
async fn within<T>(step: &str, work: impl Future<Output = T>) -> T {
    // Pinned: the steps are large, and the test holds several of them.
    let ended = timeout(STEP, Box::pin(work)).await;
    ended.unwrap_or_else(|_| unreachable!("{step} took longer than {STEP:?}"))
}

/// What came of it, for the log of the tests.
async fn check(shows: Shows, seed: u64) -> String {
    let evening = within("the beginning", Evening::begin(Seat::Apart, shows, seed)).await;
    Box::pin(evening.play_out()).await
}

#[tokio::test]
async fn every_round_of_a_page_with_list_and_socket_is_recorded_once() {
    println!("{}", check(Shows::Both, 1).await);
}

#[tokio::test]
async fn every_round_of_a_page_with_only_a_list_is_recorded_once() {
    println!("{}", check(Shows::List, 2).await);
}

#[tokio::test]
async fn every_round_of_a_page_with_only_a_socket_is_recorded_once() {
    println!("{}", check(Shows::Frames, 3).await);
}

#[tokio::test]
async fn a_game_in_the_page_s_own_process_is_read_through_reloads_and_a_crash_of_the_tab() {
    let began = Instant::now();
    let evening = Evening::begin(Seat::Inside, Shows::Both, 4);
    let mut evening = within("the beginning", evening).await;
    within("a few rounds", evening.play(3)).await;
    within("a reload", evening.reload_frame(2)).await;
    within("a few rounds", evening.play(1)).await;
    within("a tab's reload", evening.reload_tab(2)).await;
    within("a few rounds", evening.play(1)).await;
    within("a crash", evening.crash()).await;
    within("a few rounds", evening.play(3)).await;
    println!("{}", evening.recording.check(&evening.game.truth(), 0, began.elapsed()).await);
}
