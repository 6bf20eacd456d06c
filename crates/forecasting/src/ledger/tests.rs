use evaluation::baselines::Climatology;
use rounds::Multiplier;

use super::*;
use crate::calibration::Calibration;
use crate::forecast::{Basis, Means};

fn at(second: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::try_from(second).unwrap(), 0).unwrap()
}

/// Round `number` ends at second `number`, `number` cents above 2.00.
fn round(number: u64) -> Round {
    Round { time: at(number), multiplier: Multiplier::from_cents(200 + number).unwrap() }
}

fn other_round(number: u64) -> Round {
    Round { multiplier: Multiplier::from_cents(999).unwrap(), ..round(number) }
}

fn rounds(count: u64) -> Vec<Round> {
    (1..=count).map(round).collect()
}

fn chain(count: u64) -> HistoryChain {
    HistoryChain::of(&rounds(count))
}

/// The forecast for round `number` of a model that was trained on all rounds before it.
fn forecast(number: u64, version: u64) -> Entry {
    forecast_after(&chain(number - 1), &chain(number - 1), version)
}

fn forecast_after(before: &HistoryChain, trained_on: &HistoryChain, version: u64) -> Entry {
    let means = Means { members: [1.0 / 3.0, 0.1, 0.7], mean: 0.1 + 0.2 };
    let calibration = Calibration::default();
    let candidate = calibration.candidate(&means);
    let served = calibration.serve(Basis::House, &candidate, &Climatology::new());
    let last = round(before.rounds());
    Entry::Forecast(Forecast {
        round: before.rounds() + 1,
        issued_at: last.time,
        after: last.time,
        last_actual: last.multiplier.as_f64(),
        model_version: version,
        trained_on: trained_on.rounds(),
        history: before.head(),
        model_history: trained_on.head(),
        means,
        house: candidate.house,
        kappa: candidate.kappa,
        scale: candidate.scale,
        basis: Basis::House,
        observed_median: None,
        probabilities: served.probabilities,
        interval80: served.interval80,
        interval90: served.interval90,
        late: false,
    })
}

fn settled(number: u64) -> Entry {
    let round = round(number);
    let actual = round.multiplier.as_f64();
    Entry::Settled(Settled { round: number, time: round.time, actual, settled_at: round.time })
}

fn read(chain: &HistoryChain) -> Entry {
    let (rounds, history) = (chain.rounds(), chain.head());
    Entry::Read(ReadMark { rounds, history, time: at(rounds) })
}

/// Returns the rounds that have a forecast that counts, with the versions of their models, and the
/// number of forecasts that do not count.
///
/// The rounds end when those of `rounds` do, whatever their multipliers.
fn counting(entries: &[Entry], chain: &HistoryChain) -> (Vec<(u64, u64)>, u64) {
    let rounds = rounds(chain.rounds());
    let mut counting = Ledger::from_entries(entries.iter().copied()).counting(
        &rounds,
        chain,
        0,
        Absent::default(),
    );
    let forecasts = (0..=chain.rounds()).filter_map(|rounds| counting.take(rounds));
    let forecasts = forecasts.map(|it| (it.forecast.round, it.forecast.model_version));
    (forecasts.collect(), counting.absent().count)
}

#[test]
fn a_line_read_back_equals_the_written_entry_bit_for_bit() {
    for entry in [forecast(31, 1), settled(31), read(&chain(31))] {
        let line = serde_json::to_string(&entry).unwrap();
        assert!(!line.contains('\n'));
        let back: Entry = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), line);
        assert_eq!(back, entry);
    }
}

#[test]
fn the_last_forecast_for_a_round_counts() {
    let entries = [forecast(31, 1), forecast(31, 2), settled(31), forecast(32, 2)];
    let ledger = Ledger::from_entries(entries);
    assert_eq!((ledger.forecasts(), ledger.model_version()), (2, 2));
    let mut found = ledger.counting(&rounds(31), &chain(31), 0, Absent::default());
    assert!(found.take(30).unwrap().is_settled_by(&round(31)));
    assert!(!found.take(30).unwrap().is_settled_by(&other_round(31)));
    assert_eq!(found.take(31).unwrap().settled, None);
    assert_eq!((found.read(), found.absent()), (31, Absent::default()));
    assert_eq!(found.take(32), None);
}

