//! Query strings. An unknown key is refused by name: ignoring a misspelt `form=` would answer a
//! question that nobody asked.

use std::ops::{Range, RangeInclusive};

use chrono::{DateTime, Utc};
use rounds::Multiplier;
use serde::Deserialize;

use crate::config::ApiFormat;
use crate::snapshot::round_history::RoundHistory;

/// Default number of rounds.
const ROUNDS_DEFAULT: usize = 200;

/// Maximum number of cash-out targets in a request.
const TARGETS_MAX: usize = 20;
/// Range of a cash-out target.
const TARGET_RANGE: RangeInclusive<f64> = 1.01..=1e6;
/// Default target of a simulation, in cents.
const TARGET_DEFAULT: u64 = 200;
/// Range of a stake and of a bankroll.
const AMOUNT_RANGE: RangeInclusive<f64> = 0.01..=1e9;
/// Points of a simulation: by default, and at most.
const SIMULATION_POINTS: usize = 200;
const SIMULATION_POINTS_MAX: usize = 500;

/// A query that cannot be answered; the text says what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadQuery(String);

/// The query of `/api/rounds`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundsQuery {
    limit: Option<String>,
    points: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// The query of a CSV download.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    limit: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// A query with a limit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitQuery {
    limit: Option<String>,
}

/// A query with a number of points.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsQuery {
    points: Option<String>,
}

/// The query of `/api/simulation`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulationQuery {
    target: Option<String>,
    stake: Option<String>,
    bankroll: Option<String>,
    limit: Option<String>,
    points: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// Equal stakes on one target in each round of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulation {
    /// The cash-out target in cents.
    pub target_cents: u64,
    /// The stake of each bet.
    pub stake: f64,
    /// The money to begin with; without it betting never ends.
    pub bankroll: Option<f64>,
    /// The rounds.
    pub span: Span,
    /// Maximum number of points in the answer.
    pub points: usize,
}

/// The query of `/api/predict`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetsQuery {
    /// Multipliers, separated by commas.
    #[serde(default)]
    targets: String,
    /// The form of times.
    pub format: Option<ApiFormat>,
}

/// The query of the other routes of the original. Unknown keys are ignored: pages add one to get past caches.
#[derive(Debug, Default, Deserialize)]
pub struct FormatQuery {
    /// The form of times.
    pub format: Option<ApiFormat>,
}

/// A period, and how many of its newest rounds to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first time of the period, if it has one.
    pub from: Option<DateTime<Utc>>,
    /// The end of the period, exclusive, if it has one.
    pub to: Option<DateTime<Utc>>,
    /// Maximum number of rounds, the newest.
    pub limit: usize,
}

impl RoundsQuery {
    /// Returns the requested span; the last 200 rounds if nothing is given.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn span(&self) -> Result<Span, BadQuery> {
        let is_plain = self.from.is_none() && self.to.is_none() && self.limit.is_none();
        let span = span(self.from.as_deref(), self.to.as_deref(), self.limit.as_deref())?;
        Ok(if is_plain { Span { limit: ROUNDS_DEFAULT, ..span } } else { span })
    }

    /// Returns the maximum number of points to send.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn points(&self, most: usize) -> Result<usize, BadQuery> {
        self.points.as_deref().map_or(Ok(most), |text| number("points", text, 2..=most))
    }
}

impl ExportQuery {
    /// Returns the requested span; everything if nothing is given.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn span(&self) -> Result<Span, BadQuery> {
        span(self.from.as_deref(), self.to.as_deref(), self.limit.as_deref())
    }
}

impl LimitQuery {
    /// Returns the requested number, 1 to `most`.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn number(&self, default: usize, most: usize) -> Result<usize, BadQuery> {
        self.limit.as_deref().map_or(Ok(default), |text| number("limit", text, 1..=most))
    }
}

impl PointsQuery {
    /// Returns the requested number, 2 to `most`.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn number(&self, default: usize, most: usize) -> Result<usize, BadQuery> {
        self.points.as_deref().map_or(Ok(default), |text| number("points", text, 2..=most))
    }
}

impl SimulationQuery {
    /// Returns the bets; 1 on 2x in every round if nothing is given.
    ///
    /// # Errors
    /// A value is malformed or out of range.
    pub fn simulation(&self) -> Result<Simulation, BadQuery> {
        let target_cents = self.target.as_deref().map_or(Ok(TARGET_DEFAULT), target_cents)?;
        let stake = self.stake.as_deref().map_or(Ok(1.0), |text| amount("stake", text))?;
        let bankroll = self.bankroll.as_deref().map(|text| amount("bankroll", text)).transpose()?;
        let span = span(self.from.as_deref(), self.to.as_deref(), self.limit.as_deref())?;
        let points = |text| number("points", text, 2..=SIMULATION_POINTS_MAX);
        let points = self.points.as_deref().map_or(Ok(SIMULATION_POINTS), points)?;
        Ok(Simulation { target_cents, stake, bankroll, span, points })
    }
}

impl TargetsQuery {
    /// Returns the requested targets, 1.01 to 1,000,000 each.
    ///
    /// # Errors
    /// The text is not a list of multipliers, or has too many.
    pub fn chosen(&self) -> Result<Vec<f64>, BadQuery> {
        let text = &self.targets;
        if text.trim_matches(' ').is_empty() {
            return Ok(Vec::new());
        }
        let targets: Option<Vec<f64>> = text.split(',').map(target).collect();
        targets.filter(|all| all.len() <= TARGETS_MAX).ok_or_else(|| {
            BadQuery(format!(
                "targets must be at most {TARGETS_MAX} numbers from {} to {}, separated by commas",
                TARGET_RANGE.start(),
                TARGET_RANGE.end()
            ))
        })
    }
}

