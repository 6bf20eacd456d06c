use super::*;
use crate::HouseLaw;
use crate::Pace;
use crate::pit::SplitMix64;
use test_support::simulate::Scenario;

const STREAMS: u64 = 200;

/// Rounds of a game at this pace, give or take half a second.
fn timed(cents: impl IntoIterator<Item = u64>, pace: Pace, seed: u64) -> Vec<RecordedRound> {
    let mut random = SplitMix64::new(seed);
    let mut now = 1.8e9;
    let round = |cents| {
        now += pace.gap_of_cents(cents) + 0.5 * random.normal();
        RecordedRound { cents, unix_seconds: Some(now) }
    };
    cents.into_iter().map(round).collect()
}

fn untimed(cents: impl IntoIterator<Item = u64>) -> Vec<RecordedRound> {
    cents.into_iter().map(|cents| RecordedRound { cents, unix_seconds: None }).collect()
}

fn game(r: f64) -> Scenario {
    Scenario::Independent { r, theta: 1.0 }
}

/// The smallest number of `STREAMS` intervals that hold the truth if each does with a probability of 95 %:
/// three standard errors below the mean.
fn at_least() -> u64 {
    let (n, p) = (STREAMS as f64, 0.95);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 200"
    )]
    let least = (n * p - 3.0 * (n * p * (1.0 - p)).sqrt()) as u64;
    least
}

#[test]
fn the_intervals_hold_the_true_values_in_95_of_100_recordings() {
    for preset in PRESETS.iter().filter(|preset| preset.measured_pace.is_some()) {
        let pace = preset.measured_pace.unwrap();
        let (mut returns, mut atoms, mut pauses, mut slopes) = (0, 0, 0, 0);
        for seed in 0..STREAMS {
            let cents = game(preset.returns).rounds(2000, 7000 + seed);
            let found = fit(&timed(cents, pace, seed)).unwrap();
            returns += u64::from(found.returns.contains(preset.returns));
            atoms += u64::from(found.atom.contains(preset.law().atom()));
            let estimate = found.pace.unwrap();
            pauses += u64::from(estimate.pause.contains(pace.pause));
            slopes += u64::from(estimate.slope.contains(pace.slope));
        }
        let all = [returns, atoms, pauses, slopes];
        assert!(all.into_iter().all(|held| held >= at_least()), "{}: {all:?}", preset.name);
    }
}

#[test]
fn the_intervals_are_no_wider_than_they_must_be() {
    let pace = Pace { pause: 11.5, slope: 11.7 };
    let found = fit(&timed(game(0.97).rounds(20_000, 3), pace, 3)).unwrap();
    // Of the return: 1.01 times two standard errors of a share of 0.96. Of the pace: what medians of residuals of half a
    // second allow.
    let width = |it: Estimate| it.hi - it.lo;
    assert!(width(found.returns) < 0.0056, "{:?}", found.returns);
    let estimate = found.pace.unwrap();
    assert!(width(estimate.pause) < 0.08 && width(estimate.slope) < 0.05, "{estimate:?}");
}

#[test]
fn the_nearest_preset_is_the_game_that_was_played() {
    for preset in &PRESETS {
        let Some(pace) = preset.measured_pace else { continue };
        let cents = game(preset.returns).rounds(5000, 11);
        let found = fit(&timed(cents, pace, 5)).unwrap();
        assert_eq!(found.nearest.preset.name, preset.name);
        assert!(found.law_p > 1e-3, "{found:?}");
    }
    let found = fit(&untimed(game(0.96).rounds(20_000, 11))).unwrap();
    assert_eq!((found.nearest.preset.name, found.nearest.has_pause), ("roobet", None));
}

#[test]
fn a_game_like_no_preset_agrees_with_none() {
    let found = fit(&untimed(game(0.90).rounds(5000, 1))).unwrap();
    let nearest = found.nearest;
    assert_eq!(
        (nearest.preset.name, nearest.has_return, nearest.agrees()),
        ("roobet", false, false)
    );
}

#[test]
fn a_cap_is_found_and_leaves_the_return_as_it_is() {
    let capped = game(0.97).rounds(5000, 8).into_iter().map(|cents| cents.min(3500));
    let found = fit(&untimed(capped)).unwrap();
    assert_eq!(found.cap.map(|cap| cap.cents), Some(3500));
    assert!(found.returns.contains(0.97) && !found.nearest.has_cap, "{found:?}");
    assert_eq!(found.parameters().law().cap_cents(), 3500);
    assert!(found.law_p > 1e-3);
}

#[test]
fn rounds_that_end_at_once_beyond_the_curve_are_an_atom_of_their_own() {
    // 10 % of rounds at 1.00x, and r/x above: nothing between 1.01x and 1.07x.
    let law = HouseLaw::default().with_atom(0.1).unwrap();
    let mut random = SplitMix64::new(4);
    let cents = std::iter::repeat_with(|| {
        let tau = random.uniform();
        if tau < law.atom() { 100 } else { cents_of(law.untilted().quantile(tau)) }
    });
    let found = fit(&untimed(cents.take(20_000))).unwrap();
    assert!(found.has_own_atom && found.atom.contains(0.1), "{found:?}");
    assert!(found.returns.contains(0.97), "{found:?}");
    assert!((found.parameters().law().atom() - 0.1).abs() < 0.01);
}

#[test]
fn rounds_rounded_to_tenths_tell_the_same_return() {
    let coarse = game(0.97).rounds(20_000, 9).into_iter().map(|cents| cents / 10 * 10);
    let found = fit(&untimed(coarse)).unwrap();
    assert!(found.returns.contains(0.97) && !found.has_own_atom, "{found:?}");
}

#[test]
fn a_law_of_another_shape_fits_no_return() {
    let heavy = Scenario::Independent { r: 0.97, theta: 0.9 };
    assert!(fit(&untimed(heavy.rounds(10_000, 2))).unwrap().law_p < 1e-6);
}

#[test]
fn too_few_rounds_or_equal_ones_fit_nothing() {
    assert_eq!(fit(&untimed(game(0.97).rounds(199, 1))), Err(FitError::TooFewRounds(199)));
    for cents in [100, 200] {
        assert_eq!(fit(&untimed(vec![cents; 500])), Err(FitError::Constant));
    }
    assert!(fit(&untimed(game(0.97).rounds(200, 1))).is_ok());
}

#[test]
fn equal_gaps_have_a_pause_and_no_slope() {
    let equal = Pace { pause: 3.0, slope: 0.0 };
    let cents = game(0.97).rounds(500, 1);
    let mut now = 0.0;
    let rounds: Vec<RecordedRound> = cents
        .into_iter()
        .map(|cents| {
            now += equal.gap_of_cents(cents);
            RecordedRound { cents, unix_seconds: Some(now) }
        })
        .collect();
    let found = fit(&rounds).unwrap().pace.unwrap();
    assert!((found.pause.value - 3.0).abs() < 1e-6 && found.slope.value.abs() < 1e-6, "{found:?}");
}

#[test]
fn without_times_there_is_no_pace() {
    let found = fit(&untimed(game(0.97).rounds(1000, 1))).unwrap();
    assert_eq!((found.pace, found.gaps), (None, 0));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to the cap")]
fn cents_of(multiplier: f64) -> u64 {
    (100.0 * multiplier).round() as u64
}
