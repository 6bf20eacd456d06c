//! The demo source: simulated rounds, provably fair or with a planted [`Pattern`].
//!
//! The SHA-256 of the server seed of a fair round is published before the round, three client seeds are added, and the
//! SHA-512 of all four decides where the round ends. The seeds, the hashes and the commitment to the next round go to the
//! event file, so anyone can check every round with a hash function.

mod pattern;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rounds::provably_fair::aviator;
use rounds::{Multiplier, usual_gap};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::pattern::Pattern;
use self::pattern::PatternedGame;
use crate::clock;
use crate::observation::{Observation, Report};
use crate::source_error::SourceError;
use crate::sources::pacing::{Metronome, Pace};

/// Default time between rounds.
pub const DEFAULT_GAP: Duration = Duration::from_secs(3);
/// Default number of earlier rounds.
pub const DEFAULT_HISTORY: u64 = 120;

/// Mean time between two rounds of the game.
const MEAN_GAP: TimeDelta = TimeDelta::seconds(23);

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Lengths of the seeds in the game.
const SERVER_SEED_LEN: usize = 40;
const CLIENT_SEED_LEN: usize = 20;

/// The demo's flags and its `[demo]` section.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[group(skip)]
pub struct DemoOptions {
    /// demo: earlier rounds to write at once, with plausible times [default: 120]
    #[arg(long, env = "AVIATOR_HISTORY", value_name = "N")]
    pub history: Option<u64>,

    /// demo: the same seed gives the same rounds [default: random]
    #[arg(long, env = "AVIATOR_SEED", value_name = "N")]
    pub seed: Option<u64>,

    /// demo: a pattern in the rounds, to see what the predictor says of it [default: none]
    #[arg(long, value_enum, env = "AVIATOR_PATTERN", value_name = "PATTERN")]
    pub pattern: Option<Pattern>,
}

impl DemoOptions {
    /// Returns the default directory: rounds with different patterns never share one.
    pub(crate) fn data_dir(&self) -> PathBuf {
        match self.pattern.unwrap_or_default() {
            Pattern::None => "data/demo".into(),
            pattern => format!("data/demo-{}", pattern.name()).into(),
        }
    }
}

/// The simulated game.
#[derive(Debug)]
pub struct Demo {
    rng: ChaCha20Rng,
    pace: Pace,
    history: u64,
    /// Rounds still to play after the history; `None` is unlimited.
    left: Option<u64>,
    /// The server seed of the next round, whose commitment is published already.
    next_seed: String,
    /// Plays the rounds if a pattern is planted.
    patterned: Option<PatternedGame>,
    past: VecDeque<Report>,
    metronome: Metronome,
}

/// One round and everything that decided it.
struct Played {
    multiplier: Multiplier,
    /// Hexadecimal digits that no other round has.
    id: String,
    detail: Value,
}

impl Demo {
    /// Creates a game that has not started.
    pub fn new(options: &DemoOptions, pace: Pace, rounds: Option<u64>) -> Self {
        let mut rng = match options.seed {
            Some(seed) => ChaCha20Rng::seed_from_u64(seed),
            None => ChaCha20Rng::from_seed(random_seed()),
        };
        Self {
            next_seed: token(&mut rng, SERVER_SEED_LEN),
            patterned: options.pattern.filter(|it| *it != Pattern::None).map(PatternedGame::new),
            rng,
            pace,
            history: options.history.unwrap_or(DEFAULT_HISTORY),
            left: rounds,
            past: VecDeque::new(),
            metronome: Metronome::default(),
        }
    }

    /// Plays the history.
    ///
    /// # Errors
    ///
    /// None: a simulated game is always available.
    pub fn connect(&mut self) -> Result<(), SourceError> {
        let now = clock::wall();
        // The clock pattern needs the time of a round before the gaps that follow it are known, so it gets an estimate.
        let count = std::mem::take(&mut self.history);
        let mut ends_at = now - MEAN_GAP * i32::try_from(count).unwrap_or(i32::MAX);
        let mut played = Vec::new();
        for _ in 0..count {
            let round = self.play(ends_at);
            ends_at += gap_before(round.multiplier);
            played.push(round);
        }
        self.past = dated(played, now);
        Ok(())
    }