impl Span {
    /// Returns the indices of the rounds in the span.
    pub(crate) fn of(&self, history: &RoundHistory) -> Range<usize> {
        let from = self.from.map_or(0, |time| history.since(time));
        let to = self.to.map_or(history.len(), |time| history.since(time)).max(from);
        from.max(to.saturating_sub(self.limit))..to
    }
}

fn span(from: Option<&str>, to: Option<&str>, limit: Option<&str>) -> Result<Span, BadQuery> {
    let from = from.map(|text| time("from", text)).transpose()?;
    let to = to.map(|text| time("to", text)).transpose()?;
    let limit = match limit {
        None | Some("all") => usize::MAX,
        Some(text) => number("limit", text, 1..=usize::MAX)?,
    };
    Ok(Span { from, to, limit })
}

fn number(name: &str, text: &str, range: RangeInclusive<usize>) -> Result<usize, BadQuery> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    // A number too large for `usize` means all.
    let number = digits.then(|| text.parse().unwrap_or(usize::MAX));
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        BadQuery(if *range.end() == usize::MAX {
            format!("{name} must be a whole number of at least {}, or all", range.start())
        } else {
            format!("{name} must be a whole number from {} to {}", range.start(), range.end())
        })
    })
}

/// Parses a time. The plus sign of an offset arrives as a space if it was not escaped.
fn time(name: &str, text: &str) -> Result<DateTime<Utc>, BadQuery> {
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    time.map(|time| time.to_utc())
        .map_err(|_| BadQuery(format!("{name} must be a time such as 2026-01-31T18:30:00Z")))
}

/// Parses a target with at most two decimals, the steps in which rounds are recorded.
fn target_cents(text: &str) -> Result<u64, BadQuery> {
    let target = target(text).and_then(|target| Multiplier::new(target).ok());
    let cents =
        target.map(Multiplier::cents).filter(|&cents| Multiplier::from_cents(cents).ok() == target);
    cents.ok_or_else(|| {
        BadQuery(format!(
            "target must be a number from {} to {} with at most two decimals",
            TARGET_RANGE.start(),
            TARGET_RANGE.end()
        ))
    })
}

/// Parses an amount of money.
fn amount(name: &str, text: &str) -> Result<f64, BadQuery> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let amount = text.parse().ok().filter(|amount| is_plain && AMOUNT_RANGE.contains(amount));
    amount.ok_or_else(|| {
        let (least, most) = (AMOUNT_RANGE.start(), AMOUNT_RANGE.end());
        BadQuery(format!("{name} must be a number from {least} to {most}"))
    })
}

fn target(text: &str) -> Option<f64> {
    let text = text.trim_matches(' ');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !text.starts_with(['0', '.'])
        && !text.ends_with('.');
    let target = text.parse().ok().filter(|_| is_plain);
    target.filter(|target| TARGET_RANGE.contains(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<&str>, from: Option<&str>) -> RoundsQuery {
        let own = |text: Option<&str>| text.map(str::to_owned);
        RoundsQuery { limit: own(limit), from: own(from), ..RoundsQuery::default() }
    }

    #[test]
    fn a_limit_is_a_number_or_all() {
        let limit = |text| query(Some(text), None).span().map(|span| span.limit).ok();
        assert_eq!(limit("1"), Some(1));
        assert_eq!(limit("0050"), Some(50));
        assert_eq!(limit("all"), Some(usize::MAX));
        assert_eq!(limit("99999999999999999999999"), Some(usize::MAX));
        for bad in ["", "0", "-1", "+1", "1.5", "ALL", "x", " 1"] {
            assert_eq!(limit(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_simulation_is_one_unit_on_two_or_what_is_asked() {
        let simulation = |target: &str, stake: &str, bankroll: Option<&str>| {
            let query = SimulationQuery {
                target: Some(target.to_owned()),
                stake: Some(stake.to_owned()),
                bankroll: bankroll.map(str::to_owned),
                ..SimulationQuery::default()
            };
            query.simulation()
        };
        let default = SimulationQuery::default().simulation().unwrap();
        assert_eq!(default, simulation("2", "1", None).unwrap());
        let chosen = simulation("1.94", "0.5", Some("20")).unwrap();
        assert_eq!((chosen.target_cents, chosen.stake, chosen.bankroll), (194, 0.5, Some(20.0)));
        for (target, stake, bankroll) in [
            ("1", "1", None),
            ("2.005", "1", None),
            ("nan", "1", None),
            ("2", "0", None),
            ("2", "-1", None),
            ("2", "1e3", None),
            ("2", "inf", None),
            ("2", "5", Some("0")),
        ] {
            assert!(simulation(target, stake, bankroll).is_err(), "{target} {stake} {bankroll:?}");
        }
    }

    #[test]
    fn the_default_is_the_newest_rounds_or_all_of_a_period() {
        assert_eq!(query(None, None).span().unwrap().limit, ROUNDS_DEFAULT);
        let span = query(None, Some("2026-01-01T02:00:00 02:00")).span().unwrap();
        assert_eq!((span.limit, span.from), (usize::MAX, "2026-01-01T00:00:00Z".parse().ok()));
        for bad in ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z"] {
            assert!(query(None, Some(bad)).span().is_err(), "{bad:?}");
        }
    }
}
