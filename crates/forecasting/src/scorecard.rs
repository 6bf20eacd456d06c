//! The scores of all forecasters, and the evidence on whether anything can be forecast.
//!
//! Only forecasts that were frozen before their round are scored. The order and law tests need no
//! forecast and use every round; the forecast test uses only forecasts that were in time.
//!
//! What is served and what the models would have us serve (the candidate) are scored apart. The models are
//! served only after a gate: the order test must have found something, which no independent rounds do with
//! a chance above 1 in 20, and the candidate must be ahead of the house law and of the observed frequencies
//! in cumulative log score. A likelihood ratio against the house law alone would open at a mere change of
//! the law, which makes no round predictable.

use chrono::{DateTime, Timelike as _, Utc};
use evaluation::baselines::{Baseline as _, Baselines, Climatology};
use evaluation::confidence_sequence::Estimate;
use evaluation::house_law::TiltedLaw;
use evaluation::reliability::{ReliabilityRow, ReliabilityTable};
use evaluation::score_sheet::{ForecastRecord, Metric, ScoreSheet, Skill, Summary};
use evaluation::sequential::{Evidence, Level, ObservedRound};
use evaluation::skill::SkillTrack;
use evaluation::verdict::{Skills, Verdict};
use evaluation::{HouseLaw, targets_reached};
use rounds::Round;
use serde::{Deserialize, Serialize};

use crate::calibration::SALT;
use crate::forecast::{Basis, Forecast, MEMBERS};

/// Name of what is served: median, probabilities and intervals.
pub const SERVED: &str = "served";
/// Name of the models' own law: the ensemble after shrinkage by kappa.
pub const CANDIDATE: &str = "candidate";
/// Name of the ensemble before shrinkage.
pub const ENSEMBLE: &str = "ensemble";

/// Running scores of all forecasters, and the evidence of the sequential tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scorecard {
    served: ScoreSheet,
    candidate: ScoreSheet,
    ensemble: ScoreSheet,
    members: [ScoreSheet; 3],
    baselines: Baselines,
    baseline_sheets: Vec<ScoreSheet>,
    against_house: SkillTrack,
    candidate_against_house: SkillTrack,
    candidate_against_climatology: SkillTrack,
    /// Skill of the ensemble before shrinkage.
    unshrunk_against_house: SkillTrack,
    against_climatology: SkillTrack,
    reliability: ReliabilityTable,
    evidence: Evidence,
    gate: Gate,
    house: HouseLaw,
}

/// Decides what is served.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Gate {
    /// The order test has reached its threshold at some time.
    has_order: bool,
    /// The law test has reached its threshold at some time.
    has_law: bool,
    /// Cumulative log score of the candidate over the six cells between the targets, less that of the
    /// house law and of the observed frequencies. Forecasts that were late do not count.
    lead: [f64; 2],
}

/// Lower limit of the probability of a cell in the log score: observed frequencies can be 0.
const CELL_MIN: f64 = 1e-4;

impl Gate {
    fn basis(&self) -> Basis {
        if self.has_order && self.lead.iter().all(|&lead| lead > 0.0) {
            Basis::Models
        } else if self.has_law {
            Basis::Climatology
        } else {
            Basis::House
        }
    }

    fn score(&mut self, candidate: &[f64; 5], references: [&[f64; 5]; 2], cents: u64) {
        let cell = targets_reached(cents);
        for (lead, reference) in self.lead.iter_mut().zip(references) {
            *lead += ln_cell(candidate, cell) - ln_cell(reference, cell);
        }
    }

    fn learn(&mut self, evidence: &Evidence) {
        if !(self.has_order && self.has_law) {
            let [order, law, _] = evidence.levels().map(|level| level >= Level::Amber);
            self.has_order |= order;
            self.has_law |= law;
        }
    }
}

/// Returns ln of the probability that exactly `cell` of the five targets are reached.
fn ln_cell(reached: &[f64; 5], cell: usize) -> f64 {
    let at_least = |targets: usize| match targets {
        0 => 1.0,
        _ => reached.get(targets - 1).copied().unwrap_or(0.0),
    };
    (at_least(cell) - at_least(cell + 1)).max(CELL_MIN).ln()
}

impl Scorecard {
    /// Returns a scorecard without rounds.
    pub fn new(house: HouseLaw) -> Self {
        let sheet = |name: &str| ScoreSheet::new(name, &house);
        let baselines = Baselines::new(&house);
        Self {
            served: sheet(SERVED),
            candidate: sheet(CANDIDATE),
            ensemble: sheet(ENSEMBLE),
            members: MEMBERS.map(sheet),
            baseline_sheets: baselines.each().map(|it| sheet(it.name())).to_vec(),
            baselines,
            against_house: SkillTrack::new(),
            candidate_against_house: SkillTrack::new(),
            candidate_against_climatology: SkillTrack::new(),
            unshrunk_against_house: SkillTrack::new(),
            against_climatology: SkillTrack::new(),
            reliability: ReliabilityTable::new(),
            evidence: Evidence::new(house, SALT),
            gate: Gate::default(),
            house,
        }
    }

