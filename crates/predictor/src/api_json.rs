//! JSON of the API: numbers without digits that mean nothing, and times that every client can parse.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

/// Decimals of a number of at least 1, and significant digits of a smaller one.
const DIGITS: i32 = 4;
/// Powers of ten up to this exponent are exact in an `f64`.
const EXACT_EXPONENT_MAX: i32 = 22;

/// Returns a value as JSON text.
///
/// Numbers of at least 1 have at most four decimals, smaller ones four significant digits. Of many, one that shows only
/// rounded numbers can be read by eye, and no estimate of a game is more precise.
///
/// # Panics
/// A map has keys that are not texts, or the value cannot be serialised; that is an error in the code.
pub(crate) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Rounded);
    value.serialize(&mut serializer).expect("text keys and plain values");
    text
}

/// Returns a value as JSON text, like [`to_vec`].
pub(crate) fn to_string(value: &impl Serialize) -> String {
    String::from_utf8(to_vec(value)).expect("JSON is UTF-8")
}

/// Returns a time as RFC 3339 in UTC with milliseconds and the offset `+00:00`.
///
/// Python before 3.11 parses exactly this form; it knows neither `Z` nor nanoseconds.
pub(crate) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// Serialises a time as [`time_text`].
pub(crate) fn time<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*time))
}

/// Serialises a time as [`time_text`], or null.
#[expect(clippy::ref_option, reason = "serde passes a reference")]
pub(crate) fn optional_time<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(time_text).serialize(serializer)
}

struct Rounded;

impl Formatter for Rounded {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        CompactFormatter.write_f64(writer, rounded(value))
    }
}

fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let size = value.abs();
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of an `f64`")]
    let exponent = size.log10().floor() as i32;
    let decimals = if size < 1.0 { DIGITS - 1 - exponent } else { DIGITS };
    if exponent + decimals > EXACT_EXPONENT_MAX {
        return value;
    }
    if decimals > EXACT_EXPONENT_MAX {
        return format!("{value:.3e}").parse().unwrap_or(value);
    }
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_decimals_or_four_digits() {
        for (value, expected) in [
            (1.920_674_280_347_056, "1.9207"),
            (2.31, "2.31"),
            (1_000_000.0, "1000000.0"),
            (12_345.678_949, "12345.6789"),
            (0.480_051_23, "0.4801"),
            (0.000_123_456, "0.0001235"),
            (0.999_96, "1.0"),
            (-0.001_719_99, "-0.00172"),
            (0.0, "0.0"),
            (1.234_567e-170, "1.235e-170"),
            (9.876_543_21e170, "9.87654321e+170"),
        ] {
            assert_eq!(to_string(&value), expected);
        }
        assert_eq!(to_string(&f64::INFINITY), "null");
        assert_eq!(to_string(&f64::NAN), "null");
    }

    #[test]
    fn numbers_inside_values_are_rounded_too() {
        let value = serde_json::json!({ "a": [0.123_456, 17, null], "b": "0.123456" });
        assert_eq!(to_string(&value), r#"{"a":[0.1235,17,null],"b":"0.123456"}"#);
    }

    #[test]
    fn times_have_milliseconds_and_a_numeric_offset() {
        #[derive(Serialize)]
        struct Times {
            #[serde(serialize_with = "time")]
            at: DateTime<Utc>,
            #[serde(serialize_with = "optional_time")]
            perhaps: Option<DateTime<Utc>>,
        }
        let at = DateTime::from_timestamp(1_780_000_000, 123_999_999).unwrap();
        let text = to_string(&Times { at, perhaps: None });
        assert_eq!(text, r#"{"at":"2026-05-28T20:26:40.123+00:00","perhaps":null}"#);
    }
}