    /// Waits for the next round; returns [`Report::End`] after the last.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        if let Some(round) = self.past.pop_front() {
            return Ok(Observation::now(round));
        }
        match &mut self.left {
            Some(0) => return Ok(Observation::now(Report::End)),
            Some(left) => *left -= 1,
            None => {}
        }
        let played = self.play(clock::wall());
        self.metronome.wait(self.pace.gap(played.multiplier)).await;
        let mut observation = Observation::now(Report::Alive);
        observation.report = played.report(observation.wall, false);
        Ok(observation)
    }

    /// Plays the round that ends at about this time.
    fn play(&mut self, ends_at: DateTime<Utc>) -> Played {
        if let Some(game) = &mut self.patterned {
            let multiplier = game.play(&mut self.rng, ends_at);
            let detail = json!({ "simulated": true, "pattern": game.pattern() });
            return Played { multiplier, id: format!("{:016x}", self.rng.next_u64()), detail };
        }
        let server_seed =
            std::mem::replace(&mut self.next_seed, token(&mut self.rng, SERVER_SEED_LEN));
        let clients: Vec<String> = (0..3).map(|_| token(&mut self.rng, CLIENT_SEED_LEN)).collect();
        let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
        let commitment = aviator::commit(&server_seed);
        let digest = aviator::digest(&server_seed, &clients);
        let multiplier = aviator::multiplier(&digest).expect("a SHA-512 digest has 128 hex digits");
        let detail = json!({
            "simulated": true,
            "server_seed_sha256": commitment,
            "server_seed": server_seed,
            "client_seeds": clients,
            "combined_sha512": digest,
            "next_server_seed_sha256": aviator::commit(&self.next_seed),
        });
        Played { multiplier, id: commitment[..16].to_owned(), detail }
    }
}

impl Played {
    fn report(self, ended_at: DateTime<Utc>, backfill: bool) -> Report {
        Report::Round {
            // Unique across runs, unlike a counter.
            id: Some(format!("demo-{}", self.id)),
            multiplier: self.multiplier,
            ended_at: Some(ended_at),
            backfill,
            detail: Some(self.detail),
        }
    }
}

/// Returns the history, oldest first, spaced as in the game; the last round ends now.
fn dated(played: Vec<Played>, now: DateTime<Utc>) -> VecDeque<Report> {
    let mut dated = VecDeque::with_capacity(played.len());
    let mut ended_at = now;
    for round in played.into_iter().rev() {
        let gap = gap_before(round.multiplier);
        dated.push_front(round.report(ended_at, true));
        ended_at -= gap;
    }
    dated
}

/// Returns the usual time from the end of the round before to the end of a round with this multiplier.
fn gap_before(multiplier: Multiplier) -> TimeDelta {
    TimeDelta::from_std(usual_gap(multiplier)).unwrap_or(TimeDelta::MAX)
}

/// Returns `len` uniformly random letters and digits.
fn token(rng: &mut ChaCha20Rng, len: usize) -> String {
    let mut token = String::with_capacity(len);
    while token.len() < len {
        // Six bits at a time; the two values beyond the alphabet are drawn again.
        let index = (rng.next_u32() >> 26) as usize;
        if let Some(&letter) = ALPHANUMERIC.get(index) {
            token.push(char::from(letter));
        }
    }
    token
}

fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("an operating system has random numbers");
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(history: u64, rounds: u64, seed: Option<u64>) -> Demo {
        let options = DemoOptions { history: Some(history), seed, pattern: None };
        Demo::new(&options, Pace::Max, Some(rounds))
    }

    async fn all(mut demo: Demo) -> Vec<(Multiplier, DateTime<Utc>, bool, Value)> {
        demo.connect().unwrap();
        let mut all = Vec::new();
        while let Report::Round { multiplier, ended_at, backfill, detail, .. } =
            demo.next().await.unwrap().report
        {
            all.push((multiplier, ended_at.unwrap(), backfill, detail.unwrap()));
        }
        all
    }

    #[tokio::test]
    async fn every_round_can_be_checked_from_its_detail() {
        let all = all(demo(20, 20, Some(1))).await;
        assert_eq!(all.len(), 40);
        let mut committed: Option<String> = None;
        for (multiplier, _, _, detail) in &all {
            let text = |key: &str| detail[key].as_str().unwrap().to_owned();
            let clients: Vec<&str> =
                (0..3).map(|i| detail["client_seeds"][i].as_str().unwrap()).collect();
            assert_eq!(aviator::commit(&text("server_seed")), text("server_seed_sha256"));
            assert_eq!(aviator::digest(&text("server_seed"), &clients), text("combined_sha512"));
            assert_eq!(aviator::multiplier(&text("combined_sha512")).unwrap(), *multiplier);
            let before = committed.replace(text("next_server_seed_sha256"));
            assert!(before.is_none_or(|before| before == text("server_seed_sha256")));
        }
    }

    #[tokio::test]
    async fn a_seed_determines_the_rounds() {
        let rounds = async |seed| -> Vec<Multiplier> {
            all(demo(5, 30, seed)).await.into_iter().map(|(multiplier, ..)| multiplier).collect()
        };
        assert_eq!(rounds(Some(7)).await, rounds(Some(7)).await);
        assert_ne!(rounds(Some(7)).await, rounds(Some(8)).await);
        assert_ne!(rounds(None).await, rounds(None).await);
    }

    #[tokio::test]
    async fn rounds_with_a_pattern_name_it_and_have_no_seeds() {
        let options =
            DemoOptions { history: Some(100), seed: Some(4), pattern: Some(Pattern::Generator) };
        let all = all(Demo::new(&options, Pace::Max, Some(300))).await;
        let multipliers: Vec<Multiplier> = all.iter().map(|(multiplier, ..)| *multiplier).collect();
        assert_eq!(multipliers[250..], multipliers[..150]);
        let detail = json!({ "simulated": true, "pattern": "generator" });
        assert!(all.iter().all(|(_, _, _, it)| *it == detail));
    }

    #[tokio::test]
    async fn the_history_is_spaced_as_in_the_game() {
        let all = all(demo(50, 0, Some(3))).await;
        for pair in all.windows(2) {
            let gap = (pair[1].1 - pair[0].1).as_seconds_f64();
            assert!((gap - (11.5 + 11.7 * pair[1].0.ln())).abs() < 0.002, "{gap}");
        }
        assert!(all.iter().all(|(_, _, backfill, _)| *backfill));
    }

    #[tokio::test(start_paused = true)]
    async fn rounds_arrive_every_three_seconds() {
        let options = DemoOptions { history: Some(0), ..DemoOptions::default() };
        let start = tokio::time::Instant::now();
        assert_eq!(all(Demo::new(&options, Pace::Every(DEFAULT_GAP), Some(3))).await.len(), 3);
        assert_eq!(start.elapsed(), Duration::from_secs(9));
    }

    #[test]
    fn seeds_use_every_letter_and_digit_alike() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let text = token(&mut rng, 62_000);
        for letter in ALPHANUMERIC {
            let count = text.bytes().filter(|byte| byte == letter).count();
            assert!((850..1150).contains(&count), "{}: {count}", char::from(*letter));
        }
    }

    /// The house edge is 3 %: a round reaches x with probability 0.97 / x.
    #[tokio::test]
    async fn rounds_follow_the_house_law() {
        let all = all(demo(0, 20_000, Some(11))).await;
        for x in [1.5, 2.0, 5.0, 10.0] {
            let reached = all.iter().filter(|(multiplier, ..)| multiplier.as_f64() >= x).count();
            let expected = 20_000.0 * 0.97 / x;
            let deviation = (expected * (1.0 - 0.97 / x)).sqrt();
            assert!((reached as f64 - expected).abs() < 4.0 * deviation, "{x}: {reached}");
        }
    }
}
