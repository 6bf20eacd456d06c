//! The whole collector against a simulated game in a real Chromium: the CSV file holds exactly the rounds that were played.

mod driver;
mod pages;
pub(crate) mod process;
mod recording;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use collector::duration_arg::DurationArg;
use collector::sources::browser::BrowserOptions;
use tokio::time::timeout;

use crate::simulator::{Channels, Game};
use driver::Driver;
use process::Chromium;
use recording::Recording;

const ROUNDS: usize = 2000;
/// Numbers of rounds that end at the same time, so that several fall between two polls.
const BURST: [usize; 5] = [1, 4, 2, 8, 3];
/// Numbers of rounds that end while the page reloads.
const AWAY: [usize; 4] = [0, 3, 7, 1];
/// Number of rounds during the browser's restart. More than the game shows: the lost ones must be recorded as a gap.
const RESTART_ROUNDS: usize = 40;
const FRAME: &str = "http://aviator-next.localhost";
/// Timeout of each step.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// A fault of the page or the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    FrameReloads,
    TabReloads,
    FrameCrashes,
    BrowserRestarts,
}

/// Returns the faults, each with the number of rounds before it.
fn schedule() -> VecDeque<(usize, Fault)> {
    let mut faults: Vec<_> = (1..=20).map(|i| (i * 95, Fault::FrameReloads)).collect();
    faults.extend([333, 777, 1555].map(|round| (round, Fault::TabReloads)));
    faults.extend([(1000, Fault::FrameCrashes), (1222, Fault::BrowserRestarts)]);
    faults.sort_by_key(|(round, _)| *round);
    faults.into()
}

/// The site of the game's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// A site of its own, and so a process of its own, as in the real game.
    CrossSite,
    /// The casino's site, and so the page's process.
    SameSite,
}

/// A browser with the game, and a collector that reads it.
struct Scenario {
    site: Site,
    game: Game,
    chromium: Chromium,
    /// Dropped after the browser that writes into it.
    profile: tempfile::TempDir,
    player: Driver,
    tab: String,
    /// The session of the game's frame.
    frame: String,
    recording: Recording,
}

impl Scenario {
    async fn begin(site: Site, channels: Channels, seed: u64) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut game = Game::open(channels, seed).await;
        let chromium = Chromium::start(profile.path());
        let mut player = Driver::connect(&chromium.socket).await;
        let poll = Some(DurationArg(Duration::from_millis(5)));
        let mut options = BrowserOptions { poll, ..BrowserOptions::default() };
        let url = match site {
            Site::CrossSite => {
                options.profile = Some(profile.path().to_owned());
                game.url()
            }
            Site::SameSite => {
                options.cdp = Some(chromium.http());
                game.inner_url()
            }
        };
        let recording = Recording::start(options);
        let tab = player.open(&url).await;
        game.loaded_after(0).await;
        let frame = tab.clone();
        let mut scenario = Self { site, game, chromium, profile, player, tab, frame, recording };
        scenario.reload_when_watched().await;
        scenario.recording.wait_for_rows(&scenario.game, 1).await;
        scenario
    }

    /// Reloads the game once the collector is attached. The socket sends its history only when it opens, which may have been
    /// before the collector attached.
    async fn reload_when_watched(&mut self) {
        if self.site == Site::CrossSite {
            self.frame = self.player.watched_frame(FRAME).await;
            self.reload_frame(0).await;
        }
    }

    /// Plays rounds and waits until they are recorded.
    async fn play(&mut self, rounds: usize) {
        let before = self.recording.rows();
        self.game.play(rounds);
        self.recording.wait_for_rows(&self.game, before + 1).await;
    }

    async fn reload_frame(&mut self, away: usize) {
        let loads = self.game.loads();
        let script = match self.site {
            Site::CrossSite => "location.reload()",
            Site::SameSite => "document.querySelector('iframe').contentWindow.location.reload()",
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
        if self.site == Site::CrossSite {
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
        self.game.play(RESTART_ROUNDS);
        self.chromium = Chromium::start(self.profile.path());
        self.player = Driver::connect(&self.chromium.socket).await;
        self.tab = self.player.open(&self.game.url()).await;
        self.game.loaded_after(loads).await;
        self.reload_when_watched().await;
    }

    /// Plays all rounds with every fault of the schedule; returns a summary.
    async fn run(mut self) -> String {
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
        self.recording.check(&self.game.truth(), RESTART_ROUNDS, took).await
    }
}

/// Returns the result of a step, or fails after its timeout.
async fn within<T>(step: &str, work: impl Future<Output = T>) -> T {
    // Boxed, because the futures are large and a test holds several of them.
    let ended = timeout(STEP_TIMEOUT, Box::pin(work)).await;
    ended.unwrap_or_else(|_| unreachable!("{step} took longer than {STEP_TIMEOUT:?}"))
}

/// Runs the schedule of faults; returns a summary for the test log.
async fn check(channels: Channels, seed: u64) -> String {
    let scenario = within("the beginning", Scenario::begin(Site::CrossSite, channels, seed)).await;
    Box::pin(scenario.run()).await
}

#[tokio::test]
async fn every_round_of_a_page_with_list_and_socket_is_recorded_once() {
    println!("{}", check(Channels::Both, 1).await);
}

#[tokio::test]
async fn every_round_of_a_page_with_only_a_list_is_recorded_once() {
    println!("{}", check(Channels::List, 2).await);
}

#[tokio::test]
async fn every_round_of_a_page_with_only_a_socket_is_recorded_once() {
    println!("{}", check(Channels::Frames, 3).await);
}

#[tokio::test]
async fn a_game_in_the_process_of_the_page_is_read_through_reloads_and_a_crash() {
    let began = Instant::now();
    let scenario = Scenario::begin(Site::SameSite, Channels::Both, 4);
    let mut scenario = within("the beginning", scenario).await;
    within("a few rounds", scenario.play(3)).await;
    within("a reload", scenario.reload_frame(2)).await;
    within("a few rounds", scenario.play(1)).await;
    within("a tab's reload", scenario.reload_tab(2)).await;
    within("a few rounds", scenario.play(1)).await;
    within("a crash", scenario.crash()).await;
    within("a few rounds", scenario.play(3)).await;
    println!("{}", scenario.recording.check(&scenario.game.truth(), 0, began.elapsed()).await);
}
