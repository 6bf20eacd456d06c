//! Converts the numbers of a feed to a [`Multiplier`] or a time.

use std::ops::Range;

use chrono::{DateTime, Datelike, Utc};
use rounds::{Multiplier, MultiplierError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Plausible years. A time outside this range is in another unit.
const YEARS: Range<i32> = 2010..2100;

/// The factor from a feed's number to the multiplier: 1, or 0.01 for hundredths.
// Invariant: finite and above 0.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(try_from = "f64", into = "f64")]
pub struct Scale(f64);

impl Scale {
    /// Returns `number`, scaled. Factors such as 0.01 divide by their inverse, so that 115 becomes 1.15 and not
    /// 1.1500000000000001.
    pub fn apply(self, number: f64) -> f64 {
        let parts = (1.0 / self.0).round();
        if parts >= 1.0 && (parts * self.0 - 1.0).abs() < 1e-12 {
            number / parts
        } else {
            number * self.0
        }
    }

    fn is_one(self) -> bool {
        self.0.total_cmp(&1.0).is_eq()
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self(1.0)
    }
}

impl TryFrom<f64> for Scale {
    type Error = String;

    fn try_from(factor: f64) -> Result<Self, String> {
        if factor.is_finite() && factor > 0.0 {
            Ok(Self(factor))
        } else {
            Err(format!("scale = {factor} must be above 0; use 0.01 for a feed in hundredths"))
        }
    }
}

impl From<Scale> for f64 {
    fn from(scale: Scale) -> Self {
        scale.0
    }
}

/// The meaning of a number below 1.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum BelowOne {
    /// An error: reported, not recorded.
    #[default]
    Reject,
    /// A round that crashed at once: some games report it as 0; like 1.00, it pays nobody.
    CountAsOne,
}

/// Returns the multiplier in `value`, a number or text such as `"2.31x"`.
///
/// # Errors
///
/// The value is not a multiplier; the error says what it is instead.
pub fn multiplier(value: &Value, scale: Scale, below_one: BelowOne) -> Result<Multiplier, String> {
    let number = match value {
        Value::Number(number) => number.as_f64().ok_or("the number is out of range")?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number,
            Err(_) if scale.is_one() => return written(text),
            Err(_) => written(text)?.as_f64(),
        },
        other => {
            return Err(format!(
                "expected a number, found {}",
                super::redacted_shape::contents(other)
            ));
        }
    };
    let scaled = scale.apply(number);
    if below_one == BelowOne::CountAsOne && (0.0..1.0).contains(&scaled) {
        return Multiplier::new(1.0).map_err(|error| error.to_string());
    }
    Multiplier::new(scaled).map_err(|_| {
        format!("{scaled} is not a multiplier of at least 1: check `scale`, and at `below_one` if it is 0")
    })
}

fn written(text: &str) -> Result<Multiplier, String> {
    text.parse().map_err(|error: MultiplierError| format!("the text is not a multiplier: {error}"))
}

/// The time format of a feed.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// Text such as `2026-03-01T12:30:00.250Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, a number or text, with or without decimals.
    UnixS,
    /// Milliseconds since 1970, a number or text.
    UnixMs,
}

/// Returns the time in `value`, to the millisecond.
///
/// # Errors
///
/// Why the value is not a time in this format, and which format it looks like.
pub fn time(value: &Value, format: TimeFormat) -> Result<DateTime<Utc>, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let time = match (format, number, value) {
        (TimeFormat::Rfc3339, _, Value::String(text)) => {
            DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.to_utc())
        }
        (TimeFormat::UnixS, Some(seconds), _) => from_millis(seconds * 1000.0),
        (TimeFormat::UnixMs, Some(millis), _) => from_millis(millis),
        _ => None,
    };
    time.filter(|time| YEARS.contains(&time.year())).ok_or_else(|| {
        let advice = match number {
            Some(number) if number >= 1e11 => "; it looks like time_format = \"unix_ms\"",
            Some(number) if number >= 1e9 => "; it looks like time_format = \"unix_s\"",
            _ => "",
        };
        format!("it is not a time in this time_format{advice}")
    })
}

