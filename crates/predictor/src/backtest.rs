//! The engine over recorded rounds, as if they were live: what it says of them is what it would
//! have served.

mod html;
mod plot;
mod progress;
mod report;
mod text;

use std::fs;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use rounds::Round;

use self::progress::Progress;
use self::report::Gathering;
use crate::cli::BacktestArgs;
use crate::dataset::DatasetSnapshot;
use crate::engine::{Effect, Engine, Installed, Settings};
use crate::ensemble::{self, FitOptions};
use crate::forecast::Forecaster;
use crate::models::FitError;
use crate::recording::Recording;
use crate::retrain::FIRST_AT;
use crate::workers::Threads;

/// When a backtest refits its model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refit {
    /// By the rules of serving: at 30 rounds, then at 5 new ones or 5 % more.
    Rules,
    /// After so many new rounds.
    Rounds(u64),
    /// After so many new rounds for each hundred the last model had.
    Percent(f64),
}

/// Why a text names no [`Refit`].
#[derive(Debug, thiserror::Error)]
#[error("`rules`, `every=N` or `every=P%`, with N at least 1 and P above 0")]
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
            None => every.parse().ok().filter(|&n| n > 0).map(Self::Rounds).ok_or(RefitError),
        }
    }
}

impl Refit {
    /// The rounds at which the next fit is due, beside those the engine asks for itself.
    fn due_at(self, fitted_at: Option<u64>) -> Option<u64> {
        match (self, fitted_at) {
            (Self::Rules, _) => None,
            (_, None) => Some(FIRST_AT),
            (Self::Rounds(rounds), Some(at)) => Some(at + rounds),
            (Self::Percent(percent), Some(at)) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count; what is too large saturates and is never due"
                )]
                let more = (at as f64 * percent / 100.0).ceil() as u64;
                Some(at.saturating_add(more.max(1)))
            }
        }
    }
}

/// Makes a model of the rows there are.
pub type Fit<'a> = dyn Fn(&DatasetSnapshot) -> Result<Arc<dyn Forecaster>, FitError> + 'a;

/// Drives an engine over the rounds. `fit` makes the models; `watch` sees the engine after each
/// round and each model, with what came of it.
///
/// # Errors
/// When a fit fails.
pub fn drive(
    rounds: &[Round],
    refit: Refit,
    fit: &Fit<'_>,
    watch: &mut dyn FnMut(&Engine, &[Effect]),
) -> Result<Engine, FitError> {
    let settings = Settings { auto_train: refit == Refit::Rules, can_be_late: false };
    let mut engine = Engine::new(settings);
    let (mut fitted_at, mut version) = (None, 0);
    for round in rounds {
        let effects = engine.observe(*round, round.time);
        watch(&engine, &effects);
        let asked = effects.iter().any(|effect| matches!(effect, Effect::Retrain(_)));
        let is_due = refit.due_at(fitted_at).is_some_and(|at| engine.rounds() >= at);
        if asked || is_due {
            let model = fit(&engine.dataset().snapshot())?;
            version += 1;
            let trained_on = engine.training_started();
            fitted_at = Some(trained_on);
            let issued = engine.install(Installed { model, version, trained_on }, round.time);
            watch(&engine, &issued.map(Effect::Issued).into_iter().collect::<Vec<_>>());
        }
    }
    Ok(engine)
}

/// `predictor backtest`.
pub(crate) fn run(args: &BacktestArgs) -> anyhow::Result<()> {
    let recording = Recording::read(&args.data_dir)?;
    let workers = Threads(thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let options = FitOptions::default();
    let fit = |rows: &DatasetSnapshot| -> Result<Arc<dyn Forecaster>, FitError> {
        let go_on = |_, _| std::ops::ControlFlow::Continue(());
        Ok(Arc::new(ensemble::fit(rows, &options, &workers, &go_on)?))
    };
    let mut gathering = Gathering::new(recording.rounds.len());
    let mut progress = Progress::new(recording.rounds.len());
    let mut watch = |engine: &Engine, effects: &[Effect]| {
        gathering.take(engine, effects);
        progress.show(engine.rounds());
    };
    let engine = drive(&recording.rounds, args.refit, &fit, &mut watch).context("training")?;
    progress.end();
    let report = gathering.report(&engine, &recording, args);
    std::io::stdout().write_all(text::of(&report).as_bytes()).context("writing the result")?;
    if let Some(path) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("writing the result as JSON")?;
        fs::write(path, json).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &args.html {
        fs::write(path, html::of(&report))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
