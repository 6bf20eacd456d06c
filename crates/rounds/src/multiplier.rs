//! The multiplier of a round: parsing, hundredths and order.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The multiplier a round ended at, as its source gave it.
///
/// Two decimals are usual, more are kept.
/// Thresholds compare [`cents`](Multiplier::cents), never the floating-point number.
///
/// ```
/// use rounds::Multiplier;
///
/// let multiplier: Multiplier = "1,090.08x".parse()?;
/// assert_eq!(multiplier.cents(), 109_008);
/// assert_eq!(multiplier.to_string(), "1090.08");
/// assert_eq!("1.15".parse::<Multiplier>()?.cents(), 115);
/// # Ok::<(), rounds::MultiplierError>(())
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Multiplier(
    /// Finite and at least 1.
    f64,
);

/// Why a number or a text is not a multiplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MultiplierError {
    /// The text is not a number with at most one decimal sign.
    #[error("not a number")]
    NotANumber,
    /// `1,090` may be 1.09 or 1090.
    #[error("a comma followed by three digits may be a decimal sign or a thousands separator")]
    Ambiguous,
    /// `1.090` in a file with decimal commas may be 1.09 or 1090.
    #[error(
        "a point followed by three digits may separate thousands, since this file has decimal commas"
    )]
    AmbiguousPoint,
    /// A round cannot end below 1.
    #[error("below 1")]
    BelowOne,
    /// Infinite, not a number, or too large for a 64-bit float.
    #[error("not a finite number")]
    NotFinite,
}

impl Multiplier {
    /// The smallest one: the round ended as it began.
    pub const ONE: Self = Self(1.0);

    /// A multiplier from a number.
    ///
    /// # Errors
    /// The number is not finite or is below 1.
    pub fn new(value: f64) -> Result<Self, MultiplierError> {
        if !value.is_finite() {
            return Err(MultiplierError::NotFinite);
        }
        if value < 1.0 {
            return Err(MultiplierError::BelowOne);
        }
        Ok(Self(value))
    }

    /// A multiplier from whole hundredths: 231 is 2.31.
    ///
    /// # Errors
    /// Fewer than 100 hundredths.
    pub fn from_cents(cents: u64) -> Result<Self, MultiplierError> {
        Self::new(cents as f64 / 100.0)
    }

    /// The number itself, finite and at least 1.
    pub fn as_f64(self) -> f64 {
        self.0
    }

    /// Whole hundredths, rounded down: the unit in which thresholds compare.
    ///
    /// Exact for what the source wrote: 1.15 is 115, although the nearest float lies below it.
    /// Numbers beyond `u64` give `u64::MAX`.
    pub fn cents(self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 100 and whole; what is too large saturates, as documented"
        )]
        let guess = (self.0 * 100.0).floor() as u64;
        if guess >= 1 << 52 {
            return guess;
        }
        // The largest number of cents whose float is not above ours: `a / 100` rounds correctly,
        // so it keeps the order of the decimal numbers the source wrote.
        if (guess + 1) as f64 / 100.0 <= self.0 {
            guess + 1
        } else if guess as f64 / 100.0 > self.0 {
            guess - 1
        } else {
            guess
        }
    }

    /// Natural logarithm, at least 0.
    pub fn ln(self) -> f64 {
        self.0.ln()
    }
}

impl PartialEq for Multiplier {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Multiplier {}

impl Hash for Multiplier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl PartialOrd for Multiplier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Multiplier {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Debug for Multiplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}x")
    }
}

/// Two decimals, or as many as the source gave.
impl fmt::Display for Multiplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The shortest text that reads back as the same float is what the source wrote.
        let shortest = self.0.to_string();
        match shortest.split_once('.') {
            Some((_, decimals)) if decimals.len() >= 2 => f.pad(&shortest),
            _ => f.pad(&format!("{:.2}", self.0)),
        }
    }
}

impl TryFrom<f64> for Multiplier {
    type Error = MultiplierError;

    fn try_from(value: f64) -> Result<Self, MultiplierError> {
        Self::new(value)
    }
}

impl From<Multiplier> for f64 {
    fn from(multiplier: Multiplier) -> Self {
        multiplier.0
    }
}

impl FromStr for Multiplier {
    type Err = MultiplierError;

