//! Whether numbers can be the multipliers of a crash game at all.

use rounds::USUAL_RETURN;

/// Numbers that are needed before their shape says anything.
const SHAPE_MIN: usize = 30;
/// Numbers that are needed before their distribution says what they are. Prices pass for multipliers in shorter columns.
const LAW_MIN: usize = 60;
/// Numbers that are needed before all of them being whole says anything.
const WHOLE_MIN: usize = 5;
/// Numbers that are needed before their order says anything.
const ORDER_MIN: usize = 8;

/// Why numbers cannot be multipliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Implausible {
    NoNumbers,
    /// All are percentages.
    Percentages,
    WholeNumbers,
    /// All are whole and at least 100, and their hundredths would be plausible.
    Hundredths,
    Monotonic,
    BelowOne,
    TooLarge,
    Median(f64),
    /// No number below 10 has decimals.
    NoDecimalsBelowTen,
}

impl Implausible {
    /// Returns what is wrong with the numbers, as a predicate of their column's name.
    pub(crate) fn text(self) -> String {
        match self {
            Self::NoNumbers => "does not hold numbers".to_owned(),
            Self::Percentages => "holds percentages".to_owned(),
            Self::WholeNumbers => "holds whole numbers only".to_owned(),
            Self::Hundredths => "holds whole numbers, none below 100: hundredths?".to_owned(),
            Self::Monotonic => "rises or falls from row to row, as a counter does".to_owned(),
            Self::BelowOne => "holds numbers below 1".to_owned(),
            Self::TooLarge => "holds numbers above 1,000,000".to_owned(),
            Self::Median(median) => {
                format!(
                    "has a median of {median:.2}, and that of a crash game is between 1.2 and 20"
                )
            }
            Self::NoDecimalsBelowTen => "has no decimals in any number below 10".to_owned(),
        }
    }
}

/// Numbers of one column in the order of the rows, and how many of them have no decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) whole: usize,
}

/// Checks that numbers can be multipliers, in a column that is named so.
pub(crate) fn check(numbers: Numbers<'_>) -> Result<(), Implausible> {
    let Numbers { values, whole } = numbers;
    let count = values.len();
    if count == 0 {
        return Err(Implausible::NoNumbers);
    }
    let share = |is: &dyn Fn(f64) -> bool| {
        values.iter().filter(|value| is(**value)).count() as f64 / count as f64
    };
    let is_monotonic = direction(values).is_some();
    if whole == count && (count >= WHOLE_MIN || values.iter().all(|value| *value >= 100.0)) {
        let hundredths = (1.0..=20.0).contains(&(median(values) / 100.0));
        let all_large = values.iter().all(|value| *value >= 100.0);
        return Err(match () {
            () if is_monotonic => Implausible::Monotonic,
            () if all_large && hundredths => Implausible::Hundredths,
            () => Implausible::WholeNumbers,
        });
    }
    if is_monotonic {
        return Err(Implausible::Monotonic);
    }
    if share(&|value| value < 1.0) > 0.2 {
        return Err(Implausible::BelowOne);
    }
    if share(&|value| value > 1e6) > 0.05 {
        return Err(Implausible::TooLarge);
    }
    let median = median(values);
    if count >= SHAPE_MIN && !(1.2..=20.0).contains(&median) {
        return Err(Implausible::Median(median));
    }
    let small = values.iter().filter(|value| **value < 10.0);
    if count >= SHAPE_MIN && !small.clone().any(|value| value.fract() != 0.0) {
        return Err(Implausible::NoDecimalsBelowTen);
    }
    Ok(())
}

/// Returns whether numbers in a column without such a name are clearly multipliers: at least 60, none below 1, most with
/// decimals, and distributed as in every crash game, where a multiplier of at least `x` has a chance of about 1 / `x`.
pub(crate) fn are_unmistakable(numbers: Numbers<'_>) -> bool {
    let Numbers { values, whole } = numbers;
    let count = values.len();
    count >= LAW_MIN
        && whole * 2 < count
        && check(numbers).is_ok()
        && values.iter().all(|value| (1.0..=1e6).contains(value))
        && follow_the_law(values)
}

/// Multipliers at which the shares are compared.
const MARKS: [f64; 8] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0];

/// Returns whether the share of numbers below each mark is that of a crash game, within the error of that many numbers.
///
/// Houses keep between 1 and 5 percent: that is the 0.02. A true recording fails the other tolerance in about one of a
/// thousand cases. The largest number is checked too, because a long recording has larger ones.
pub(crate) fn follow_the_law(values: &[f64]) -> bool {
    let count = values.len() as f64;
    let fits = |mark: f64| {
        let law = 1.0 - USUAL_RETURN / mark;
        let share = values.iter().filter(|value| **value < mark).count() as f64 / count;
        (share - law).abs() <= 0.02 + 4.0 * (law * (1.0 - law) / count).sqrt()
    };
    let highest = values.iter().copied().fold(1.0, f64::max);
    let chance_of_none_higher = (1.0 - USUAL_RETURN / highest).powf(count);
    MARKS.into_iter().all(fits) && chance_of_none_higher > 1e-3
}

/// Returns whether nearly all numbers rise (true) or fall (false) from row to row.
pub(crate) fn direction(values: &[f64]) -> Option<bool> {
    if values.len() < ORDER_MIN {
        return None;
    }
    let rises = values.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let falls = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let nearly_all = |count: usize, other: usize| {
        count > 0 && other * 20 <= count && (count + other) * 3 >= values.len()
    };
    match () {
        () if nearly_all(rises, falls) => Some(true),
        () if nearly_all(falls, rises) => Some(false),
        () => None,
    }
}

/// Returns the median; 0 if there are no numbers.
pub(crate) fn median(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut sorted = values.to_vec();
    let middle = sorted.len() / 2;
    let (_, median, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}
