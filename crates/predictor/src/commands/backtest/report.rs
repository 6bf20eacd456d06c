//! The result of a backtest, as it is serialised.

use std::collections::VecDeque;

use evaluation::audit::Recording as Seen;
use evaluation::confidence_sequence::Estimate;
use evaluation::house_law::{TiltedLaw, scale_from_mean_ln};
use evaluation::scores::mean_brier;
use evaluation::sequential::{Epoch, TestEvidence};
use evaluation::skill::SkillTrack;
use forecasting::engine::{Effect, Engine, Settlement};
use forecasting::forecast::house_probabilities;
use forecasting::scorecard;
use rounds::{Multiplier, Round};
use serde::Serialize;

use super::Refit;
use super::stakes::Stakes;
use crate::commands::audit;
use crate::commands::recording::{About, Recording};

/// Number of points of the curves over time.
const POINTS: usize = 400;
/// Number of rounds of the moving coverage.
const WINDOW: usize = 500;

/// The result, as `--json` writes it. The only times in it are those of rounds, so the same rounds
/// give the same text.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) program: &'static str,
    pub(super) data: About,
    pub(super) refit: String,
    /// Number of models that were fitted.
    pub(super) models: u64,
    pub(super) verdict: Conclusion,
    /// Trust in the model at the end.
    pub(super) kappa: f64,
    /// State of the order, law and forecast tests, in this order.
    pub(super) evidence: Vec<TestEvidence>,
    /// The epochs that ended when a change was noticed.
    pub(super) epochs: Vec<Epoch>,
    pub(super) scorecard: scorecard::Report,
    pub(super) flat_stakes: Vec<Stakes>,
    /// What the recording may have left out or changed; needs 100 rounds.
    pub(super) recording: Option<Seen>,
    pub(super) curve: Vec<ScorePoint>,
}

/// The verdict as sentences.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Conclusion {
    pub(super) sentence: String,
    /// How small an edge would have to be, once there is enough data.
    pub(super) absence: Option<String>,
    pub(super) changes: Option<String>,
    /// Evidence that comes from the recording and not from the game.
    pub(super) recording: Option<String>,
}

impl Conclusion {
    /// Returns all sentences, the most important first.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &str> {
        let more = [&self.recording, &self.absence, &self.changes].into_iter().flatten();
        std::iter::once(self.sentence.as_str()).chain(more.map(String::as_str))
    }
}

/// The scores after a round.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ScorePoint {
    pub(super) round: u64,
    /// Brier skill of the served forecasts against the house law, in percent.
    pub(super) skill: Option<Estimate>,
    /// The same for the raw ensemble.
    pub(super) ensemble_skill: Option<Estimate>,
    /// ln E of the order, law and forecast test.
    pub(super) ln_e: [f64; 3],
    /// Changes noticed so far.
    pub(super) epoch: u32,
    /// Coverage of the 80 % interval over the last 500 scored rounds, known once there are 100.
    pub(super) coverage80: Option<f64>,
    /// The same for the 90 % interval.
    pub(super) coverage90: Option<f64>,
    pub(super) kappa: f64,
}

/// Builds the report while rounds are replayed.
#[derive(Debug)]
pub(super) struct ReportBuilder {
    every: u64,
    rounds: u64,
    /// Whether the last rounds were inside the 80 % and the 90 % interval.
    inside: VecDeque<[bool; 2]>,
    ensemble: SkillTrack,
    stakes: Vec<Stakes>,
    curve: Vec<ScorePoint>,
}

impl ReportBuilder {
    pub(super) fn new(rounds: usize, targets: &[Multiplier]) -> Self {
        Self {
            every: rounds.div_ceil(POINTS).max(1) as u64,
            rounds: rounds as u64,
            inside: VecDeque::with_capacity(WINDOW + 1),
            ensemble: SkillTrack::new(),
            stakes: targets.iter().map(|&target| Stakes::on(target)).collect(),
            curve: Vec::with_capacity(POINTS + 1),
        }
    }