    /// Scores the next round, given the forecast that was frozen before it, if any, and the time of the
    /// round before.
    pub fn update(
        &mut self,
        round: &Round,
        frozen: Option<&Forecast>,
        before: Option<DateTime<Utc>>,
    ) {
        let cents = round.multiplier.cents();
        let candidate = frozen.map(|forecast| forecast.candidate().law());
        if let (Some(forecast), Some(candidate)) = (frozen, &candidate) {
            self.score(forecast, candidate, cents);
        }
        let seen = ObservedRound { cents, day_phase: before.map(day_phase), late: false };
        let is_late = frozen.is_some_and(|forecast| forecast.late);
        let candidate = candidate.filter(|_| !is_late).map(|law| law.probabilities());
        if let Some(candidate) = &candidate {
            let observed = self.climatology().forecast().probabilities;
            let house = self.house.probabilities();
            self.gate.score(candidate, [&house, &observed.unwrap_or(house)], cents);
        }
        self.evidence.update(&seen, candidate.as_ref());
        self.gate.learn(&self.evidence);
        self.baselines.update(cents);
    }

    /// Returns what is served next.
    pub fn basis(&self) -> Basis {
        self.gate.basis()
    }

    /// Returns the observed frequencies of all rounds so far.
    pub fn climatology(&self) -> &Climatology {
        self.baselines.climatology()
    }

    fn score(&mut self, forecast: &Forecast, candidate: &TiltedLaw, cents: u64) {
        let law = forecast.law();
        let issued = ForecastRecord {
            point: Some(forecast.median()),
            scale: law.map(|law| law.scale()),
            probabilities: law.is_none().then_some(forecast.probabilities),
            interval80: Some(forecast.interval80),
            interval90: Some(forecast.interval90),
        };
        let log_crps = law.is_none().then(|| self.climatology().log_crps(cents)).flatten();
        let served = self.served.record_with(&issued, cents, log_crps).get(Metric::BrierMean);
        let candidate = ForecastRecord::law(candidate.median(), candidate.scale());
        let candidate = self.candidate.record(&candidate, cents).get(Metric::BrierMean);
        let house = self.house;
        let raw = |mean| {
            ForecastRecord::law(house.point_from_mean_ln(mean), house.scale_from_mean_ln(mean))
        };
        let unshrunk =
            self.ensemble.record(&raw(forecast.means.mean), cents).get(Metric::BrierMean);
        for (sheet, mean) in self.members.iter_mut().zip(forecast.means.members) {
            sheet.record(&raw(mean), cents);
        }
        let mut references = Vec::with_capacity(self.baseline_sheets.len());
        for (baseline, sheet) in self.baselines.each().into_iter().zip(&mut self.baseline_sheets) {
            let scores =
                sheet.record_with(&baseline.forecast().into(), cents, baseline.log_crps(cents));
            references.push(scores.get(Metric::BrierMean));
        }
        // `each` puts the house first and climatology second.
        let (house, climatology) = (references[0], references[1]);
        for (track, score, reference) in [
            (&mut self.against_house, served, house),
            (&mut self.candidate_against_house, candidate, house),
            (&mut self.candidate_against_climatology, candidate, climatology),
            (&mut self.unshrunk_against_house, unshrunk, house),
            (&mut self.against_climatology, served, climatology),
        ] {
            if let (Some(score), Some(reference)) = (score, reference) {
                track.update(score, reference);
            }
        }
        self.reliability.update(&forecast.probabilities, cents);
    }

    /// Returns the law of the house.
    pub fn house(&self) -> &HouseLaw {
        &self.house
    }

    /// Returns the number of rounds with a forecast.
    pub fn scored(&self) -> u64 {
        self.served.rounds()
    }

    /// Returns the three sequential tests.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Returns the Brier skill of the served forecasts against the house, in percent, with asymptotic
    /// bounds.
    pub fn skill_percent(&self) -> Option<Estimate> {
        self.against_house.shown_percent()
    }

    /// Returns the share of rounds inside the 80 % interval.
    pub fn coverage(&self) -> Option<f64> {
        self.served.all_time().coverage_80
    }

    /// Returns the Brier skill against the house, in percent, with anytime-valid bounds.
    pub fn claimed_skill_percent(&self) -> Option<Estimate> {
        self.against_house.claimed_percent()
    }

    /// Returns what the tests so far allow to be said.
    pub fn verdict(&self) -> Verdict {
        let skills = Skills {
            candidate: &self.candidate_against_house,
            against_climatology: &self.candidate_against_climatology,
            unshrunk: &self.unshrunk_against_house,
        };
        Verdict::of(&self.evidence, &self.house, skills)
    }

