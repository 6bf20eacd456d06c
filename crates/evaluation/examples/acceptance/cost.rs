//! A9: the cost per round over a million rounds, and the time to restore the state.

use std::time::Instant;

use evaluation::baselines::Baselines;
use evaluation::intervals::PitInterval;
use evaluation::kappa::Kappa;
use evaluation::pit::keyed_uniform;
use evaluation::reliability::ReliabilityTable;
use evaluation::score_sheet::{ForecastRecord, Metric, ScoreSheet};
use evaluation::sequential::{Evidence, ObservedRound};
use evaluation::skill::SkillTrack;
use evaluation::{HouseLaw, house_law, ln_multiplier};
use features::Extractor;
use serde::{Deserialize, Serialize};
use test_support::simulate::{Scenario, day_phase};

use crate::table::Table;

const ROUNDS: u64 = 1_000_000;
const SALT: u64 = 7;

/// All the state with which a predictor evaluates its forecasts.
#[derive(Serialize, Deserialize)]
struct State {
    tests: Evidence,
    kappa: Kappa,
    intervals: [PitInterval; 2],
    baselines: Baselines,
    sheets: Vec<ScoreSheet>,
    raw: ScoreSheet,
    served: ScoreSheet,
    reliability: ReliabilityTable,
    skill: [SkillTrack; 2],
}

impl State {
    fn new(house: &HouseLaw) -> Self {
        let baselines = Baselines::new(house);
        let sheet = |name: &str| ScoreSheet::new(name, house);
        Self {
            tests: Evidence::new(*house, SALT),
            kappa: Kappa::new(),
            intervals: [PitInterval::new(0.2), PitInterval::new(0.1)],
            sheets: baselines.each().iter().map(|baseline| sheet(baseline.name())).collect(),
            baselines,
            raw: sheet("raw"),
            served: sheet("served"),
            reliability: ReliabilityTable::new(),
            skill: [SkillTrack::new(); 2],
        }
    }

    /// Processes one round: forecast from `mean_ln`, outcome, scores, tests.
    fn round(&mut self, house: &HouseLaw, mean_ln: f64, t: u64, cents: u64) {
        let served = house.tilted(self.kappa.served_scale(house, mean_ln));
        let probabilities = served.probabilities();
        let issued = ForecastRecord {
            interval80: Some(self.intervals[0].interval(&served)),
            interval90: Some(self.intervals[1].interval(&served)),
            ..ForecastRecord::law(served.median(), served.scale())
        };
        let raw = ForecastRecord::law(
            house_law::point_from_mean_ln(mean_ln),
            house_law::scale_from_mean_ln(mean_ln),
        );
        let ours = self.served.record(&issued, cents).get(Metric::BrierMean);
        self.raw.record(&raw, cents);
        for (i, (baseline, sheet)) in
            self.baselines.each().into_iter().zip(&mut self.sheets).enumerate()
        {
            let issued = baseline.forecast().into();
            let scores = sheet.record_with(&issued, cents, baseline.log_crps(cents));
            let reference = scores.get(Metric::BrierMean);
            if let (Some(track), Some(ours), Some(reference)) =
                (self.skill.get_mut(i), ours, reference)
            {
                track.update(ours, reference);
            }
        }
        self.baselines.update(cents);
        self.reliability.update(&probabilities, cents);
        let u = served.pit(cents, keyed_uniform(SALT, t));
        self.intervals.iter_mut().for_each(|interval| interval.update(u));
        self.tests.update(&ObservedRound::at(cents, day_phase(t)), Some(&probabilities));
        self.kappa.settle(house, mean_ln, ln_multiplier(cents));
    }
}

pub(crate) fn run(table: &mut Table) {
    let house = HouseLaw::default();
    let mut state = State::new(&house);
    let mut extractor = Extractor::new();
    let rounds = Scenario::Fair.rounds(1_000_000, 3);
    let mut mean_ln = house_law::M0;
    let start = Instant::now();
    for (t, &cents) in (0..ROUNDS).zip(&rounds) {
        state.round(&house, mean_ln, t, cents);
        let row = extractor.push(ln_multiplier(cents)).expect("a round's ln M is in range");
        // In place of a model: the moving average, shrunk halfway to the house mean.
        mean_ln = f64::midpoint(house_law::M0, row[6]);
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
    let what = ("A9", "microseconds per round, 1,000,000 rounds");
    table.line(what, (format!("{micros:.2}"), "-"), ("< 20", micros < 20.0));

    let text = serde_json::to_string(&state).expect("the state can be written");
    table.note(("A9", "size of the state as JSON, kB"), (text.len() / 1000, "-"));
    let start = Instant::now();
    let back: State = serde_json::from_str(&text).expect("the state can be read");
    let seconds = start.elapsed().as_secs_f64();
    let what = ("A9", "seconds to restore it");
    table.line(what, (format!("{seconds:.3}"), "-"), ("< 1", seconds < 1.0));
    continues(table, &house, (state, back), mean_ln);
}

/// Checks that the restored state continues bit for bit.
fn continues(table: &mut Table, house: &HouseLaw, mut states: (State, State), mean_ln: f64) {
    for (t, cents) in (ROUNDS..).zip(Scenario::Fair.rounds(500, 4)) {
        states.0.round(house, mean_ln, t, cents);
        states.1.round(house, mean_ln, t, cents);
    }
    let text = |state: &State| serde_json::to_string(state).unwrap_or_default();
    let same = text(&states.0) == text(&states.1);
    let what = ("A9", "restored state continues bit for bit");
    table.line(what, (same, true), ("equal", same));
}
