//! Numbers as people write them: decimal points and commas, thousands in groups, a sign `x` before or after.

use rounds::Multiplier;

/// What separates the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecimalSign {
    /// `2.31`
    Point,
    /// `2,31`
    Comma,
}

impl DecimalSign {
    /// Returns its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }
}

impl std::str::FromStr for DecimalSign {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Point, Self::Comma].into_iter().find(|sign| sign.word() == text);
        found.ok_or_else(|| format!("expected point or comma, found `{text}`"))
    }
}

/// How the numbers of a file are written, as far as its rows show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Convention {
    /// Numbers such as `2,31` occur.
    pub(crate) has_decimal_comma: bool,
    /// Numbers such as `2.31` occur.
    pub(crate) has_decimal_point: bool,
    /// Numbers such as `1.090,08` or `1,090.08` occur: groups of thousands are written.
    pub(crate) groups: Option<char>,
    /// All numbers have exactly three digits after a comma: no list of rounds holds only thousands.
    pub(crate) comma_has_three_decimals: bool,
    /// The decimal sign that the user has given; the other sign separates thousands.
    pub(crate) decimal: Option<DecimalSign>,
}

/// Why a text is not a usable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NumberProblem {
    /// It is not a number.
    NotANumber,
    /// `1.090` in a file with decimal commas, or `1,090`: 1.09 or 1090.
    Ambiguous,
}

/// A number, and what its text shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    /// Number of digits after the decimal sign.
    pub(crate) decimals: usize,
    /// Whether an `x` or `×` precedes or follows it.
    pub(crate) has_sign: bool,
    /// Whether it is a percentage: `231 %` may be 2.31 or a gain of 2.31.
    pub(crate) is_percentage: bool,
}

impl Convention {
    /// Returns what the numbers of a column show.
    pub(crate) fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut seen = Self::default();
        let (mut three_after_comma, mut other) = (0_u32, 0_u32);
        for cell in cells {
            let (digits, _) = without_sign(cell);
            let commas = digits.matches(',').count();
            let points = digits.matches('.').count();
            let behind = digits.len() - digits.rfind([',', '.']).map_or(digits.len(), |at| at + 1);
            match (commas, points) {
                (0, 0) => continue,
                (1.., 1..) => {
                    let is_comma = digits.rfind(',') > digits.rfind('.');
                    seen.groups = Some(['.', ','][usize::from(!is_comma)]);
                    seen.has_decimal_comma |= is_comma;
                    seen.has_decimal_point |= !is_comma;
                }
                (1, 0) if behind != 3 => seen.has_decimal_comma = true,
                (1, 0) => {
                    three_after_comma += 1;
                    continue;
                }
                (0, 1) if behind != 3 => seen.has_decimal_point = true,
                (2.., 0) => seen.groups = Some(','),
                (0, 2..) => seen.groups = Some('.'),
                _ => {}
            }
            other += 1;
        }
        seen.comma_has_three_decimals = other == 0 && three_after_comma >= 20;
        seen
    }

    /// Reads a number.
    pub(crate) fn read(self, text: &str) -> Result<Number, NumberProblem> {
        if let Some(number) = plain(text) {
            // `1.090` is plain, but not where a comma is the decimal sign.
            let may_be_thousands =
                self.has_decimal_comma || self.decimal == Some(DecimalSign::Comma);
            return match number.decimals {
                3 if may_be_thousands => self.three_digits(text, '.'),
                _ => Ok(number),
            };
        }
        let (digits, has_sign) = without_sign(text);
        if let Some(number) = scientific(digits) {
            return Ok(Number { has_sign, ..number });
        }
        if let Some(digits) = digits.strip_suffix('%') {
            return Ok(Number { is_percentage: true, ..self.unsigned(digits.trim_end())? });
        }
        let number = self.unsigned(digits)?;
        Ok(Number { has_sign, ..number })
    }

    fn unsigned(self, digits: &str) -> Result<Number, NumberProblem> {
        let last = digits.rfind([',', '.']);
        let Some(last) = last else { return grouped(digits, None, None) };
        let sign = if digits.as_bytes()[last] == b',' { ',' } else { '.' };
        let other = if sign == ',' { '.' } else { ',' };
        let is_single = digits.matches(sign).count() == 1;
        if digits.contains(other) {
            return if is_single {
                grouped(digits, Some(sign), Some(other))
            } else {
                Err(NumberProblem::NotANumber)
            };
        }
        if !is_single {
            return grouped(digits, None, Some(sign));
        }
        if digits.len() - last - 1 == 3 && !digits.starts_with('0') && last <= 3 {
            let is_usual = sign == '.' && !self.has_decimal_comma && self.decimal.is_none();
            return if is_usual {
                grouped(digits, Some('.'), None)
            } else {
                self.three_digits(digits, sign)
            };
        }
        grouped(digits, Some(sign), None)
    }

    /// `1,090` or `1.090` where the sign may separate thousands.
    fn three_digits(self, text: &str, sign: char) -> Result<Number, NumberProblem> {
        let (digits, has_sign) = without_sign(text);
        let is_decimal =
            self.decimal.map(|decimal| (decimal == DecimalSign::Comma) == (sign == ','));
        let number = if let Some(is_decimal) = is_decimal {
            if is_decimal {
                grouped(digits, Some(sign), None)
            } else {
                grouped(digits, None, Some(sign))
            }
        } else if self.groups == Some(sign) {
            grouped(digits, None, Some(sign))
        } else if sign == ',' && self.comma_has_three_decimals {
            grouped(digits, Some(','), None)
        } else {
            Err(NumberProblem::Ambiguous)
        }?;
        Ok(Number { has_sign, ..number })
    }
}

