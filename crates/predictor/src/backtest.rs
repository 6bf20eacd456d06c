//! The engine over recorded rounds, as if they were live.

use std::str::FromStr;

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
            None => {
                every.parse().ok().filter(|&rounds| rounds > 0).map(Self::Rounds).ok_or(RefitError)
            }
        }
    }
}
