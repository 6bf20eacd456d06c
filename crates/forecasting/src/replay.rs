//! Replays recorded rounds through the engine, which forecasts each as it would when serving.

use std::str::FromStr;
use std::sync::Arc;

use evaluation::HouseLaw;
use rounds::Round;

use crate::dataset::{DatasetSnapshot, Tabulator};
use crate::engine::{Effect, Engine, Installed, Settings};
use crate::forecast::Forecaster;
use crate::models::FitError;
use crate::training_schedule::FIRST_AT;

/// When a backtest refits its model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refit {
    /// By the rules of serving: at 30 rounds, then after 5 new ones or 5 % more.
    Rules,
    /// After a number of new rounds.
    Rounds(u64),
    /// After a percentage of new rounds, relative to the rounds of the last fit.
    Percent(f64),
}

/// A text that is not a [`Refit`].
#[derive(Debug, thiserror::Error)]
#[error("expected `rules`, `every=N` or `every=P%`, with N at least 1 and P above 0")]
pub struct RefitError;

impl FromStr for Refit {
    type Err = RefitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "rules" {
            return Ok(Self::Rules);
        }
        let every = text.strip_prefix("every=").ok_or(RefitError)?;
        match every.strip_suffix('%') {
            Some(percent) => percent
                .parse()
                .ok()
                .filter(|percent: &f64| percent.is_finite() && *percent > 0.0)
                .map(Self::Percent)
                .ok_or(RefitError),
            None => {
                every.parse().ok().filter(|&rounds| rounds > 0).map(Self::Rounds).ok_or(RefitError)
            }
        }
    }
}

impl Refit {
    /// Returns the schedule in words.
    pub fn text(self) -> String {
        match self {
            Self::Rules => "by the rules of serving".to_owned(),
            Self::Rounds(rounds) => format!("after every {rounds} rounds"),
            Self::Percent(percent) => format!("after every {percent} % more rounds"),
        }
    }

    /// Returns the number of rounds at which the next fit is due; `None` if the engine decides.
    fn due_at(self, fitted_at: Option<u64>) -> Option<u64> {
        let Some(at) = fitted_at else { return (self != Self::Rules).then_some(FIRST_AT) };
        match self {
            Self::Rules => None,
            Self::Rounds(rounds) => Some(at.saturating_add(rounds)),
            Self::Percent(percent) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count; a too large one saturates and is never due"
                )]
                let more = (at as f64 * percent / 100.0).ceil() as u64;
                Some(at.saturating_add(more.max(1)))
            }
        }
    }
}

/// Fits a model to rows.
pub type Fit<'a> = &'a dyn Fn(&DatasetSnapshot) -> Result<Arc<dyn Forecaster>, FitError>;

/// Drives an engine over the rounds. `watch` receives the engine and the effects after each round
/// and after each new model.
///
/// Training takes no time in a backtest: a model is installed before the next round. Each round is
/// observed at the time it ended.
///
/// # Errors
/// A fit fails.
pub fn drive(
    rounds: &[Round],
    refit: Refit,
    fit: Fit<'_>,
    watch: &mut dyn FnMut(&Engine, &[Effect]),
) -> Result<Engine, FitError> {
    drive_under(HouseLaw::default(), rounds, refit, fit, watch)
}

/// Drives an engine over the rounds as [`drive`] does, under another law of the house.
///
/// # Errors
/// A fit fails.
pub fn drive_under(
    house: HouseLaw,
    rounds: &[Round],
    refit: Refit,
    fit: Fit<'_>,
    watch: &mut dyn FnMut(&Engine, &[Effect]),
) -> Result<Engine, FitError> {
    let settings = Settings { auto_train: refit == Refit::Rules, can_be_late: false };
    let mut engine = Engine::with_house(settings, house);
    let mut tabulator = Tabulator::default();
    let (mut fitted_at, mut version) = (None, 0);
    for round in rounds {
        tabulator.push(round);
        let effects = engine.observe(*round, round.time);
        watch(&engine, &effects);
        let is_requested = effects.iter().any(|effect| matches!(effect, Effect::Retrain(_)));
        let is_due = refit.due_at(fitted_at).is_some_and(|at| engine.rounds() >= at);
        if is_requested || is_due {
            let model = fit(&tabulator.dataset().snapshot())?;
            version += 1;
            let trained_on = engine.training_started();
            fitted_at = Some(trained_on);
            let installed = Installed { model, version, trained_on, history: engine.history() };
            let issued = engine.install(installed, round.time);
            watch(&engine, issued.map(Effect::Issued).as_slice());
        }
    }
    Ok(engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, first: &[u64]) {
        let refit: Refit = text.parse().unwrap();
        let mut at = None;
        let found: Vec<u64> = first
            .iter()
            .map_while(|_| {
                at = refit.due_at(at);
                at
            })
            .collect();
        assert_eq!(found, first, "{text}");
    }

    #[test]
    fn refits_are_due_by_count_or_by_share() {
        check("every=100", &[30, 130, 230]);
        check("every=5%", &[30, 32, 34, 36, 38, 40, 42, 45]);
        check("every=0.001%", &[30, 31, 32]);
        check("every=1e300%", &[30, u64::MAX]);
        assert_eq!("rules".parse::<Refit>().unwrap().due_at(None), None);
    }

    #[test]
    fn invalid_schedules_are_rejected() {
        for text in ["", "every", "every=0", "every=-5%", "every=0%", "every=nan%", "5%", "Rules"] {
            assert!(text.parse::<Refit>().is_err(), "{text}");
        }
    }
}
