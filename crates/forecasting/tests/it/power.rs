//! A small version of the table of the example `power`: what whole engines see, and how often they
//! are wrong.

use chrono::DateTime;
use evaluation::audit::{self, AuditOptions};
use evaluation::quality::RecordedRound;
use evaluation::sequential::Level;
use forecasting::calibration::SALT;
use forecasting::engine::{Engine, Settings};
use rounds::{Multiplier, Round};
use test_support::simulate::{PlantedGame, Scenario, TimedRound};

/// Returns an engine that has seen these rounds.
fn engine_after(rounds: &[TimedRound]) -> Engine {
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: false });
    for simulated in rounds {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        let time = DateTime::from_timestamp_millis((1000.0 * simulated.unix_seconds) as i64);
        let multiplier = Multiplier::from_cents(simulated.cents).unwrap();
        engine.observe(Round { time: time.unwrap(), multiplier }, time.unwrap());
    }
    engine
}

/// Whether an engine saw order, another law, or a change within the first rounds of a game.
fn seen(game: PlantedGame, rounds: usize, seed: u64) -> [bool; 3] {
    let engine = engine_after(&game.rounds(rounds, seed));
    let evidence = engine.scorecard().evidence();
    let [order, law, _] = evidence.tests().map(|test| test.level >= Level::Amber);
    [order, law, evidence.epoch() > 0]
}

/// Counts over the streams of one game.
fn counts(game: PlantedGame, rounds: usize, streams: u64) -> [u64; 3] {
    let mut counts = [0; 3];
    for seed in 0..streams {
        for (count, is_seen) in counts.iter_mut().zip(seen(game, rounds, 1_000 + seed)) {
            *count += u64::from(is_seen);
        }
    }
    counts
}

/// Asserts that `count` of `streams` is at most three standard errors above the share `p`.
#[track_caller]
fn at_most(count: u64, streams: u64, p: f64, what: &str) {
    let n = streams as f64;
    let bound = n * p + 3.0 * (n * p * (1.0 - p)).sqrt();
    assert!(count as f64 <= bound, "{what}: {count} of {streams}, at most {bound:.1}");
}

/// Asserts that `count` of `streams` is at least three standard errors below the share `p`.
#[track_caller]
fn at_least(count: u64, streams: u64, p: f64, what: &str) {
    at_most(streams - count, streams, 1.0 - p, what);
}

#[test]
fn a_fair_game_and_an_unchanged_other_law_are_told_nothing_they_are_not() {
    let [order, law, change] = counts(PlantedGame::Plain(Scenario::Fair), 1500, 24);
    at_most(order, 24, 0.05, "order on a fair game");
    at_most(law, 24, 0.05, "law on a fair game");
    at_most(change, 24, 0.01, "change on a fair game");
    for game in [
        PlantedGame::Plain(Scenario::Independent { r: 1.0, theta: 1.0 }),
        PlantedGame::Atom { share: 0.10 },
        PlantedGame::Capped { cap_cents: 3_500 },
    ] {
        let [order, law, change] = counts(game, 1500, 8);
        at_most(order, 8, 0.05, "order");
        at_least(law, 8, 0.95, "law");
        at_most(change, 8, 0.02, "change");
    }
}

#[test]
fn planted_patterns_are_seen() {
    for (game, rounds, p) in [
        (PlantedGame::Plain(Scenario::Autoregressive(0.3)), 600, 0.98),
        (PlantedGame::Volatility, 1500, 0.95),
        (PlantedGame::Plain(Scenario::Due), 3000, 0.90),
        (PlantedGame::Congruential { modulus: 251 }, 300, 0.98),
    ] {
        let [order, ..] = counts(game, rounds, 8);
        at_least(order, 8, p, "order");
    }
}

/// The default flow lives through a change of return and back, and tells the return of each part.
#[test]
fn the_returns_of_the_epochs_are_those_of_the_parts() {
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: false });
    let r = |t: u32| if (4000..8000).contains(&t) { 0.85 } else { 0.97 };
    let mut random = evaluation::pit::SplitMix64::new(5);
    for t in 0..12_000 {
        let time = DateTime::from_timestamp(20 * i64::from(t), 0).unwrap();
        let multiplier = (r(t) / random.uniform()).clamp(1.0, 10_000.0);
        let multiplier = Multiplier::new(multiplier).unwrap();
        engine.observe(Round { time, multiplier }, time);
    }
    let evidence = engine.scorecard().evidence();
    let closed = evidence.closed();
    assert_eq!(closed.len(), 2, "{closed:?}");
    let last = closed.iter().map(|epoch| epoch.last_round).collect::<Vec<_>>();
    assert!(last[0].abs_diff(4000) < 150 && last[1].abs_diff(8000) < 150, "{last:?}");
    let measured = |rows: &[evaluation::returns::ReturnRow]| rows[0].measured;
    let (first, second) = (measured(&closed[0].returns), measured(&closed[1].returns));
    assert!(first.contains(0.97) && second.contains(0.85), "{first:?} {second:?}");
    assert!(measured(&evidence.epoch_returns()).contains(0.97));
}

/// Audit and backtest once named different rounds for one file, because the audit took the loudest
/// epoch.
#[test]
fn the_audit_and_the_engine_agree_since_when_there_is_evidence() {
    for game in [PlantedGame::Plain(Scenario::Shift), PlantedGame::ByTheClock { strength: 0.4 }] {
        let rounds = game.rounds(6000, 3);
        let engine = engine_after(&rounds);
        let audited = rounds.iter().map(|round| RecordedRound {
            cents: round.cents,
            // The engine's times have milliseconds.
            unix_seconds: Some((1000.0 * round.unix_seconds).floor() / 1000.0),
        });
        let options = AuditOptions { salt: SALT, ..AuditOptions::default() };
        let report = audit::run(&audited.collect::<Vec<_>>(), &options).unwrap();
        let evidence = engine.scorecard().evidence();
        assert!(evidence.epoch() > 0, "a change was noticed");
        assert_eq!(report.epochs, evidence.closed());
        for (audited, served) in report.evidence.iter().zip(evidence.tests()) {
            assert_eq!(audited.alarm_round, served.alarm_round, "{}", served.name);
            assert!((audited.ln_e - served.ln_e).abs() < 1e-6, "{}", served.name);
        }
    }
}
