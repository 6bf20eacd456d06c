//! Durations in flags and in the configuration file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A duration as a flag or the configuration file gives it: `500ms`, `5s`, `2m`, `1h`, or seconds without a unit, such as `0.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationArg(pub Duration);

impl FromStr for DurationArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = &text[..text.len() - unit.len()];
        let scale = match unit.trim() {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(format!("`{text}` is not a duration such as 500ms, 5s or 2m")),
        };
        number
            .parse::<f64>()
            .ok()
            .and_then(|value| Duration::try_from_secs_f64(value * scale).ok())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a duration such as 500ms, 5s or 2m"))
    }
}

impl fmt::Display for DurationArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{}s", self.0.as_secs())
        } else {
            write!(f, "{}ms", self.0.as_secs_f64() * 1000.0)
        }
    }
}

/// Implements (de)serialization by the text of the command line (`FromStr` and `Display`).
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                let value: $crate::duration_arg::TextOrNumber =
                    serde::Deserialize::deserialize(source)?;
                value.text().parse().map_err(<D::Error as serde::de::Error>::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

serde_as_text!(DurationArg);

/// A value that the configuration file may give with or without quotes.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text or a number")]
pub(crate) enum TextOrNumber {
    /// `"3s"`
    Text(String),
    /// `3`
    Whole(u64),
    /// `0.2`
    Decimal(f64),
}

impl TextOrNumber {
    /// Returns the value as the command line would give it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, millis: u64) {
        let duration: DurationArg = text.parse().unwrap();
        assert_eq!(duration.0, Duration::from_millis(millis), "{text}");
        assert_eq!(duration.to_string().parse::<DurationArg>().unwrap(), duration, "{text}");
    }

    #[test]
    fn a_duration_may_have_any_unit_or_none() {
        check("500ms", 500);
        check("5s", 5000);
        check("0.2", 200);
        check("2m", 120_000);
        check("1.5 s", 1500);
        check("1h", 3_600_000);
    }

    #[test]
    fn text_that_is_not_a_duration_is_refused() {
        for text in ["", "s", "-1s", "5 parsecs", "1e400", "1.2.3"] {
            assert!(text.parse::<DurationArg>().is_err(), "{text:?}");
        }
    }
}