fn from_millis(millis: f64) -> Option<DateTime<Utc>> {
    // The range of years that chrono supports fits an i64 easily.
    if millis.abs() > 1e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the line above keeps it within an i64")]
    DateTime::from_timestamp_millis(millis.round() as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn reads(value: &Value, scale: f64, expected: &str) {
        let scale = Scale::try_from(scale).unwrap();
        let read = multiplier(value, scale, BelowOne::Reject).unwrap();
        assert_eq!(read.to_string(), expected, "{value}");
    }

    #[test]
    fn numbers_are_parsed_with_the_signs_that_sites_add() {
        reads(&json!(2.31), 1.0, "2.31");
        reads(&json!(2), 1.0, "2.00");
        reads(&json!("2.31"), 1.0, "2.31");
        reads(&json!("2.31x"), 1.0, "2.31");
        reads(&json!("1,090.08x"), 1.0, "1090.08");
        reads(&json!(231), 0.01, "2.31");
        reads(&json!("231"), 0.01, "2.31");
        reads(&json!(0.231), 10.0, "2.31");
    }

    #[test]
    fn every_hundredth_given_as_an_integer_is_exact() {
        let scale = Scale::try_from(0.01).unwrap();
        for cents in 100..200_000_u32 {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            let exact: f64 = text.parse().unwrap();
            assert_eq!(scale.apply(f64::from(cents)).to_bits(), exact.to_bits(), "{text}");
        }
    }

    #[track_caller]
    fn refuses(value: &Value, part: &str) {
        let error = multiplier(value, Scale::default(), BelowOne::Reject).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn an_invalid_multiplier_is_refused_without_quoting_it() {
        refuses(&json!(0.99), "at least 1");
        refuses(&json!(0), "`below_one`");
        refuses(&json!(-2), "at least 1");
        refuses(&json!("secret"), "the text is not a multiplier: not a number");
        refuses(&json!("NaN"), "at least 1");
        refuses(&json!("inf"), "at least 1");
        refuses(&json!({"a": 1}), "expected a number, found the key \"a\"");
        refuses(&json!(null), "expected a number, found null");
    }

    #[test]
    fn a_crash_reported_as_zero_counts_as_one_if_configured() {
        let one = multiplier(&json!(0), Scale::default(), BelowOne::CountAsOne).unwrap();
        assert_eq!(one.cents(), 100);
        assert!(multiplier(&json!(-1), Scale::default(), BelowOne::CountAsOne).is_err());
    }

    #[test]
    fn a_scale_must_be_above_zero() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Scale::try_from(factor).unwrap_err().contains("above 0"));
        }
    }

    #[track_caller]
    fn at(value: &Value, format: TimeFormat, expected: &str) {
        let expected: DateTime<Utc> = expected.parse().unwrap();
        assert_eq!(time(value, format), Ok(expected), "{value}");
    }

    #[test]
    fn all_three_time_formats_are_parsed() {
        at(&json!("2026-03-01T12:30:00.250Z"), TimeFormat::Rfc3339, "2026-03-01T12:30:00.250Z");
        at(&json!("2026-03-01T14:30:00+02:00"), TimeFormat::Rfc3339, "2026-03-01T12:30:00Z");
        at(&json!(1_772_368_200), TimeFormat::UnixS, "2026-03-01T12:30:00Z");
        at(&json!(1_772_368_200.25), TimeFormat::UnixS, "2026-03-01T12:30:00.250Z");
        at(&json!("1772368200"), TimeFormat::UnixS, "2026-03-01T12:30:00Z");
        at(&json!(1_772_368_200_250_u64), TimeFormat::UnixMs, "2026-03-01T12:30:00.250Z");
    }

    #[track_caller]
    fn no_time(value: &Value, format: TimeFormat, part: &str) {
        let error = time(value, format).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_time_in_another_unit_is_refused_with_the_unit_it_looks_like() {
        no_time(&json!(1_772_368_200_250_u64), TimeFormat::UnixS, "unix_ms");
        no_time(&json!(1_772_368_200), TimeFormat::UnixMs, "unix_s");
        no_time(&json!(1_772_368_200), TimeFormat::Rfc3339, "unix_s");
        no_time(&json!("1 March 2026"), TimeFormat::Rfc3339, "not a time");
        no_time(&json!("2026-03-01 12:30"), TimeFormat::UnixS, "not a time");
        no_time(&json!(1e300), TimeFormat::UnixMs, "not a time");
        no_time(&json!(null), TimeFormat::UnixMs, "not a time");
    }
}