/// Reads `2.31e+00`, as R, `NumPy` and spreadsheets write numbers.
fn scientific(text: &str) -> Option<Number> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let (whole, decimals) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if whole.len() != 1 || ![whole, decimals, power].into_iter().all(are_digits) || power.len() > 3
    {
        return None;
    }
    let value: f64 = format!("{whole}.{decimals}e{exponent}").parse().ok()?;
    let decimals = if value.fract() == 0.0 { 0 } else { 2 };
    value.is_finite().then_some(Number { value, decimals, has_sign: false, is_percentage: false })
}

/// Reads digits with at most one point, the form in most files.
fn plain(text: &str) -> Option<Number> {
    let mut mantissa = 0_u64;
    let mut point = None;
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && at > 0 && at + 1 < bytes.len() => point = Some(at),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |point| bytes.len() - point - 1);
    if mantissa >= 1 << 53 {
        return None;
    }
    // Both are exact, so the division rounds as parsing the text would.
    Some(Number {
        value: mantissa as f64 / POWERS_OF_TEN[decimals],
        decimals,
        has_sign: false,
        is_percentage: false,
    })
}

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Returns a text without a multiplier's sign before or after it, and whether there was one.
fn without_sign(text: &str) -> (&str, bool) {
    let is_sign = |c: char| matches!(c, 'x' | 'X' | '×' | 'х' | 'Х' | '✕');
    let trimmed = text.trim();
    let bare = trimmed.strip_prefix(is_sign).or_else(|| trimmed.strip_suffix(is_sign));
    bare.map_or((trimmed, false), |bare| (bare.trim(), true))
}

/// Reads digits whose decimal sign and thousands separator are known; spaces and `'` may also separate thousands.
fn grouped(
    text: &str,
    decimal: Option<char>,
    group: Option<char>,
) -> Result<Number, NumberProblem> {
    let (whole, decimals) = match decimal.and_then(|sign| text.rsplit_once(sign)) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let is_group = |c: char| {
        Some(c) == group || matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '’')
    };
    let are_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = whole.split(is_group);
    let first = parts.next().unwrap_or_default();
    let mut plain = first.to_owned();
    let mut is_grouped = false;
    for part in parts {
        if part.len() != 3 || !are_digits(part) {
            return Err(NumberProblem::NotANumber);
        }
        plain.push_str(part);
        is_grouped = true;
    }
    if !are_digits(first) || is_grouped && (first.len() > 3 || first == "0") {
        return Err(NumberProblem::NotANumber);
    }
    if let Some(decimals) = decimals {
        if !are_digits(decimals) {
            return Err(NumberProblem::NotANumber);
        }
        plain.push('.');
        plain.push_str(decimals);
    }
    let value = plain.parse().map_err(|_| NumberProblem::NotANumber)?;
    Ok(Number {
        value,
        decimals: decimals.map_or(0, str::len),
        has_sign: false,
        is_percentage: false,
    })
}

