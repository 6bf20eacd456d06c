//! Every state can be serialised and restored, and then continues bit for bit.

use evaluation::baselines::Baselines;
use evaluation::intervals::PitInterval;
use evaluation::kappa::Kappa;
use evaluation::reliability::ReliabilityTable;
use evaluation::returns::TargetCounts;
use evaluation::score_sheet::{ForecastRecord, ScoreSheet};
use evaluation::scores::mean_brier;
use evaluation::sequential::{Evidence, ObservedRound};
use evaluation::skill::SkillTrack;
use evaluation::{HouseLaw, TiltedLaw, ln_multiplier};
use serde::{Serialize, de::DeserializeOwned};
use test_support::simulate::{Scenario, SimpleModel, day_phase};

fn to_json<T: Serialize>(state: &T) -> String {
    serde_json::to_string(state).unwrap()
}

/// Runs a state over a stream, restores copies of it from JSON at several rounds, and compares each
/// copy with the original at the end.
#[track_caller]
fn check<T: Serialize + DeserializeOwned>(mut state: T, step: impl Fn(&mut T, u64, u64)) {
    let mut copies: Vec<T> = Vec::new();
    let rounds = Scenario::Autoregressive(0.2).stream(41).take(1500);
    for (t, cents) in (0u64..).zip(rounds) {
        if [0, 1, 9, 60, 700, 1400].contains(&t) {
            copies.push(serde_json::from_str(&to_json(&state)).unwrap());
        }
        step(&mut state, t, cents);
        for copy in &mut copies {
            step(copy, t, cents);
        }
    }
    assert_eq!(copies.len(), 6);
    for copy in &copies {
        assert_eq!(to_json(copy), to_json(&state));
    }
}

#[test]
fn the_evidence_continues_after_a_restore() {
    check(Evidence::new(HouseLaw::default(), 5), |tests, t, cents| {
        let served = TiltedLaw::new(1.0 + 0.1 * (t as f64).sin()).probabilities();
        tests.update(&ObservedRound::at(cents, day_phase(t)), Some(&served));
    });
}

#[test]
fn baselines_continue_after_a_restore() {
    check(Baselines::new(&HouseLaw::default()), |baselines, _, cents| baselines.update(cents));
}

#[test]
fn score_sheets_and_tables_continue_after_a_restore() {
    check(ScoreSheet::new("served", &HouseLaw::default()), |sheet, t, cents| {
        let s = 1.0 + 0.1 * (t as f64).cos();
        let interval80 = Some(PitInterval::new(0.2).interval(&TiltedLaw::new(s)));
        sheet.record(&ForecastRecord { interval80, ..ForecastRecord::law(1.94, s) }, cents);
    });
    check(ReliabilityTable::new(), |table, t, cents| {
        table.update(&TiltedLaw::new(1.0 + 0.3 * (t as f64).cos()).probabilities(), cents);
    });
}

#[test]
fn kappa_intervals_skill_and_the_return_continue_after_a_restore() {
    check(Kappa::new(), |kappa, t, cents| {
        kappa.settle(&HouseLaw::default(), 1.0 + 0.1 * (t as f64).sin(), ln_multiplier(cents));
    });
    check(PitInterval::new(0.2), |interval, _, cents| {
        interval.update(TiltedLaw::new(1.1).pit(cents, 0.5));
    });
    check(SkillTrack::new(), |track, t, cents| {
        let ours = TiltedLaw::new(1.0 + 0.2 * (t as f64).sin()).probabilities();
        let house = TiltedLaw::new(1.0).probabilities();
        track.update(mean_brier(&ours, cents), mean_brier(&house, cents));
    });
    check(TargetCounts::new(), |count, _, cents| count.update(cents));
    check(SimpleModel::new(3), |model, _, cents| {
        model.update(cents);
    });
}
