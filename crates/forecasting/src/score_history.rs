//! How skill, coverage and evidence developed, in a bounded number of points.
//!
//! A point is recorded after every `step`-th round. When there are [`POINTS_MAX`] points, every
//! second one is dropped and the step doubles. So the points are always equally spaced, and the
//! rounds alone determine which points there are.

use serde::{Deserialize, Serialize};

use crate::scorecard::Scorecard;

/// Number of points at which the history is thinned.
pub const POINTS_MAX: usize = 1024;

/// The points so far.
///
/// Invariant: point i describes the state after round `(i + 1) * step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreHistory {
    step: u64,
    points: Vec<Point>,
}

/// The state after a round. Skill is `None` where the scorecard has none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Point {
    skill: Option<f64>,
    /// Asymptotic bounds of the skill, for display.
    shown: Option<(f64, f64)>,
    /// Anytime-valid bounds of the skill, for claims.
    claimed: Option<(f64, f64)>,
    coverage: Option<f64>,
    /// ln E of the order, law and forecast tests.
    ln_e: [f64; 3],
}

/// The points as columns of equal length, oldest first. Missing values are `null`: JSON has no NaN.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Columns {
    /// The round of each point, counted from 1.
    pub rounds: Vec<u64>,
    /// Brier skill of the served forecasts against the house, in percent.
    pub skill: SkillColumns,
    /// Share of all rounds scored so far that were inside the 80 % interval.
    pub coverage: Vec<Option<f64>>,
    /// ln E of the three tests after that round.
    pub evidence: EvidenceColumns,
}

/// Skill with its bounds, as in the scorecard.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SkillColumns {
    /// The skill, from 100 scored rounds on.
    pub value: Vec<Option<f64>>,
    /// Lower bound for display (asymptotic, 95 %).
    pub lo: Vec<Option<f64>>,
    /// Upper bound for display.
    pub hi: Vec<Option<f64>>,
    /// Lower bound for claims (anytime-valid, 95 %).
    pub claimed_lo: Vec<Option<f64>>,
    /// Upper bound for claims.
    pub claimed_hi: Vec<Option<f64>>,
}

/// ln E of the three sequential tests, by null hypothesis.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EvidenceColumns {
    /// "Shuffling the order of the rounds would change nothing."
    pub order: Vec<f64>,
    /// "The rounds follow the house law."
    pub law: Vec<f64>,
    /// "The forecasts know no more than the house law."
    pub forecast: Vec<f64>,
}

impl Default for ScoreHistory {
    fn default() -> Self {
        Self { step: 1, points: Vec::new() }
    }
}

impl ScoreHistory {
    /// Returns whether a point is to be recorded after `rounds` rounds.
    pub fn is_due(&self, rounds: u64) -> bool {
        rounds == self.next()
    }

    /// Records the state after the round that is due.
    pub fn note(&mut self, scorecard: &Scorecard) {
        let evidence = scorecard.evidence();
        let shown = scorecard.skill_percent();
        let claimed = scorecard.claimed_skill_percent();
        self.points.push(Point {
            skill: shown.map(|it| it.value),
            shown: shown.map(|it| (it.lo, it.hi)),
            claimed: claimed.map(|it| (it.lo, it.hi)),
            coverage: scorecard.coverage(),
            ln_e: evidence.ln_e(),
        });
        if self.points.len() == POINTS_MAX {
            let mut number = 0;
            self.points.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.step *= 2;
        }
    }

    /// Returns the number of rounds between two points.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Returns the number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns at most `points_max` points, equally spaced, including the newest.
    pub fn columns(&self, points_max: usize) -> Columns {
        let stride = self.points.len().div_ceil(points_max.max(1)).max(1);
        let first = self.points.len().saturating_sub(1) % stride;
        let mut columns = Columns::default();
        for (index, point) in self.points.iter().enumerate().skip(first).step_by(stride) {
            columns.rounds.push((index as u64 + 1) * self.step);
            let skill = &mut columns.skill;
            skill.value.push(point.skill);
            skill.lo.push(point.shown.map(|(lo, _)| lo));
            skill.hi.push(point.shown.map(|(_, hi)| hi));
            skill.claimed_lo.push(point.claimed.map(|(lo, _)| lo));
            skill.claimed_hi.push(point.claimed.map(|(_, hi)| hi));
            columns.coverage.push(point.coverage);
            let [order, law, forecast] = point.ln_e;
            columns.evidence.order.push(order);
            columns.evidence.law.push(law);
            columns.evidence.forecast.push(forecast);
        }
        columns
    }

