//! What a backtest found.

use chrono::{DateTime, Utc};
use evaluation::proportion::Estimate;
use evaluation::{HouseLaw, TARGET_CENTS, TARGETS};
use serde::Serialize;

use super::Refit;
use crate::cli::BacktestArgs;
use crate::engine::{Effect, Engine, Settlement};
use crate::recording::Recording;
use crate::scorecard;
use crate::view::LightsView;

/// Points of the curves over time.
const POINTS: usize = 400;

/// The result, as `--json` writes it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) data: String,
    pub(super) origin: &'static str,
    pub(super) refit: String,
    pub(super) rounds: u64,
    pub(super) rejected_rows: u64,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) fits: u64,
    pub(super) kappa: f64,
    pub(super) verdict: Vec<String>,
    pub(super) lights: LightsView,
    pub(super) scorecard: scorecard::Report,
    pub(super) stakes: Vec<Stakes>,
    pub(super) curve: Vec<Point>,
}

/// One unit on every round, cashed out at a fixed target.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Stakes {
    pub(super) target: f64,
    /// Bets on every scored round.
    pub(super) always: Bets,
    /// Bets only where the served probability was above break-even.
    pub(super) chosen: Bets,
    /// What a bet returns on average at a fair house, less the stake.
    pub(super) expected_per_bet: f64,
}

/// Bets of one unit each.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Bets {
    pub(super) count: u64,
    pub(super) won: u64,
    pub(super) net: f64,
}

/// How things stood after a round.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Point {
    pub(super) round: u64,
    /// Against the house law, in percent.
    pub(super) skill: Option<Estimate>,
    /// ln E of the order, law and forecast light.
    pub(super) ln_e: [f64; 3],
    /// Of the 80 % interval in the last 500 rounds.
    pub(super) coverage: Option<f64>,
    pub(super) kappa: f64,
}

/// What is gathered on the way.
#[derive(Debug)]
pub(super) struct Gathering {
    every: u64,
    fits: u64,
    curve: Vec<Point>,
    stakes: [(Bets, Bets); 5],
}

impl Bets {
    fn place(&mut self, target: f64, is_won: bool) {
        self.count += 1;
        self.won += u64::from(is_won);
        self.net += if is_won { target - 1.0 } else { -1.0 };
    }
}

impl Gathering {
    pub(super) fn new(rounds: usize) -> Self {
        Self {
            every: rounds.div_ceil(POINTS).max(1) as u64,
            fits: 0,
            curve: Vec::new(),
            stakes: Default::default(),
        }
    }

    pub(super) fn take(&mut self, engine: &Engine, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Settled(settlement) = effect {
                self.bet(settlement);
            }
        }
        self.fits = engine.installed().map_or(0, |installed| installed.version);
        let is_new = self.curve.last().is_none_or(|last| last.round < engine.rounds());
        if is_new && engine.rounds().is_multiple_of(self.every) {
            self.curve.push(point(engine));
        }
    }

    fn bet(&mut self, settlement: &Settlement) {
        let cents = settlement.round.multiplier.cents();
        let said = settlement.forecast.probabilities;
        for (number, (always, chosen)) in self.stakes.iter_mut().enumerate() {
            let (target, is_won) = (TARGETS[number], cents >= TARGET_CENTS[number]);
            always.place(target, is_won);
            if said[number] * target > 1.0 {
                chosen.place(target, is_won);
            }
        }
    }

    pub(super) fn report(
        self,
        engine: &Engine,
        recording: &Recording,
        args: &BacktestArgs,
    ) -> Report {
        let house = HouseLaw::default();
        let scorecard = engine.scorecard();
        let verdict = scorecard.verdict();
        let rounds = &recording.rounds;
        let stakes = TARGETS.iter().zip(self.stakes).map(|(&target, (always, chosen))| Stakes {
            target,
            always,
            chosen,
            expected_per_bet: target * house.survival(target) - 1.0,
        });
        Report {
            data: args.data_dir.display().to_string(),
            origin: recording.origin.word(),
            refit: match args.refit {
                Refit::Rules => "by the rules of serving".to_owned(),
                Refit::Rounds(rounds) => format!("every {rounds} rounds"),
                Refit::Percent(percent) => format!("every {percent} % more rounds"),
            },
            rounds: rounds.len() as u64,
            rejected_rows: recording.rejected,
            from: rounds.first().map(|round| round.time).unwrap_or_default(),
            to: rounds.last().map(|round| round.time).unwrap_or_default(),
            fits: self.fits,
            kappa: engine.kappa(),
            verdict: [Some(verdict.sentence()), verdict.absence(), verdict.change_note()]
                .into_iter()
                .flatten()
                .collect(),
            lights: LightsView::of(scorecard.lights()),
            scorecard: scorecard.report(),
            stakes: stakes.collect(),
            curve: self.curve,
        }
    }
}

fn point(engine: &Engine) -> Point {
    let scorecard = engine.scorecard();
    Point {
        round: engine.rounds(),
        skill: scorecard.skill_percent(),
        ln_e: scorecard.lights().lights().map(|light| light.ln_e),
        coverage: scorecard.recent_coverage(),
        kappa: engine.kappa(),
    }
}
