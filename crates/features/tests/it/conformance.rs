//! Properties of every feature of the table, without exceptions.

use std::collections::HashSet;
use std::f64::consts::{LN_2, LN_10};

use features::{CATALOG, COUNT, Extractor, FeatureRow, Window, WindowError, X_MAX, standardised};
use proptest::prelude::*;

use crate::streams::{any_exact_history, any_history, awkward, fair};

/// How a feature responds when a constant is added to every x, or every x is multiplied by one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Response {
    /// It changes in the same way.
    Equivariant,
    /// It does not change.
    Invariant,
    /// Neither, because it has a threshold or a floor.
    Other,
}

/// Returns the responses of a feature to a shift and to a scaling.
fn responses(name: &str) -> (Response, Response) {
    match name {
        "slope_20" | "roll_std_20" | "roll_mad_20" | "roll_iqr_20" | "roll_range_10" | "mom_3"
        | "mom_5" | "mom_10" => (Response::Invariant, Response::Equivariant),
        "pct_rank_50" => (Response::Invariant, Response::Invariant),
        "roll_cv_20" | "roc_5" | "streak_below_2" | "since_ge_10" | "share_ge2_10"
        | "share_ge2_20" => (Response::Other, Response::Other),
        _ => (Response::Equivariant, Response::Equivariant),
    }
}

/// Returns the value of a feature when all of `rounds` values are `c`.
fn on_constant(name: &str, c: f64, rounds: usize) -> f64 {
    let reaches_2 = c >= LN_2 - 1e-12;
    match name {
        "streak_below_2" if reaches_2 => 0.0,
        "streak_below_2" => rounds.min(20) as f64,
        "since_ge_10" if c >= LN_10 - 1e-12 => 0.0,
        "since_ge_10" => 50.0,
        "share_ge2_10" | "share_ge2_20" => f64::from(u8::from(reaches_2)),
        "pct_rank_50" => 0.5,
        _ if responses(name) == (Response::Equivariant, Response::Equivariant) => c,
        _ => 0.0,
    }
}

fn row(history: &[f64]) -> FeatureRow {
    Window::new(history).unwrap().row()
}

fn bits(row: FeatureRow) -> [u64; COUNT] {
    row.map(f64::to_bits)
}

#[track_caller]
fn check_close(name: &str, left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() <= tolerance, "{name}: {left} is not {right}");
}

#[test]
fn names_are_unique_and_groups_are_contiguous() {
    let names: HashSet<&str> = CATALOG.iter().map(|feature| feature.name).collect();
    assert_eq!(names.len(), COUNT);
    assert!(CATALOG.is_sorted_by_key(|feature| feature.group));
    let groups = CATALOG.map(|feature| feature.group.name());
    let sizes = ["trends", "volatility", "momentum", "patterns", "percentiles"]
        .map(|name| groups.iter().filter(|&&group| group == name).count());
    assert_eq!(sizes, [8, 5, 4, 4, 4]);
}

#[test]
fn every_scale_is_positive_and_every_centre_is_in_range() {
    for feature in CATALOG {
        assert!(feature.scale > 0.0 && feature.low < feature.high, "{}", feature.name);
        assert!((feature.low..=feature.high).contains(&feature.centre), "{}", feature.name);
    }
}

#[test]
fn every_feature_is_finite_on_awkward_windows() {
    for history in awkward() {
        for rounds in 1..=history.len() {
            let row = row(&history[..rounds]);
            assert!(row.iter().all(|value| value.is_finite()), "{row:?} of {history:?}");
            assert!(standardised(&row).iter().all(|value| value.abs() <= 4.0));
        }
    }
}

#[test]
fn a_constant_history_gives_the_expected_value_of_every_feature() {
    for c in [0.0, 0.1, 0.693, LN_2, 1.0, LN_10, 13.8] {
        for rounds in [1, 2, 3, 9, 10, 11, 19, 20, 21, 49, 50, 51, 300] {
            let row = row(&vec![c; rounds]);
            for (feature, value) in CATALOG.iter().zip(row) {
                let expected = on_constant(feature.name, c, rounds);
                check_close(feature.name, value, expected, 1e-13 * c.max(1.0));
            }
        }
    }
}

#[test]
fn streaming_rows_equal_the_definition_bit_for_bit() {
    let mut histories = awkward();
    histories.push(fair(3, 2_000));
    for history in histories {
        let mut extractor = Extractor::new();
        for (i, &x) in history.iter().enumerate() {
            let streamed = extractor.push(x).unwrap();
            assert_eq!(bits(streamed), bits(row(&history[..=i])), "after {i}");
        }
        assert_eq!(extractor.rounds(), history.len());
    }
}

#[test]
fn rounds_added_without_features_give_the_same_row_bit_for_bit() {
    let mut histories = awkward();
    histories.push(fair(5, 2_000));
    for history in histories {
        let mut extractor = Extractor::new();
        assert_eq!(extractor.row(), None);
        for &x in &history {
            extractor.advance(x).unwrap();
        }
        assert_eq!(extractor.row().map(bits), Some(bits(row(&history))));
    }
}

