use super::*;
use crate::game::{PRESETS, Preset};
use crate::ln_multiplier;
use crate::pit::SplitMix64;
use test_support::simulate::Scenario;

/// A sound recording: `pause + slope ln M` seconds between rounds, give or take half a second.
fn recording(scenario: Scenario, rounds: usize, seed: u64) -> Vec<RecordedRound> {
    let mut random = SplitMix64::new(seed);
    let (pause, slope) = (8.0 + 8.0 * random.uniform(), 6.0 + 12.0 * random.uniform());
    let mut now = 1.8e9;
    let timed = scenario.rounds(rounds, seed).into_iter().map(|cents| {
        now += pause + slope * ln_multiplier(cents) + 0.5 * random.normal();
        RecordedRound { cents, unix_seconds: Some(now) }
    });
    timed.collect()
}

fn judged(rounds: &[RecordedRound]) -> Quality {
    let mut quality = Quality::new();
    for round in rounds {
        quality.push(round);
    }
    quality
}

fn kinds(quality: &Quality) -> Vec<String> {
    let kind =
        |fault: &Fault| serde_json::to_value(fault).unwrap()["kind"].as_str().unwrap().to_owned();
    quality.faults().iter().map(kind).collect()
}

#[track_caller]
fn check(rounds: &[RecordedRound], state: State, faults: &[&str]) {
    let quality = judged(rounds);
    assert_eq!((quality.state(), kinds(&quality)), (state, strings(faults)), "{quality:?}");
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The first power of two at which the faults include this one.
fn found_at(rounds: &[RecordedRound], fault: &str) -> Option<u64> {
    let mut quality = Quality::new();
    rounds.iter().find_map(|round| {
        quality.push(round);
        kinds(&quality).iter().any(|kind| kind == fault).then(|| quality.judged_at())
    })
}

/// A sound recording of a game: its return and measured pace, half a second of jitter, and a clock that may
/// show whole seconds only.
fn played(preset: &Preset, rounds: usize, seed: u64, in_whole_seconds: bool) -> Vec<RecordedRound> {
    let mut random = SplitMix64::new(seed);
    let pace = preset.measured_pace.unwrap();
    let mut now = 1.8e9;
    let game = Scenario::Independent { r: preset.returns, theta: 1.0 };
    let timed = game.rounds(rounds, seed).into_iter().map(|cents| {
        now += pace.gap_of_cents(cents) + 0.5 * random.normal();
        let shown = if in_whole_seconds { f64::floor(now) } else { now };
        RecordedRound { cents, unix_seconds: Some(shown) }
    });
    timed.collect()
}

/// The faults of 400 recordings that were named at any judgement, the last one included.
fn ever_named(recordings: impl Fn(u64) -> Vec<RecordedRound>) -> Vec<(u64, Fault)> {
    let mut named = Vec::new();
    for seed in 0..400 {
        let rounds = recordings(seed);
        let mut quality = Quality::new();
        let mut ever = Vec::new();
        for round in &rounds {
            quality.push(round);
            ever.extend_from_slice(quality.faults());
        }
        ever.extend_from_slice(Quality::of_recording(rounds, None).faults());
        named.extend(ever.first().map(|fault| (seed, *fault)));
    }
    named
}

#[test]
fn sound_recordings_are_sound() {
    let unsound = ever_named(|seed| recording(Scenario::Fair, 5000, 50_000 + seed));
    assert!(unsound.len() <= 4, "{unsound:?}");
}

#[test]
fn sound_recordings_of_every_measured_game_are_sound() {
    let measured: Vec<&Preset> =
        PRESETS.iter().filter(|preset| preset.measured_pace.is_some()).collect();
    let unsound = ever_named(|seed| {
        let preset = measured.iter().cycle().nth(usize::try_from(seed).unwrap()).unwrap();
        played(preset, 5000, 70_000 + seed, seed.is_multiple_of(2))
    });
    assert!(unsound.len() <= 4, "{unsound:?}");
}

/// The pace of Aviator called 951 gaps of such a recording too long.
#[test]
fn only_the_gaps_of_missed_rounds_are_too_long_in_a_game_of_another_pace() {
    let stake = Preset::named("stake").unwrap();
    let mut rounds = played(stake, 8192, 5, true);
    let mut number = 0;
    rounds.retain(|_| {
        number += 1;
        number % 100 != 50
    });
    let quality = judged(&rounds);
    let [Fault::GapsTooLong { count, of }] = quality.faults() else { panic!("{quality:?}") };
    assert!((38..=42).contains(count) && *of == 4095, "{count} of {of}");
    let Pace { pause, slope } = quality.pace().unwrap();
    assert!((pause - 11.8).abs() < 0.2 && (slope - 16.6).abs() < 0.2, "{pause} + {slope} ln M");
}

#[test]
fn a_known_pace_judges_from_the_first_judgement_on() {
    let stake = Preset::named("stake").unwrap();
    let rounds = played(stake, 150, 6, false);
    let with = |pace| Quality::of_recording(rounds.iter().copied(), pace);
    assert_eq!(with(None).pace(), None);
    assert_eq!(with(stake.measured_pace).faults(), []);
    let other = with(Some(Pace { pause: 25.0, slope: 16.6 }));
    assert!(kinds(&other).contains(&"gaps_too_short".to_owned()), "{other:?}");
}

#[test]
fn one_round_in_a_hundred_missed_or_recorded_early_is_named_within_1024_rounds() {
    let aviator = Preset::named("aviator").unwrap();
    for seed in 0..20 {
        let rounds = played(aviator, 2048, 300 + seed, true);
        let missed: Vec<RecordedRound> =
            rounds.iter().enumerate().filter(|(i, _)| i % 100 != 50).map(|it| *it.1).collect();
        let at = found_at(&missed, "gaps_too_long");
        assert!(at.is_some_and(|at| at <= 1024), "{at:?}");
        // A recorder that waits for the next round now and then: its time is both late and early.
        let mut batched = rounds.clone();
        for at in (50..batched.len() - 1).step_by(100) {
            batched[at].unix_seconds = batched[at + 1].unix_seconds;
        }
        let at = found_at(&batched, "gaps_too_short");
        assert!(at.is_some_and(|at| at <= 1024), "{at:?}");
    }
}

/// Expected under r = .97, its equal neighbours would be too few with p = 3e-7.
#[test]
fn equal_neighbours_are_those_of_the_recording_s_own_law() {
    let generous = Scenario::Independent { r: 1.0, theta: 1.0 };
    let rounds = recording(generous, 32_768, 12);
    let repeats = judged(&rounds).equal_neighbours();
    assert!((repeats.expected - 32_768.0 * (0.01f64.powi(2) + 0.0033)).abs() < 12.0, "{repeats:?}");
    assert!(repeats.p > 1e-3, "{repeats:?}");
}

#[test]
fn repeats_are_judged_on_both_sides() {
    let rounds = recording(Scenario::Fair, 16_384, 13);
    // All but one of about 75 pairs dropped.
    let mut kept = 0;
    let mut few: Vec<RecordedRound> = Vec::new();
    for round in &rounds {
        let repeats = few.last().is_some_and(|last| last.cents == round.cents);
        kept += u32::from(repeats);
        if !repeats || kept == 1 {
            few.push(*round);
        }
    }
    let quality = Quality::of_recording(few, None);
    assert_eq!(quality.equal_neighbours().seen, 1);
    assert!(kinds(&quality).contains(&"repeats_dropped".to_owned()), "{quality:?}");
    let many = rounds.iter().flat_map(|round| [*round, *round]);
    let quality = Quality::of_recording(many, None);
    assert!(kinds(&quality).contains(&"repeats_doubled".to_owned()), "{quality:?}");
    assert!(quality.equal_neighbours().p < 1e-20);
}

#[test]
fn a_game_that_is_not_fair_is_no_fault_of_the_recording() {
    for (name, scenario) in Scenario::ALL {
        for seed in 0..10 {
            let quality = judged(&recording(scenario, 8192, 900 + seed));
            assert_eq!(quality.faults(), [], "{name}");
        }
    }
}

#[test]
fn dropped_repeats_are_found_within_4096_rounds() {
    for seed in 0..20 {
        let mut rounds = recording(Scenario::Fair, 5000, seed);
        rounds.dedup_by_key(|round| round.cents);
        let at = found_at(&rounds, "repeats_dropped");
        assert!(at.is_some_and(|at| at <= 4096), "{at:?}");
    }
}

#[test]
fn doubled_rounds_are_found_within_512_rounds() {
    for seed in 0..20 {
        let mut random = SplitMix64::new(seed);
        let rounds = recording(Scenario::Fair, 5000, 100 + seed);
        let twice = rounds.into_iter().flat_map(|round| {
            let copies = if random.uniform() < 0.05 { 2 } else { 1 };
            std::iter::repeat_n(round, copies)
        });
        let twice: Vec<RecordedRound> = twice.collect();
        let at = found_at(&twice, "repeats_doubled");
        assert!(at.is_some_and(|at| at <= 512), "{at:?}");
        check(&twice, State::Suspect, &["repeats_doubled", "gaps_too_short"]);
    }
}

#[test]
fn missed_rounds_leave_gaps_that_are_too_long() {
    for seed in 0..20 {
        let mut random = SplitMix64::new(seed);
        let mut rounds = recording(Scenario::Fair, 5000, 200 + seed);
        rounds.retain(|_| random.uniform() > 0.05);
        check(&rounds, State::Incomplete, &["gaps_too_long"]);
        assert!(found_at(&rounds, "gaps_too_long").is_some_and(|at| at <= 256));
    }
}

#[test]
fn times_in_whole_minutes_or_out_of_order_are_named() {
    let rounds = recording(Scenario::Fair, 1100, 3);
    let minute = |round: &RecordedRound| {
        let unix_seconds = round.unix_seconds.map(|time| 60.0 * (time / 60.0).floor());
        RecordedRound { unix_seconds, ..*round }
    };
    let minutes: Vec<RecordedRound> = rounds.iter().map(minute).collect();
    check(&minutes, State::Suspect, &["times_to_the_minute"]);
    assert_eq!(found_at(&minutes, "times_to_the_minute"), Some(64));
    let mut swapped = rounds.clone();
    for at in [100, 200, 300, 400] {
        let (a, b) = (swapped[at].unix_seconds, swapped[at + 1].unix_seconds);
        (swapped[at].unix_seconds, swapped[at + 1].unix_seconds) = (b, a);
    }
    assert!(found_at(&swapped, "out_of_order").is_some());
}

#[test]
fn values_on_a_coarse_grid_and_whole_numbers_are_named() {
    let rounds = recording(Scenario::Fair, 300, 4);
    for (step, fault) in [(100, "integers_only"), (50, "coarse_grid"), (10, "coarse_grid")] {
        let coarse: Vec<RecordedRound> = rounds
            .iter()
            .map(|round| RecordedRound { cents: round.cents / step * step, ..*round })
            .collect();
        assert!(found_at(&coarse, fault).is_some_and(|at| at <= 128), "{step}");
        assert_eq!(judged(&coarse).state(), State::Suspect);
    }
}

#[test]
fn a_cap_is_named() {
    for (cap, at_most) in [(2000, 256), (3500, 512), (10_000, 1024)] {
        let capped: Vec<RecordedRound> = recording(Scenario::Fair, 3000, 6)
            .iter()
            .map(|round| RecordedRound { cents: round.cents.min(cap), ..*round })
            .collect();
        assert!(found_at(&capped, "capped").is_some_and(|at| at <= at_most), "{cap}");
        assert_eq!(judged(&capped).state(), State::Incomplete);
    }
}

#[test]
fn pause_and_slope_are_fitted_in_spite_of_missed_rounds() {
    let mut random = SplitMix64::new(8);
    let mut now = 0.0;
    let mut rounds: Vec<RecordedRound> = Vec::new();
    for cents in Scenario::Fair.rounds(3000, 8) {
        now += 11.6 + 7.7 * ln_multiplier(cents) + 0.3 * random.normal();
        if random.uniform() > 0.1 {
            rounds.push(RecordedRound { cents, unix_seconds: Some(now) });
        }
    }
    let Pace { pause, slope } = judged(&rounds).pace().unwrap();
    assert!((pause - 11.6).abs() < 0.3 && (slope - 7.7).abs() < 0.3, "{pause} + {slope} ln M");
}

#[test]
fn without_clocks_only_the_values_are_judged() {
    let rounds: Vec<RecordedRound> = recording(Scenario::Fair, 600, 9)
        .iter()
        .map(|round| RecordedRound { unix_seconds: None, ..*round })
        .collect();
    let quality = judged(&rounds);
    assert_eq!((quality.state(), quality.pace()), (State::Sound, None));
    assert_eq!(quality.judged_at(), 512);
}
