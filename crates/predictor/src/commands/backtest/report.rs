//! The result of a backtest, as it is serialised.

use std::collections::VecDeque;

use evaluation::GameParameters;
use evaluation::audit::{ROUNDS_MIN, Recording as Seen};
use evaluation::confidence_sequence::Estimate;
use evaluation::quality::RecordedRound;
use evaluation::scores::mean_brier;
use evaluation::sequential::{Epoch, TestEvidence};
use evaluation::skill::SkillTrack;
use evaluation::verdict::{Claim, Statement, Verdict};
use forecasting::engine::{Effect, Engine, Settlement};
use forecasting::scorecard;
use rounds::Multiplier;
use serde::Serialize;

use super::Refit;
use super::stakes::Stakes;
use crate::commands::audit;
use crate::commands::recording::{About, Recording};
use crate::input::recording_quality::{QualityView, RecordingQuality, counts, recorded};
use crate::snapshot::GameView;

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
    /// The parameters of the game.
    pub(super) game: GameView,
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
    /// Whether the recording is whole.
    pub(super) quality: QualityView,
    /// What the recording may have left out or changed; needs 100 rounds.
    pub(super) recording: Option<Seen>,
    pub(super) curve: Vec<ScorePoint>,
}

/// What may be said of the rounds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Conclusion {
    /// The answer.
    pub(super) sentence: String,
    /// What it rests on, a sentence each.
    pub(super) notes: Vec<String>,
    /// Both with their figures.
    pub(super) claims: Statement,
    /// Whether the recording is suspect, so that no figure says anything about the game.
    pub(super) suspect: bool,
}

impl From<&Verdict> for Conclusion {
    fn from(verdict: &Verdict) -> Self {
        let claims = verdict.statement();
        Self {
            sentence: claims.sentence(),
            notes: claims.notes.iter().map(Claim::to_string).collect(),
            claims,
            suspect: verdict.is_suspect(),
        }
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
        let (cents, house) = (round.multiplier.cents(), forecast.house);
        let own = forecast.ensemble_law().probabilities();
        self.ensemble.update(mean_brier(&own, cents), mean_brier(&house.probabilities(), cents));
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

    pub(super) fn report(
        self,
        engine: &Engine,
        recording: Recording,
        game: &GameParameters,
        refit: Refit,
    ) -> Report {
        let scorecard = engine.scorecard();
        let evidence = scorecard.evidence();
        let quality = RecordingQuality::of(&recording.rounds, game.pace());
        let origin = recording.about.origin;
        let open = engine.open().map(|forecast| &forecast.probabilities);
        let verdict = scorecard.verdict().on_recording(quality.faults(origin)).before_round(open);
        let seen = seen(&recording, game);
        Report {
            program: concat!("predictor ", env!("CARGO_PKG_VERSION")),
            data: recording.about,
            game: GameView::new(game, quality.pace()),
            refit: refit.text(),
            models: engine.installed().map_or(0, |installed| installed.version),
            verdict: Conclusion::from(&verdict),
            quality: quality.view(origin),
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

/// Returns what the recording may have left out or changed; `None` for fewer rounds than an audit needs.
fn seen(recording: &Recording, game: &GameParameters) -> Option<Seen> {
    let rounds: Vec<RecordedRound> = recording.rounds.iter().map(recorded).collect();
    let mut seen =
        (rounds.len() >= ROUNDS_MIN).then(|| Seen::of(&rounds, &audit::options(game)))?;
    seen.keep_faults(|fault| counts(fault, recording.about.origin));
    Some(seen)
}