/// The factor for the numbers of a file, such as 0.01 for hundredths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl Scale {
    /// Leaves numbers unchanged.
    pub const ONE: Self = Self(1.0);

    /// Returns a scale.
    ///
    /// # Errors
    /// The number is not finite or not above 0.
    pub fn new(value: f64) -> Result<Self, String> {
        if value.is_finite() && value > 0.0 {
            return Ok(Self(value));
        }
        Err(format!("the scale must be above 0, such as 0.01 for hundredths, not {value}"))
    }

    pub(crate) fn as_f64(self) -> f64 {
        self.0
    }

    /// Scales a number. 231 hundredths are exactly 2.31, because dividing by 100 rounds once.
    pub(crate) fn apply(self, value: f64) -> f64 {
        if self == Self::ONE {
            return value;
        }
        let inverse = (1.0 / self.0).round();
        if (self.0 * inverse - 1.0).abs() < 1e-12 { value / inverse } else { value * self.0 }
    }
}

/// Returns the multiplier of a number, `None` if it is below 1.
pub(crate) fn multiplier(value: f64) -> Option<Multiplier> {
    Multiplier::new(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(convention: Convention, text: &str) -> Result<f64, NumberProblem> {
        convention.read(text).map(|number| number.value)
    }

    #[test]
    fn numbers_are_read_as_their_file_writes_them() {
        let points = Convention::of(["2.31", "1.04"].into_iter());
        let commas = Convention::of(["2,31", "1,04"].into_iter());
        let grouped = Convention::of(["1.234,56", "2,31"].into_iter());
        for (convention, text, value) in [
            (points, "2.31", 2.31),
            (points, "2.31x", 2.31),
            (points, "x2.31", 2.31),
            (points, "2.31 X", 2.31),
            (points, "× 2.31", 2.31),
            (points, "1,090.08x", 1090.08),
            (points, "1 090.08", 1090.08),
            (points, "1.090", 1.09),
            (points, "7", 7.0),
            (points, "1'090.5", 1090.5),
            (commas, "2,31", 2.31),
            (commas, "2,31x", 2.31),
            (commas, "2.31", 2.31),
            (commas, "1.090,08", 1090.08),
            (grouped, "1.090", 1090.0),
            (commas, "12.345.678,9", 12_345_678.9),
            (points, "1.1234567", 1.123_456_7),
            (points, "2.310000000000000053e+00", 2.31),
            (points, "1.5E3", 1500.0),
            (commas, "2,31E+00", 2.31),
            (points, "231 %", 231.0),
        ] {
            assert_eq!(read(convention, text), Ok(value), "{text}");
        }
        assert_eq!(read(commas, "1.090"), Err(NumberProblem::Ambiguous));
        assert_eq!(read(commas, "1.090x"), Err(NumberProblem::Ambiguous));
        assert_eq!(read(points, "1,090"), Err(NumberProblem::Ambiguous));
        for text in [
            "", "x", "-2.31", "12e3", "1e", "e5", "1e+", "1e1000", "NaN", "2..3", "2,3,4",
            "12,34.5", "$2.31", "%", "1.2.3", "0,090.5",
        ] {
            assert_eq!(read(points, text), Err(NumberProblem::NotANumber), "{text}");
        }
    }

    #[test]
    fn three_decimals_throughout_are_decimals() {
        let cells: Vec<String> = (0..30).map(|at| format!("{},{}", 1 + at % 5, 100 + at)).collect();
        let convention = Convention::of(cells.iter().map(String::as_str));
        assert_eq!(read(convention, "2,310"), Ok(2.31));
    }

    #[test]
    fn hundredths_scale_to_the_nearest_float() {
        let scale = Scale::new(0.01).unwrap();
        assert!((100..100_000).all(|cents| {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            scale.apply(f64::from(cents)).to_string() == text.parse::<f64>().unwrap().to_string()
        }));
        assert!(Scale::new(0.0).is_err() && Scale::new(f64::NAN).is_err());
    }
}