#[test]
fn a_forecast_counts_only_while_the_rounds_before_it_are_those_it_was_made_after() {
    let entries = [forecast(31, 1), settled(31), forecast(32, 1), settled(32), forecast(33, 1)];
    assert_eq!(counting(&entries, &chain(40)), (vec![(31, 1), (32, 1), (33, 1)], 0));
    let mut changed = rounds(40);
    changed[30] = other_round(31);
    assert_eq!(counting(&entries, &HistoryChain::of(&changed)), (vec![(31, 1)], 2));
    let without_the_first = HistoryChain::of(&rounds(40)[1..]);
    assert_eq!(counting(&entries, &without_the_first), (vec![], 3));
    let found =
        Ledger::from_entries(entries).counting(&rounds(30), &chain(30), 0, Absent::default());
    assert_eq!(found.absent(), Absent { count: 2, until: Some(at(32)) });
    assert!(found.absent().may_follow(&round(32)) && !found.absent().may_follow(&round(33)));
}

#[test]
fn a_forecast_by_a_model_that_was_trained_on_its_round_or_on_other_rounds_does_not_count() {
    let mut changed = rounds(20);
    changed[9] = other_round(10);
    for (trained_on, does_count) in [
        (chain(30), true),
        (chain(5), true),
        (chain(31), false),
        (chain(40), false),
        (HistoryChain::of(&changed), false),
    ] {
        let entries = [forecast_after(&chain(30), &trained_on, 1)];
        let (found, void) = counting(&entries, &chain(40));
        assert_eq!((found.len(), void), (usize::from(does_count), u64::from(!does_count)));
    }
}

#[test]
fn a_forecast_for_a_round_that_had_been_read_does_not_count() {
    let late = forecast(31, 2);
    for earlier in [forecast(32, 1), forecast(40, 1), read(&chain(31)), read(&chain(40))] {
        let (found, void) = counting(&[earlier, late], &chain(40));
        assert!(found.iter().all(|&(round, _)| round != 31), "{earlier:?}");
        assert_eq!(void, 1);
        // Rounds that are not there any more may come back, but this is not one of them.
        assert_eq!(counting(&[earlier, late], &chain(30)).0, [(31, 2)], "{earlier:?}");
    }
    assert_eq!(counting(&[read(&chain(30)), late], &chain(40)).0, [(31, 2)]);
    assert_eq!(counting(&[forecast(31, 1), settled(31), late], &chain(40)), (vec![(31, 1)], 1));
    let covered =
        Ledger::from_entries([late]).counting(&rounds(40), &chain(40), 31, Absent::default());
    assert_eq!((covered.absent().count, covered.read()), (1, 31));
}

/// Of rounds 31 to 40 that were read and removed, only some come back: the line says nothing of those.
#[test]
fn a_forecast_for_one_of_the_rounds_that_come_back_in_part_does_not_count() {
    for earlier in [read(&chain(40)), forecast(41, 1)] {
        let entries = [earlier, forecast(31, 2)];
        assert_eq!(counting(&entries, &chain(35)).0, [], "{earlier:?}");
        let later = Round { time: at(41), ..round(31) };
        let rounds: Vec<Round> = rounds(30).into_iter().chain([later]).collect();
        let ledger = Ledger::from_entries(entries);
        let mut found = ledger.counting(&rounds, &chain(31), 0, Absent::default());
        assert!(found.take(30).is_some(), "a new round");
    }
}

#[test]
fn a_clock_that_was_a_year_ahead_does_not_make_new_rounds_look_old() {
    let year = TimeDelta::days(365);
    assert_eq!(credible(at(5) + year, at(7)), at(7));
    assert_eq!(credible(at(5), at(7)), at(5));
    assert_eq!(credible(at(9), at(7)), at(9));
}

#[test]
fn after_another_round_than_the_one_that_was_read_the_last_forecast_counts() {
    let mut other = rounds(30);
    other.push(other_round(31));
    let entries = [forecast(31, 1), settled(31), forecast(31, 2)];
    assert_eq!(counting(&entries, &HistoryChain::of(&other)), (vec![(31, 2)], 0));
    assert_eq!(counting(&entries, &chain(30)), (vec![(31, 2)], 0));
}

#[test]
fn unmatched_and_repeated_outcomes_change_nothing() {
    let twice = [settled(9), forecast(31, 1), settled(31), settled(31), settled(32)];
    assert_eq!(counting(&twice, &chain(40)), (vec![(31, 1)], 0));
}

#[test]
fn an_outcome_written_late_settles_its_forecast() {
    let entries = [forecast(31, 1), forecast(34, 1), settled(34), forecast(35, 1), settled(31)];
    let mut found =
        Ledger::from_entries(entries).counting(&rounds(34), &chain(34), 0, Absent::default());
    assert!(found.take(30).unwrap().settled.is_some());
    assert!(found.take(34).unwrap().settled.is_none());
}
