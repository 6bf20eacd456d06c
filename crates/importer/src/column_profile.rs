//! What a sample of rows shows of one column.

use crate::header_names::{Role, ends_round, role};
use crate::number_forms::Convention;
use crate::record::{Record, excerpt};
use crate::time_forms::{self, DateText, NumericTime, TimeProblem};

/// One column of the sample.
#[derive(Debug, Clone)]
pub(crate) struct ColumnProfile {
    /// Index of the column, from 0.
    pub(crate) index: usize,
    pub(crate) name: Option<String>,
    pub(crate) role: Role,
    /// Cells that are not empty.
    pub(crate) filled: usize,
    /// Of these, cells with a date and a time of day.
    pub(crate) times: usize,
    /// Cells with only a date.
    pub(crate) dates: usize,
    /// Cells with only a time of day.
    pub(crate) clocks: usize,
    /// Dates with a two-digit year.
    pub(crate) short_years: usize,
    /// Numbers, in the order of the rows.
    pub(crate) values: Vec<f64>,
    /// Numbers without decimals.
    pub(crate) whole: usize,
    /// Numbers with a sign `x`.
    pub(crate) signed: usize,
    /// Numbers with a sign `%`.
    pub(crate) percentages: usize,
    /// Numbers that can be read in two ways.
    pub(crate) ambiguous: usize,
    /// How its numbers are written.
    pub(crate) convention: Convention,
    /// The first distinct texts.
    pub(crate) distinct: Vec<String>,
}

/// Number of distinct texts that are kept.
const DISTINCT_MAX: usize = 8;

/// Placeholders for a missing value.
pub(crate) fn is_empty(cell: &str) -> bool {
    cell.is_empty()
        || ["nan", "null", "none", "n/a", "na", "nat", "-", "—", "–"]
            .iter()
            .any(|word| cell.eq_ignore_ascii_case(word))
}

impl ColumnProfile {
    /// Describes all columns of a sample of rows; rows of another width are ignored.
    pub(crate) fn all(names: Option<&[String]>, rows: &[Record], width: usize) -> Vec<Self> {
        let rows: Vec<&Record> = rows.iter().filter(|row| row.fits(width)).collect();
        (0..width)
            .map(|index| Self::of(names.and_then(|names| names.get(index)), &rows, index))
            .collect()
    }

    fn of(name: Option<&String>, rows: &[&Record], index: usize) -> Self {
        let cells = || rows.iter().filter_map(|row| row.get(index)).filter(|cell| !is_empty(cell));
        let role = name.map_or(Role::Unknown, |name| role(name));
        let mut profile = Self {
            index,
            name: name.cloned(),
            role,
            filled: 0,
            times: 0,
            dates: 0,
            clocks: 0,
            short_years: 0,
            values: Vec::new(),
            whole: 0,
            signed: 0,
            percentages: 0,
            ambiguous: 0,
            convention: Convention::of(cells()),
            distinct: Vec::new(),
        };
        cells().for_each(|cell| profile.add(cell));
        profile
    }

    fn add(&mut self, cell: &str) {
        self.filled += 1;
        if self.distinct.len() < DISTINCT_MAX && !self.distinct.iter().any(|known| known == cell) {
            self.distinct.push(cell.to_owned());
        }
        match self.convention.read(cell) {
            Ok(number) => {
                self.values.push(number.value);
                self.whole += usize::from(number.decimals == 0);
                self.signed += usize::from(number.has_sign);
                self.percentages += usize::from(number.is_percentage);
            }
            Err(crate::number_forms::NumberProblem::Ambiguous) => self.ambiguous += 1,
            Err(_) => self.add_time(cell),
        }
    }

    fn add_time(&mut self, cell: &str) {
        match time_forms::read(cell) {
            Ok(parts) => match (parts.date, parts.clock) {
                (DateText::None, _) => self.clocks += 1,
                (_, None) => self.dates += 1,
                _ => self.times += 1,
            },
            Err(TimeProblem::TwoDigitYear) => self.short_years += 1,
            Err(_) => {}
        }
    }

    /// Returns whether at least this share of the cells is of one kind.
    pub(crate) fn is_mostly(&self, count: usize, share: f64) -> bool {
        self.filled > 0 && count as f64 >= share * self.filled as f64
    }

    /// Returns what its numbers count, if they are times.
    pub(crate) fn numeric_time(&self) -> Option<NumericTime> {
        let unit = NumericTime::of(*self.values.first()?)?;
        let same =
            self.values.iter().filter(|value| NumericTime::of(**value) == Some(unit)).count();
        self.is_mostly(same, 0.8).then_some(unit)
    }

    /// Returns whether its values or its name denote the phases of a round.
    pub(crate) fn is_state(&self) -> bool {
        let are_words = self.distinct.len() >= 2
            && self.distinct.len() < DISTINCT_MAX
            && self.distinct.iter().all(|value| ends_round(value).is_some());
        are_words || self.role == Role::State && self.values.len() * 2 < self.filled.max(1)
    }

    /// Returns what messages call the column: its name, or its number from 1.
    pub(crate) fn label(&self) -> String {
        match &self.name {
            Some(name) if !name.trim().is_empty() => name.trim().to_owned(),
            _ => (self.index + 1).to_string(),
        }
    }

    /// Describes the contents of the column in one line.
    pub(crate) fn describe(&self) -> String {
        let name = match &self.name {
            Some(name) if !name.trim().is_empty() => {
                format!("`{}` (column {})", excerpt(name.trim(), 40), self.index + 1)
            }
            _ => format!("column {}", self.index + 1),
        };
        let first = self
            .distinct
            .first()
            .map_or_else(String::new, |first| format!(", such as {}", excerpt(first, 40)));
        format!("{name}: {}{first}", self.contents())
    }

    fn contents(&self) -> String {
        if self.filled == 0 {
            return "empty".to_owned();
        }
        let kinds = [
            (self.times, "times"),
            (self.dates, "dates"),
            (self.clocks, "times of day"),
            (self.short_years, "dates with a year of two digits"),
        ];
        if let Some((_, kind)) = kinds.into_iter().find(|(count, _)| self.is_mostly(*count, 0.5)) {
            return kind.to_owned();
        }
        if !self.is_mostly(self.values.len(), 0.5) {
            return if self.is_mostly(self.ambiguous, 0.5) {
                "numbers that can be read in two ways"
            } else {
                "texts"
            }
            .to_owned();
        }
        let kind = match () {
            () if self.is_mostly(self.percentages, 0.5) => "percentages",
            () if self.whole == self.values.len() => "whole numbers",
            () => "numbers",
        };
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let order = match crate::plausibility::direction(&self.values) {
            Some(true) => ", rising from row to row",
            Some(false) => ", falling from row to row",
            None => "",
        };
        format!("{kind} from {low} to {high}{order}")
    }
}
