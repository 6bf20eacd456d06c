//! Defects of a recording: missed rounds, dropped repeats, rows out of order. Judged as in
//! [`quality`](crate::quality), and listed one by one.

use serde::Serialize;

use super::AuditOptions;
use crate::Pace;
use crate::quality::{Fault, GapFit, Quality, RecordedRound, State, gaps};

/// Number of gaps listed individually.
const LISTED: usize = 20;

/// A gap long enough to contain missed rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The number of the round after the gap, counted from 1.
    pub before_round: usize,
    /// Excess over the expected length, in seconds.
    pub excess_seconds: f64,
    /// Estimated number of missed rounds.
    pub rounds_missing: f64,
}

/// Where the pace by which gaps are judged comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PaceSource {
    /// Fitted to the recording.
    Fitted,
    /// The parameters of the game.
    Game,
    /// There is none: too few gaps.
    Unknown,
}

/// Signs of defects in the recording rather than in the game.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// How far it can be relied on.
    pub state: State,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// Gaps between two timed rounds.
    pub gaps_seen: usize,
    /// The usual gap, by which they are judged.
    pub pace: Option<Pace>,
    /// Where it comes from.
    pub pace_source: PaceSource,
    /// Excess, in seconds, from which a gap is too long or too short.
    pub gap_tolerance_seconds: Option<f64>,
    /// Gaps longer than the round after them explains.
    pub gaps_too_long: usize,
    /// Estimated number of rounds missed in those gaps.
    pub rounds_missing: f64,
    /// The gaps with the largest excess, at most 20.
    pub longest_gaps: Vec<Gap>,
    /// Gaps shorter than the round after them allows: rows out of order, batched or duplicated.
    pub gaps_too_short: usize,
    /// Pairs of consecutive rounds with the same multiplier.
    pub equal_neighbours: u64,
    /// Number of such pairs expected of the same rounds in random order.
    pub equal_neighbours_expected: f64,
    /// The two-sided p-value of their number. A recorder that drops repeats records none.
    pub equal_neighbours_p: f64,
}

impl Recording {
    /// Judges rounds, given in the order in which they were played.
    pub fn of(rounds: &[RecordedRound], options: &AuditOptions) -> Self {
        let quality = Quality::of_recording(rounds.iter().copied(), options.pace);
        let gaps: Vec<(usize, (f64, f64))> = gaps(rounds).collect();
        let lengths: Vec<(f64, f64)> = gaps.iter().map(|&(_, length)| length).collect();
        let fit = match options.pace {
            Some(pace) => Some(GapFit::with_pace(pace, &lengths)),
            None => GapFit::of(lengths),
        };
        let too_long = fit.map(|fit| too_long(&gaps, &fit, options)).unwrap_or_default();
        let is_short = |fit: &GapFit| {
            let excess = gaps.iter().map(|&(_, (ln_m, seconds))| fit.excess(ln_m, seconds));
            excess.filter(|&excess| excess < -fit.tolerance()).count()
        };
        let repeats = quality.equal_neighbours();
        Self {
            state: quality.state(),
            faults: quality.faults().to_vec(),
            gaps_seen: gaps.len(),
            pace: fit.map(|fit| fit.pace),
            pace_source: match (fit, options.pace) {
                (None, _) => PaceSource::Unknown,
                (_, Some(_)) => PaceSource::Game,
                (_, None) => PaceSource::Fitted,
            },
            gap_tolerance_seconds: fit.map(|fit| fit.tolerance()),
            gaps_too_long: too_long.len(),
            rounds_missing: too_long.iter().map(|gap| gap.rounds_missing).sum(),
            gaps_too_short: fit.as_ref().map_or(0, is_short),
            longest_gaps: too_long.into_iter().take(LISTED).collect(),
            equal_neighbours: repeats.seen,
            equal_neighbours_expected: repeats.expected,
            equal_neighbours_p: repeats.p,
        }
    }

    /// Leaves out faults that say nothing of these rounds.
    pub fn keep_faults(&mut self, counts: impl Fn(&Fault) -> bool) {
        self.faults.retain(counts);
        self.state = State::of(&self.faults);
    }
}

