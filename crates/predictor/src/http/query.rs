//! Query strings. An unknown key is refused by name: ignoring a misspelt `form=` would answer
//! another question.

use std::ops::{Range, RangeInclusive};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::snapshot::round_history::RoundHistory;

/// Rounds that are sent unless the client says how many.
const ROUNDS: usize = 200;

/// Cash-out targets of one's own in one request.
const TARGETS_MAX: usize = 20;
/// Where they may lie.
const TARGET_RANGE: RangeInclusive<f64> = 1.01..=1e6;

/// A query that cannot be answered, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadQuery(String);

/// A part of all rounds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    limit: Option<String>,
    points: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// A part of a table to take away.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    limit: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// How many of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    limit: Option<String>,
}

/// In how many points.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    points: Option<String>,
}

/// Cash-out targets of one's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Multipliers, separated by commas.
    #[serde(default)]
    targets: String,
}

/// Times between which something lies, and how many of the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Not before it.
    pub from: Option<DateTime<Utc>>,
    /// Before it.
    pub to: Option<DateTime<Utc>>,
    /// At most so many, the newest.
    pub limit: usize,
}

impl Part {
    /// The span that is asked for; `limit` is 200 unless something is said.
    ///
    /// # Errors
    /// What is asked for is not understood.
    pub fn span(&self) -> Result<Span, BadQuery> {
        let is_plain = self.from.is_none() && self.to.is_none() && self.limit.is_none();
        let span = span(self.from.as_deref(), self.to.as_deref(), self.limit.as_deref())?;
        Ok(if is_plain { Span { limit: ROUNDS, ..span } } else { span })
    }

    /// How many points may be sent.
    ///
    /// # Errors
    /// What is asked for is not understood.
    pub fn points(&self, most: usize) -> Result<usize, BadQuery> {
        self.points.as_deref().map_or(Ok(most), |text| number("points", text, 2..=most))
    }
}

impl Export {
    /// The span that is asked for; everything unless something is said.
    ///
    /// # Errors
    /// What is asked for is not understood.
    pub fn span(&self) -> Result<Span, BadQuery> {
        span(self.from.as_deref(), self.to.as_deref(), self.limit.as_deref())
    }
}

impl Limit {
    /// How many are asked for: 1 to `most`.
    ///
    /// # Errors
    /// What is asked for is not understood.
    pub fn number(&self, default: usize, most: usize) -> Result<usize, BadQuery> {
        self.limit.as_deref().map_or(Ok(default), |text| number("limit", text, 1..=most))
    }
}

impl Points {
    /// How many are asked for: 2 to `most`.
    ///
    /// # Errors
    /// What is asked for is not understood.
    pub fn number(&self, default: usize, most: usize) -> Result<usize, BadQuery> {
        self.points.as_deref().map_or(Ok(default), |text| number("points", text, 2..=most))
    }
}

impl Targets {
    /// Those that are asked for, 1.01 to 1,000,000 each.
    ///
    /// # Errors
    /// They are no list of multipliers, or too many.
    pub fn chosen(&self) -> Result<Vec<f64>, BadQuery> {
        let text = &self.targets;
        if text.trim_matches(' ').is_empty() {
            return Ok(Vec::new());
        }
        let targets: Option<Vec<f64>> = text.split(',').map(target).collect();
        targets.filter(|all| all.len() <= TARGETS_MAX).ok_or_else(|| {
            BadQuery(format!(
                "targets are at most {TARGETS_MAX} numbers from {} to {}, separated by commas",
                TARGET_RANGE.start(),
                TARGET_RANGE.end()
            ))
        })
    }
}

impl Span {
    /// The indices of the rounds that lie in it.
    pub(crate) fn of(&self, roll: &RoundHistory) -> Range<usize> {
        let from = self.from.map_or(0, |time| roll.since(time));
        let to = self.to.map_or(roll.len(), |time| roll.since(time)).max(from);
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
    // A number beyond all others asks for all.
    let number = digits.then(|| text.parse().unwrap_or(usize::MAX));
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        BadQuery(if *range.end() == usize::MAX {
            format!("{name} is a whole number of at least {}, or all", range.start())
        } else {
            format!("{name} is a whole number from {} to {}", range.start(), range.end())
        })
    })
}

/// An offset of `+02:00` arrives with a space when the sign was not escaped.
fn time(name: &str, text: &str) -> Result<DateTime<Utc>, BadQuery> {
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    time.map(|time| time.to_utc())
        .map_err(|_| BadQuery(format!("{name} is a time like 2026-01-31T18:30:00Z")))
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

    fn part(limit: Option<&str>, from: Option<&str>) -> Part {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Part { limit: own(limit), from: own(from), ..Part::default() }
    }

    #[test]
    fn a_limit_is_a_number_or_all() {
        let limit = |text| part(Some(text), None).span().map(|span| span.limit).ok();
        assert_eq!(limit("1"), Some(1));
        assert_eq!(limit("0050"), Some(50));
        assert_eq!(limit("all"), Some(usize::MAX));
        assert_eq!(limit("99999999999999999999999"), Some(usize::MAX));
        for bad in ["", "0", "-1", "+1", "1.5", "ALL", "x", " 1"] {
            assert_eq!(limit(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn without_a_word_the_newest_are_meant_and_with_times_all_between() {
        assert_eq!(part(None, None).span().unwrap().limit, ROUNDS);
        let span = part(None, Some("2026-01-01T02:00:00 02:00")).span().unwrap();
        assert_eq!((span.limit, span.from), (usize::MAX, "2026-01-01T00:00:00Z".parse().ok()));
        for bad in ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z"] {
            assert!(part(None, Some(bad)).span().is_err(), "{bad:?}");
        }
    }
}