    pub(super) fn take(&mut self, engine: &Engine, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Settled(settlement) = effect {
                self.settle(settlement);
            }
        }
        let round = engine.rounds();
        let is_new = self.curve.last().is_none_or(|last| last.round < round);
        if is_new && (round.is_multiple_of(self.every) || round == self.rounds) {
            self.curve.push(self.point(engine));
        }
    }

    fn settle(&mut self, settlement: &Settlement) {
        let Settlement { forecast, round } = settlement;
        let multiplier = round.multiplier.as_f64();
        let (lo, hi) = forecast.interval90;
        self.inside.push_back([forecast.holds(multiplier), (lo..=hi).contains(&multiplier)]);
        if self.inside.len() > WINDOW {
            self.inside.pop_front();
        }
        let cents = round.multiplier.cents();
        let own = TiltedLaw::new(scale_from_mean_ln(forecast.means.mean)).probabilities();
        self.ensemble.update(mean_brier(&own, cents), mean_brier(&house_probabilities(), cents));
        for stakes in &mut self.stakes {
            stakes.settle(settlement);
        }
    }

    fn point(&self, engine: &Engine) -> ScorePoint {
        let (scorecard, evidence) = (engine.scorecard(), engine.scorecard().evidence());
        ScorePoint {
            round: engine.rounds(),
            skill: scorecard.skill_percent(),
            ensemble_skill: self.ensemble.shown_percent(),
            ln_e: evidence.ln_e(),
            epoch: evidence.epoch(),
            coverage80: self.coverage(0),
            coverage90: self.coverage(1),
            kappa: engine.kappa(),
        }
    }

    fn coverage(&self, interval: usize) -> Option<f64> {
        let held = self.inside.iter().filter(|inside| inside[interval]).count();
        (self.inside.len() >= 100).then(|| held as f64 / self.inside.len() as f64)
    }

    pub(super) fn report(self, engine: &Engine, recording: Recording, refit: Refit) -> Report {
        let scorecard = engine.scorecard();
        let (verdict, evidence) = (scorecard.verdict(), scorecard.evidence());
        let seen = seen(&recording.rounds);
        let is_on = verdict.order || verdict.law;
        Report {
            program: concat!("predictor ", env!("CARGO_PKG_VERSION")),
            data: recording.about,
            refit: refit.text(),
            models: engine.installed().map_or(0, |installed| installed.version),
            verdict: Conclusion {
                sentence: verdict.sentence(),
                absence: verdict.absence(),
                changes: verdict.change_note(),
                recording: seen.as_ref().and_then(|seen| explanation(seen, is_on)),
            },
            kappa: engine.kappa(),
            evidence: evidence.tests().to_vec(),
            epochs: evidence.closed().to_vec(),
            scorecard: scorecard.report(),
            flat_stakes: self.stakes.into_iter().map(Stakes::finished).collect(),
            recording: seen,
            curve: self.curve,
        }
    }
}

fn seen(rounds: &[Round]) -> Option<Seen> {
    evaluation::audit::run(&audit::rounds(rounds), &audit::options())
        .ok()
        .map(|report| report.recording)
}

/// Explains evidence that comes from the recorder and not from the game.
fn explanation(seen: &Seen, is_on: bool) -> Option<String> {
    let drops_repeats = seen.equal_neighbours == 0 && seen.equal_neighbours_p < 0.001;
    let follows = if is_on {
        "This is a pattern of the recording, not of the game: read this evidence as a finding \
         about the recording first."
    } else {
        "This is a pattern of the recording, not of the game, and too faint for the tests so far."
    };
    drops_repeats.then(|| {
        format!(
            "No round equals the one before it, where about {:.0} should: the recorder dropped \
             repeats. {follows}",
            seen.equal_neighbours_expected
        )
    })
}
