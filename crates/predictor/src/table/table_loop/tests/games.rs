//! Another game: scores under one law say nothing of another.

use evaluation::game::Preset;
use test_support::capture_logs;

use super::*;

fn game(name: &str) -> GameParameters {
    GameParameters::of(Preset::named(name).unwrap())
}

impl Bench {
    /// Restarts it for another game, without a model; returns the log.
    fn restart_for(&mut self, game: GameParameters) -> String {
        self.table_loop().end();
        self.game = game;
        capture_logs(|| self.start_without_model())
    }

    fn returns(&mut self) -> f64 {
        self.table_loop().engine.learned().house().r()
    }
}

#[test]
fn a_changed_game_is_learnt_anew_and_says_so_once() {
    let mut bench = Bench::new();
    bench.play(20);
    assert_eq!(bench.settled().0, 20);
    let log = bench.restart_for(game("stake"));
    assert_eq!(log.matches("The game has changed; learning it anew.").count(), 1, "{log}");
    assert!(log.contains("return 0.97") && log.contains("return 0.99"), "{log}");
    assert_eq!((bench.settled().0, bench.table_loop().engine.rounds()), (0, 60));
    assert!((bench.returns() - 0.99).abs() < 1e-12);
    bench.start();
    bench.play(5);
    assert_eq!(bench.settled().0, 5);
    bench.assert_restarts_to_the_same();
    assert!(!bench.restart_for(game("stake")).contains("The game has changed"));
}

#[test]
fn back_at_the_first_game_its_own_forecasts_count_again() {
    let mut bench = Bench::new();
    bench.play(20);
    let known = bench.settled();
    bench.restart_for(game("stake"));
    bench.start();
    bench.play(5);
    bench.restart_for(GameParameters::default());
    assert_eq!(bench.settled(), known);
}

#[test]
fn another_cap_or_share_of_the_lowest_multiplier_is_another_law_and_another_pace_is_not() {
    let mut bench = Bench::new();
    let default = GameParameters::default();
    let pace = evaluation::Pace { pause: 5.0, slope: 6.0 };
    for (game, is_new) in [
        (default.with_cap_cents(2_000_000).unwrap(), true),
        (default.with_atom(0.05).unwrap(), true),
        (default.with_atom(0.05).unwrap().with_pace(pace).unwrap(), false),
    ] {
        let log = bench.restart_for(game);
        assert_eq!(log.contains("The game has changed"), is_new, "{log}");
    }
}

#[test]
fn what_is_served_follows_the_law_of_the_game() {
    let mut bench = Bench::new();
    bench.restart_for(game("stake"));
    bench.start();
    let forecast = *bench.table_loop().engine.open().unwrap();
    assert!((forecast.probabilities[1] - 0.495).abs() < 1e-12, "{forecast:?}");
    assert!((forecast.median() - 1.98).abs() < 1e-12);
    let line = fs::read_to_string(bench.state("forecasts.jsonl")).unwrap();
    assert!(line.lines().any(|line| line.contains("\"house\":{\"r\":0.99")), "{line}");
}