#[test]
fn a_clone_of_an_extractor_is_independent() {
    let history = fair(4, 900);
    let mut extractor = Extractor::new();
    for &x in &history[..850] {
        extractor.push(x).unwrap();
    }
    let mut clone = extractor.clone();
    extractor.push(X_MAX).unwrap();
    for i in 850..900 {
        assert_eq!(bits(clone.push(history[i]).unwrap()), bits(row(&history[..=i])));
    }
}

#[test]
fn an_invalid_value_is_reported_and_changes_nothing() {
    assert_eq!(Window::new(&[]).unwrap_err(), WindowError::Empty);
    let mut extractor = Extractor::new();
    extractor.push(0.5).unwrap();
    for bad in [f64::NAN, f64::INFINITY, -0.01, X_MAX * 1.01] {
        for error in [extractor.push(bad).unwrap_err(), Window::new(&[0.5, bad]).unwrap_err()] {
            let WindowError::OutOfRange { index, value } = error else { panic!("{error}") };
            assert_eq!((index, value.to_bits()), (1, bad.to_bits()));
        }
    }
    assert_eq!(bits(extractor.push(0.25).unwrap()), bits(row(&[0.5, 0.25])));
}

#[test]
fn every_finite_multiplier_has_a_row() {
    assert!(f64::MAX.ln() <= X_MAX);
    assert!(row(&[f64::MAX.ln()]).iter().all(|value| value.is_finite()));
}

/// `ln 2` and `ln 10` reach the thresholds, and one cent less does not.
#[test]
fn thresholds_decide_as_whole_cents_would() {
    let value = |name: &str, multiplier: f64| {
        let place = CATALOG.iter().position(|feature| feature.name == name).unwrap();
        row(&[multiplier.ln()])[place]
    };
    assert_eq!((value("streak_below_2", 1.99), value("streak_below_2", 2.0)), (1.0, 0.0));
    assert_eq!((value("share_ge2_10", 1.99), value("share_ge2_10", 2.0)), (0.0, 1.0));
    assert_eq!((value("since_ge_10", 9.99), value("since_ge_10", 10.0)), (50.0, 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_feature_lies_in_its_range(history in any_history()) {
        let row = row(&history);
        for (feature, value) in CATALOG.iter().zip(row) {
            prop_assert!(
                (feature.low - 1e-9..=feature.high + 1e-9).contains(&value),
                "{}: {value}", feature.name
            );
        }
    }

    #[test]
    fn streaming_equals_the_definition(history in any_history()) {
        let mut extractor = Extractor::new();
        let mut last = [0.0; COUNT];
        for &x in &history {
            last = extractor.push(x).unwrap();
        }
        prop_assert_eq!(bits(last), bits(row(&history)));
    }

    #[test]
    fn a_shift_moves_equivariant_features_and_leaves_invariant_ones(
        history in any_exact_history(),
        shift in (1_u32..=256).prop_map(|step| f64::from(step) / 64.0),
    ) {
        let shifted: Vec<f64> = history.iter().map(|x| x + shift).collect();
        let (before, after) = (row(&history), row(&shifted));
        for (i, feature) in CATALOG.iter().enumerate() {
            match responses(feature.name).0 {
                Response::Equivariant => check_close(feature.name, after[i], before[i] + shift, 1e-12),
                Response::Invariant => check_close(feature.name, after[i], before[i], 1e-12),
                Response::Other => {}
            }
        }
    }

    #[test]
    fn a_factor_scales_equivariant_features_and_leaves_invariant_ones(
        history in any_exact_history(),
        factor in (1_u32..=32).prop_map(f64::from),
    ) {
        let scaled: Vec<f64> = history.iter().map(|x| x * factor).collect();
        let (before, after) = (row(&history), row(&scaled));
        for (i, feature) in CATALOG.iter().enumerate() {
            let tolerance = 1e-12 * factor;
            match responses(feature.name).1 {
                Response::Equivariant => check_close(feature.name, after[i], before[i] * factor, tolerance),
                Response::Invariant => check_close(feature.name, after[i], before[i], tolerance),
                Response::Other => {}
            }
        }
    }

    #[test]
    fn a_later_round_changes_no_earlier_row(history in any_history(), other in 0.0..13.0) {
        let mut changed = history.clone();
        *changed.last_mut().unwrap() = other;
        let (mut one, mut two) = (Extractor::new(), Extractor::new());
        for i in 0..history.len() - 1 {
            let rows = (one.push(history[i]).unwrap(), two.push(changed[i]).unwrap());
            prop_assert_eq!(bits(rows.0), bits(rows.1));
        }
    }

    /// Only the moving average depends on rounds older than the last 50.
    #[test]
    fn all_features_but_the_moving_average_ignore_rounds_before_the_last_fifty(
        old in any_history(),
        recent in prop::collection::vec(0.0..8.0, 50),
    ) {
        let long: Vec<f64> = old.iter().chain(&recent).copied().collect();
        let (long, short) = (row(&long), row(&recent));
        for (i, feature) in CATALOG.iter().enumerate() {
            if feature.name != "ewm_mean_10" {
                prop_assert_eq!(long[i].to_bits(), short[i].to_bits(), "{}", feature.name);
            }
        }
    }
}