/// Returns the gaps that are too long, the longest excess first.
fn too_long(gaps: &[(usize, (f64, f64))], fit: &GapFit, options: &AuditOptions) -> Vec<Gap> {
    let usual = fit.pace.gap(options.house.mean_ln()).max(1.0);
    let gap = |&(index, (ln_m, seconds)): &(usize, (f64, f64))| {
        let excess_seconds = fit.excess(ln_m, seconds);
        let rounds_missing = (excess_seconds / usual).round().max(1.0);
        Gap { before_round: index + 1, excess_seconds, rounds_missing }
    };
    let mut too_long: Vec<Gap> =
        gaps.iter().map(gap).filter(|gap| gap.excess_seconds > fit.tolerance()).collect();
    too_long.sort_by(|a, b| b.excess_seconds.total_cmp(&a.excess_seconds));
    too_long
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::PRESETS;
    use test_support::simulate::Scenario;

    /// Rounds at this pace, without every `skip`-th.
    fn rounds(pace: Pace, skip: usize) -> Vec<RecordedRound> {
        let mut now = 1e9;
        let stream = Scenario::Fair.stream(31).take(3000).enumerate();
        let timed = stream.map(|(i, cents)| {
            now += pace.gap_of_cents(cents);
            (i, RecordedRound { cents, unix_seconds: Some(now) })
        });
        timed.filter(|(i, _)| i % skip != 1).map(|(_, round)| round).collect()
    }

    fn of(rounds: &[RecordedRound]) -> Recording {
        Recording::of(rounds, &AuditOptions::default())
    }

    #[test]
    fn missed_rounds_show_as_gaps_that_are_too_long_at_any_pace() {
        for pace in PRESETS.iter().filter_map(|preset| preset.measured_pace) {
            let whole = of(&rounds(pace, 10_000));
            assert_eq!((whole.gaps_too_long, whole.gaps_too_short), (1, 0));
            let partial = of(&rounds(pace, 100));
            assert_eq!((partial.gaps_too_long, partial.pace_source), (30, PaceSource::Fitted));
            assert!((partial.rounds_missing - 30.0).abs() < 25.0, "{}", partial.rounds_missing);
        }
    }

    #[test]
    fn a_known_pace_judges_in_place_of_the_fitted_one() {
        let pace = Pace { pause: 11.8, slope: 16.6 };
        let rounds = rounds(pace, 10_000);
        let judged_by = |pace| {
            let options = AuditOptions { pace: Some(pace), ..AuditOptions::default() };
            Recording::of(&rounds, &options)
        };
        let right = judged_by(pace);
        assert_eq!((right.gaps_too_long, right.pace_source), (1, PaceSource::Game));
        let wrong = judged_by(Pace { pause: 1.0, slope: 0.0 });
        assert!(wrong.pace == Some(Pace { pause: 1.0, slope: 0.0 }));
    }

    #[test]
    fn a_few_gaps_are_judged_by_a_known_pace_only() {
        let pace = Pace { pause: 11.8, slope: 16.6 };
        let rounds = &rounds(pace, 10_000)[..150];
        let seen = of(rounds);
        assert_eq!((seen.gaps_seen, seen.pace, seen.gaps_too_long), (149, None, 0));
        let options = AuditOptions { pace: Some(pace), ..AuditOptions::default() };
        assert_eq!(Recording::of(rounds, &options).gaps_too_long, 1);
    }

    #[test]
    fn dropped_repeats_are_detected() {
        let mut rounds = rounds(Pace { pause: 11.5, slope: 11.7 }, 10_000);
        let whole = of(&rounds);
        assert!(whole.equal_neighbours_p > 0.01);
        assert_eq!(whole.state, State::Sound);
        rounds.dedup_by_key(|round| round.cents);
        let recording = of(&rounds);
        assert_eq!(recording.equal_neighbours, 0);
        assert!(recording.equal_neighbours_p < 1e-4);
        assert_eq!(recording.state, State::Suspect);
    }

    #[test]
    fn equal_neighbours_are_expected_by_the_law_of_the_recording_itself() {
        for r in [0.90, 0.97, 0.99] {
            let scenario = Scenario::Independent { r, theta: 1.0 };
            let rounds: Vec<RecordedRound> = scenario
                .stream(9)
                .take(20_000)
                .map(|cents| RecordedRound { cents, unix_seconds: None })
                .collect();
            let seen = of(&rounds);
            let atom = 1.0 - r / 1.01;
            // Equal neighbours above 1.00x: the sum of the squared masses r/k^2, about r^2/300.
            let expected = 20_000.0 * (atom * atom + r * r / 303.0);
            let expects = seen.equal_neighbours_expected;
            assert!((expects / expected - 1.0).abs() < 0.06, "{r}: {expects}, {expected}");
            assert!(seen.equal_neighbours_p > 1e-3, "{r}");
        }
    }

    #[test]
    fn without_a_clock_there_are_no_gaps() {
        let rounds: Vec<RecordedRound> = rounds(Pace { pause: 11.5, slope: 11.7 }, 10_000)
            .iter()
            .map(|r| RecordedRound { unix_seconds: None, ..*r })
            .collect();
        assert_eq!(of(&rounds).gaps_seen, 0);
    }
}