    /// Takes `2.31`, `2.31x`, `x2.31`, `2.31 ×`, `1,090.08x`, `2,31`, `1 090,08`.
    ///
    /// The sign may be `x`, `X`, `×` or the Cyrillic letter, before or after the number, and any white
    /// space may surround it.
    ///
    /// # Errors
    /// The text is not a number, is below 1, or can be read in two ways (`1,090`).
    fn from_str(text: &str) -> Result<Self, MultiplierError> {
        let number = without_sign(text);
        let (whole, decimals) = split_decimals(number)?;
        let mut digits = String::with_capacity(number.len());
        for group in whole.split(is_separator) {
            digits.push_str(group);
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(MultiplierError::NotANumber);
        }
        if let Some(decimals) = decimals {
            digits.push('.');
            digits.push_str(decimals);
        }
        Self::new(digits.parse().map_err(|_| MultiplierError::NotANumber)?)
    }
}

/// The text without one sign before or after the number.
fn without_sign(text: &str) -> &str {
    let text = text.trim();
    match text.strip_suffix(is_sign) {
        Some(number) => number.trim_end(),
        None => text.strip_prefix(is_sign).map_or(text, str::trim_start),
    }
}

/// What the way a number is written shows about the decimal sign of its file.
#[cfg(feature = "files")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberForm {
    /// `1.090`: 1.09, or 1090 where the decimal sign is a comma.
    PointAndThree,
    /// `2,65`, `1.090,08`: the decimal sign is a comma.
    DecimalComma,
    /// A form that shows nothing, or a decimal point.
    Other,
}

