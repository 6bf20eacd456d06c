//! Clocks that are set while rounds arrive: the loop keeps running, no round is lost, and no
//! forecast counts twice.

use test_support::capture_logs;

use super::*;

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 86_400;

impl Bench {
    /// Plays rounds one by one, with the clock of this machine in step with the collector's.
    fn play_on_time(&mut self, count: usize) {
        for _ in 0..count {
            let second = i64::try_from(20 * self.written).unwrap() + self.off;
            NOW.set(START + TimeDelta::seconds(second));
            self.play(1);
        }
    }

    /// Checks that a restart settles the same number of forecasts, with and without the checkpoint.
    /// If there are several forecasts for the next round, which of them is shown may differ,
    /// because earlier ones were numbered differently.
    #[track_caller]
    fn assert_restarts_to_the_same_count(&mut self) {
        let settled = self.settled().0;
        self.table_loop().end();
        self.start_without_model();
        assert_eq!(self.settled().0, settled, "from the checkpoint");
        drop(fs::remove_file(self.state("checkpoint")));
        self.start_without_model();
        assert_eq!(self.settled().0, settled, "from the ledger alone");
        self.start();
    }

    fn rounds(&mut self) -> usize {
        let table_loop = self.table_loop();
        assert_eq!(table_loop.engine.rounds(), table_loop.series.rounds().len() as u64);
        table_loop.series.rounds().len()
    }
}

/// Sets the clock by `step` seconds between rounds, and checks how many forecasts of those before and of
/// those after count.
#[track_caller]
fn check(step: i64, counts_before: u64, counts_after: u64) {
    let mut bench = Bench::new();
    bench.play_on_time(10);
    assert_eq!(bench.settled(), (10, 0));
    bench.off = step;
    bench.play_on_time(10);
    assert_eq!(bench.rounds(), 60);
    assert_eq!(bench.settled().0, counts_before + counts_after);
    bench.assert_restarts_to_the_same_count();
    // Forecasts count again once the clock has passed the newest round.
    bench.off = step.max(0);
    bench.play_on_time(10);
    assert_eq!(bench.rounds(), 70);
    assert!(bench.settled().0 >= 9 + counts_before + counts_after, "{:?}", bench.settled());
    bench.assert_restarts_to_the_same_count();
}

#[test]
fn a_clock_set_forward_by_a_year_stops_nothing() {
    check(YEAR, 10, 10);
}

/// The rounds after it sort before all others, so no forecast was made after the rounds that now come
/// before its own.
#[test]
fn a_clock_set_back_by_an_hour_rests_forecasts_until_it_is_past_the_newest_round_again() {
    check(-HOUR, 0, 0);
}

/// Files are written in UTC, so a change to or from summer time changes nothing.
#[test]
fn a_clock_put_right_by_some_seconds_costs_at_most_a_forecast() {
    for step in [-15, 15] {
        check(step, 10, 10);
    }
}

#[test]
fn a_clock_that_was_a_year_ahead_is_named_and_its_rows_can_be_put_right() {
    let mut bench = Bench::new();
    bench.play_on_time(10);
    let good = fs::read_to_string(bench.dir.path().join(CSV)).unwrap();
    bench.off = YEAR;
    bench.play_on_time(1);
    bench.off = 0;
    let log = capture_logs(|| bench.play_on_time(5));
    assert_eq!(log.matches("ahead of this machine's clock").count(), 1, "{log}");
    assert!(log.contains(&format!("file=\"{CSV}\" minutes=5255")), "{log}");
    assert_eq!(bench.rounds(), 56);
    bench.assert_restarts_to_the_same_count();
    // Remove the rows written since then, as if they had never existed.
    fs::write(bench.dir.path().join(CSV), good).unwrap();
    bench.table_loop().scan();
    assert_eq!(bench.rounds(), 50);
    assert_eq!(bench.settled().0, 10);
}