    fn next(&self) -> u64 {
        (self.points.len() as u64 + 1) * self.step
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use evaluation::HouseLaw;
    use evaluation::baselines::Climatology;
    use rounds::{Multiplier, Round};
    use test_support::simulate::Scenario;

    use super::*;
    use crate::calibration::Calibration;
    use crate::forecast::{Basis, Forecast, Means};
    use crate::history::HistoryHash;

    fn forecast(round: u64) -> Forecast {
        let means = Means { members: [0.9; 3], mean: 0.9 + 0.01 * (round % 7) as f64 };
        let calibration = Calibration::default();
        let candidate = calibration.candidate(&means);
        let served = calibration.serve(Basis::Models, &candidate, &Climatology::new());
        let time = DateTime::UNIX_EPOCH;
        Forecast {
            round,
            issued_at: time,
            after: time,
            last_actual: 2.0,
            model_version: 1,
            trained_on: 30,
            means,
            history: HistoryHash::UNKNOWN,
            model_history: HistoryHash::UNKNOWN,
            house: candidate.house,
            kappa: candidate.kappa,
            scale: candidate.scale,
            basis: Basis::Models,
            observed_median: None,
            probabilities: served.probabilities,
            interval80: served.interval80,
            interval90: served.interval90,
            late: false,
        }
    }

    /// Returns the score history of `rounds` rounds, and the state of the scorecard after each round.
    fn score_history(rounds: u64) -> (ScoreHistory, Vec<Point>) {
        let mut scorecard = Scorecard::new(HouseLaw::default());
        let (mut score_history, mut all) = (ScoreHistory::default(), Vec::new());
        for (number, cents) in (1..=rounds).zip(Scenario::Fair.stream(8)) {
            let multiplier = Multiplier::from_cents(cents).unwrap();
            let round = Round { time: DateTime::UNIX_EPOCH, multiplier };
            scorecard.update(&round, (number > 30).then(|| forecast(number)).as_ref(), None);
            let mut one = ScoreHistory::default();
            one.note(&scorecard);
            all.extend(one.points);
            if score_history.is_due(number) {
                score_history.note(&scorecard);
            }
        }
        (score_history, all)
    }

    #[test]
    fn points_are_equally_spaced_and_equal_the_scorecard_of_their_round() {
        for (rounds, step, points) in [(0, 1, 0), (1023, 1, 1023), (1024, 2, 512), (5000, 8, 625)] {
            let (score_history, all) = score_history(rounds);
            assert_eq!(
                (score_history.step(), score_history.len()),
                (step, points),
                "{rounds} rounds"
            );
            let every = usize::try_from(step).unwrap();
            let expected: Vec<Point> = all.iter().skip(every - 1).step_by(every).copied().collect();
            assert_eq!(score_history.points, expected, "{rounds} rounds");
        }
    }

    #[test]
    fn columns_are_of_equal_length_and_end_with_the_newest_point() {
        let (score_history, all) = score_history(700);
        for (points_max, count, first) in
            [(1000, 700, 1), (350, 350, 2), (300, 234, 1), (0, 1, 700)]
        {
            let columns = score_history.columns(points_max);
            assert_eq!((columns.rounds.len(), columns.rounds[0]), (count, first), "{points_max}");
            assert_eq!(columns.rounds.last(), Some(&700));
            let lengths = [
                columns.skill.value.len(),
                columns.skill.lo.len(),
                columns.skill.hi.len(),
                columns.skill.claimed_lo.len(),
                columns.skill.claimed_hi.len(),
                columns.coverage.len(),
                columns.evidence.order.len(),
                columns.evidence.law.len(),
                columns.evidence.forecast.len(),
            ];
            assert_eq!(lengths, [count; 9]);
            assert_eq!(columns.evidence.law.last(), all.last().map(|point| &point.ln_e[1]));
        }
        let columns = score_history.columns(700);
        assert_eq!(columns.coverage[..30], [None; 30]);
        assert!(columns.coverage[30].is_some());
        assert_eq!(columns.skill.value[128], None, "99 scored rounds");
        let (lo, value) = (columns.skill.lo[129].unwrap(), columns.skill.value[129].unwrap());
        assert!(lo < value && columns.skill.claimed_lo[129].unwrap() < lo);
    }

    #[test]
    fn serialising_and_restoring_a_history_changes_nothing() {
        let (score_history, _) = score_history(1500);
        let text = serde_json::to_string(&score_history).unwrap();
        assert_eq!(serde_json::from_str::<ScoreHistory>(&text).unwrap(), score_history);
    }
}