/// Returns how a number is written.
#[cfg(feature = "files")]
pub(crate) fn number_form(text: &str) -> NumberForm {
    let number = without_sign(text);
    match number
        .rfind(['.', ','])
        .map(|at| (number.as_bytes()[at], &number[..at], &number[at + 1..]))
    {
        Some((b'.', whole, decimals))
            if decimals.len() == 3 && whole.len() <= 3 && is_digits(whole) && whole != "0" =>
        {
            NumberForm::PointAndThree
        }
        Some((b',', whole, decimals))
            if is_digits(decimals)
                && !whole.contains(',')
                && (decimals.len() != 3 || whole.contains(is_separator)) =>
        {
            NumberForm::DecimalComma
        }
        _ => NumberForm::Other,
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, 'x' | 'X' | '×' | 'х' | 'Х')
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | '.') || is_space(c)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// Splits at the decimal sign and checks that both parts hold digits, the whole part in threes.
fn split_decimals(number: &str) -> Result<(&str, Option<&str>), MultiplierError> {
    let last = number.rfind(['.', ',']);
    let (whole, decimals) = match last {
        None => (number, None),
        Some(at) => {
            let sign = &number[at..=at];
            let (whole, decimals) = (&number[..at], &number[at + 1..]);
            if whole.contains(sign) {
                // `1,234,567`: the same sign twice separates thousands; twice a point never does.
                if sign == "." {
                    return Err(MultiplierError::NotANumber);
                }
                (number, None)
            } else if sign == "," && decimals.len() == 3 && !whole.contains(is_separator) {
                return Err(if is_digits(whole) && is_digits(decimals) {
                    MultiplierError::Ambiguous
                } else {
                    MultiplierError::NotANumber
                });
            } else {
                (whole, Some(decimals))
            }
        }
    };
    if !decimals.is_none_or(is_digits) || !is_grouped(whole) {
        return Err(MultiplierError::NotANumber);
    }
    Ok((whole, decimals))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Digits alone, or one to three digits followed by threes, all with the same separator.
fn is_grouped(whole: &str) -> bool {
    let Some(separator) = whole.chars().find(|&c| is_separator(c)) else {
        return is_digits(whole);
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    is_digits(first) && first.len() <= 3 && groups.all(|group| group.len() == 3 && is_digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, MultiplierError>) {
        let read = text.parse::<Multiplier>().map(|m| m.to_string());
        assert_eq!(read.as_deref().map_err(|e| *e), expected, "{text:?}");
    }

    #[test]
    fn every_form_seen_in_public_recordings_is_read() {
        for (text, shown) in [
            ("2.31", "2.31"),
            ("2.31x", "2.31"),
            (" 2.31 X ", "2.31"),
            ("2.31×", "2.31"),
            ("2.31х", "2.31"),
            ("2.31\u{a0}x", "2.31"),
            ("x2.31", "2.31"),
            ("× 2.31", "2.31"),
            ("x1,090.08", "1090.08"),
            ("1x", "1.00"),
            ("1.8", "1.80"),
            ("2,31", "2.31"),
            ("2,3", "2.30"),
            ("1,090.08x", "1090.08"),
            ("1.090,08", "1090.08"),
            ("1\u{a0}090,08", "1090.08"),
            ("1 090.08", "1090.08"),
            ("1,234,567", "1234567.00"),
            ("12,345,678.9", "12345678.90"),
            ("100000.00x", "100000.00"),
            ("1.2310548", "1.2310548"),
            ("1,2310548", "1.2310548"),
        ] {
            check(text, Ok(shown));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            " ",
            "x",
            "—",
            "nan",
            "inf",
            "1e5",
            "+2.31",
            "-2.31",
            ".5",
            "2.",
            "2.3.1",
            "2..31",
            "2.31xx",
            "x2.31x",
            "xx2.31",
            "10,90.08",
            "1,0900.08",
            "1.090.000",
            "1, 090.08",
            "05",
            "2.31 1",
            "1,,090.08",
            "२.३१",
            "0x10",
            "12:30",
            ",31",
            "1,23a",
            "1.23,4.5",
        ] {
            check(text, Err(MultiplierError::NotANumber));
        }
    }

    #[test]
    fn a_comma_before_three_digits_is_never_guessed() {
        for text in ["1,090", "2,310x", "12,345"] {
            check(text, Err(MultiplierError::Ambiguous));
        }
    }

    #[test]
    fn less_than_one_and_more_than_a_float_are_refused() {
        for text in ["0", "0.99", "0,5"] {
            check(text, Err(MultiplierError::BelowOne));
        }
        check(&"9".repeat(400), Err(MultiplierError::NotFinite));
        assert_eq!(Multiplier::new(f64::NAN), Err(MultiplierError::NotFinite));
        assert_eq!(Multiplier::new(f64::INFINITY), Err(MultiplierError::NotFinite));
        assert_eq!(Multiplier::new(1.0 - f64::EPSILON), Err(MultiplierError::BelowOne));
        assert_eq!(Multiplier::from_cents(99), Err(MultiplierError::BelowOne));
    }

    /// `1.15 * 100.0` is 114.99999999999999.
    #[test]
    fn cents_are_those_of_the_decimal_number_up_to_a_million() {
        for cents in 100..=1_000_000u64 {
            assert_eq!(Multiplier::from_cents(cents).unwrap().cents(), cents);
        }
        for cents in (1 << 40..1 << 52).step_by(123_456_789_013) {
            assert_eq!(Multiplier::from_cents(cents).unwrap().cents(), cents);
        }
    }

    #[test]
    fn cents_round_down() {
        for (value, cents) in
            [(1.999_999, 199), (1.149_999_999, 114), (2.305, 230), (1e300, u64::MAX)]
        {
            assert_eq!(Multiplier::new(value).unwrap().cents(), cents);
        }
    }

    #[test]
    fn a_multiplier_is_shown_with_its_sign_and_has_the_logarithm_of_its_number() {
        let multiplier = Multiplier::from_cents(231).unwrap();
        assert_eq!(format!("{multiplier:?} {multiplier} {multiplier:>6}"), "2.31x 2.31   2.31");
        assert!((multiplier.ln() - 0.837_247_524_533_702_2).abs() < 1e-15);
        assert_eq!(Multiplier::ONE.ln().to_bits(), 0f64.to_bits());
        assert!(multiplier > Multiplier::ONE && multiplier == "2.310".parse().unwrap());
    }

    #[test]
    fn a_json_number_reads_back_and_is_checked() {
        let text = serde_json::to_string(&Multiplier::new(2.31).unwrap()).unwrap();
        assert_eq!(text, "2.31");
        assert_eq!(serde_json::from_str::<Multiplier>(&text).unwrap().cents(), 231);
        assert!(serde_json::from_str::<Multiplier>("0.5").is_err());
    }
}