    /// Returns all scores for display. Takes a few milliseconds, because the last 500 rounds are summed
    /// at each call.
    pub fn report(&self) -> Report {
        Report {
            rounds: self.scored(),
            columns: COLUMNS,
            rows: self.rows(ScoreSheet::all_time),
            recent: self.rows(ScoreSheet::recent),
            fading: self.rows(ScoreSheet::fading),
            skill: self.skill(),
            reliability: self.reliability.rows(),
        }
    }

    fn sheets(&self) -> impl Iterator<Item = &ScoreSheet> {
        let own = [&self.served, &self.candidate, &self.ensemble];
        own.into_iter().chain(&self.members).chain(&self.baseline_sheets)
    }

    fn rows(&self, view: fn(&ScoreSheet) -> Summary) -> Vec<Row> {
        self.sheets().map(|sheet| Row::new(sheet.name(), &view(sheet))).collect()
    }

    fn skill(&self) -> SkillReport {
        let served = self.served.all_time();
        let against = |number: usize, track: &SkillTrack| SkillAgainst {
            scores: served.skill_against(&self.baseline_sheets[number].all_time()),
            shown: track.shown_percent(),
            claimed: track.claimed_percent(),
        };
        SkillReport {
            house: against(0, &self.against_house),
            climatology: against(1, &self.against_climatology),
        }
    }
}

/// Returns the time of day in \[0, 1).
fn day_phase(time: DateTime<Utc>) -> f64 {
    let millis = f64::from(time.num_seconds_from_midnight()) * 1e3
        + f64::from(time.timestamp_subsec_millis());
    (millis / 86_400_000.0).min(1.0 - f64::EPSILON)
}

/// The scores that the page shows, the most important first.
const COLUMNS: [&str; 10] = [
    "log_mae",
    "mae10",
    "log_crps",
    "log_loss",
    "brier",
    "coverage",
    "coverage90",
    "interval_score",
    "mae",
    "rmse",
];

/// The scorecard for display. A score is `None` if the forecaster makes no such forecast.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Number of rounds with a forecast.
    pub rounds: u64,
    /// Names of the displayed scores of a row, the most important first.
    pub columns: [&'static str; 10],
    /// Scores over all scored rounds.
    pub rows: Vec<Row>,
    /// Scores over the last 500 of them.
    pub recent: Vec<Row>,
    /// Scores with weights .998 to the power of the age.
    pub fading: Vec<Row>,
    /// Skill of the served forecasts against the two references.
    pub skill: SkillReport,
    /// Forecast and observed frequencies.
    pub reliability: Vec<ReliabilityRow>,
}

/// The scores of one forecaster. Lower is better, except that coverage should be at its nominal share.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each is described in `Summary`")]
pub struct Row {
    pub name: String,
    pub rounds: u64,
    pub log_mae: Option<f64>,
    pub mae10: Option<f64>,
    pub log_crps: Option<f64>,
    pub log_loss: Option<f64>,
    pub brier: Option<f64>,
    pub brier_by_target: [Option<f64>; 5],
    pub coverage: Option<f64>,
    pub coverage90: Option<f64>,
    pub interval_score: Option<f64>,
    pub interval_score90: Option<f64>,
    pub mae: Option<f64>,
    pub rmse: Option<f64>,
    pub rmse10: Option<f64>,
    pub log_rmse: Option<f64>,
}

impl Row {
    fn new(name: &str, summary: &Summary) -> Self {
        Self {
            name: name.to_owned(),
            rounds: summary.rounds,
            log_mae: summary.log_mae,
            mae10: summary.mae_at_10,
            log_crps: summary.log_crps,
            log_loss: summary.log_loss,
            brier: summary.brier_mean,
            brier_by_target: summary.brier,
            coverage: summary.coverage_80,
            coverage90: summary.coverage_90,
            interval_score: summary.interval_score_80,
            interval_score90: summary.interval_score_90,
            mae: summary.mae,
            rmse: summary.rmse,
            rmse10: summary.rmse_at_10,
            log_rmse: summary.log_rmse,
        }
    }
}

/// Skill of the served forecasts, in percent; positive is better.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SkillReport {
    /// Against the fixed odds of the house law.
    pub house: SkillAgainst,
    /// Against the observed frequencies.
    pub climatology: SkillAgainst,
}

/// Skill against one reference.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SkillAgainst {
    /// Skill by score.
    pub scores: Skill,
    /// Brier skill with bounds for display (asymptotic, 95 %).
    pub shown: Option<Estimate>,
    /// Brier skill with bounds for claims (anytime-valid, 95 %).
    pub claimed: Option<Estimate>,
}
