//! The columns of a file: where the fields of a round are in a line.

use serde::{Deserialize, Serialize};

use crate::reader::column_names::ColumnName;
use crate::reader::fields::fields;
use crate::reader::plausibility::Prior;

/// In the order in which they are tried.
pub(crate) const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Where the fields of a round are in a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Columns {
    pub(crate) delimiter: u8,
    pub(crate) time: usize,
    pub(crate) multiplier: usize,
    /// The column of round ids.
    pub(crate) id: Option<usize>,
    /// The column that names the state of a round.
    pub(crate) state: Option<usize>,
    /// Whether rows are bets, so that equal neighbours are one round.
    pub(crate) has_bets: bool,
    /// Number of columns; a line with fewer or more fields is rejected.
    pub(crate) count: usize,
    /// The names of all columns; empty without a header.
    pub(crate) names: Vec<String>,
    /// Whether the name of the multiplier column is unambiguous.
    pub(crate) is_certain: bool,
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    /// It names one column of times and at least one that may hold multipliers.
    Known {
        /// The columns, with the first candidate as the one of multipliers.
        columns: Columns,
        /// All columns that may hold multipliers, as far as their names say.
        candidates: Vec<usize>,
    },
    /// It is a header that lacks one of the two.
    Lacking {
        /// The names of all columns.
        names: Vec<String>,
        /// Whether a column of times is named.
        has_time: bool,
        /// Whether a column of multipliers is named.
        has_multiplier: bool,
    },
    /// It names several columns of times.
    SeveralTimes {
        /// Their names.
        names: Vec<String>,
    },
}

impl Columns {
    /// Returns the columns of the files we write.
    pub(crate) fn ours() -> Self {
        Self {
            delimiter: b',',
            time: 0,
            multiplier: 1,
            id: None,
            state: None,
            has_bets: false,
            count: 2,
            names: vec!["timestamp".to_owned(), "multiplier".to_owned()],
            is_certain: true,
        }
    }

    /// Returns whether rows in the form we write can be read with these columns.
    pub(crate) fn are_as_ours(&self) -> bool {
        (self.delimiter, self.time, self.multiplier, self.count) == (b',', 0, 1, 2)
    }

    /// Returns how conclusive the name of the multiplier column is.
    pub(crate) fn prior(&self) -> Prior {
        if self.is_certain { Prior::Named } else { Prior::Guessed }
    }

    /// Returns the name of a column, or its number counted from 1.
    pub(crate) fn name(&self, column: usize) -> String {
        self.names.get(column).cloned().unwrap_or_else(|| format!("column {}", column + 1))
    }
}

/// Returns the columns that a header line names unambiguously.
pub(crate) fn columns_named(line: &[u8]) -> Option<Columns> {
    match header(line)? {
        Header::Known { columns, candidates } if candidates.len() == 1 => Some(columns),
        _ => None,
    }
}

/// Parses a header line; `None` for any other line.
pub(crate) fn header(line: &[u8]) -> Option<Header> {
    let mut lacking: Option<(usize, Header)> = None;
    for delimiter in DELIMITERS {
        let found = header_with(line, delimiter);
        match found {
            Some((_, known @ (Header::Known { .. } | Header::SeveralTimes { .. }))) => {
                return Some(known);
            }
            Some((count, found)) if lacking.as_ref().is_none_or(|(most, _)| count > *most) => {
                lacking = Some((count, found));
            }
            _ => {}
        }
    }
    lacking.map(|(_, found)| found)
}

fn header_with(line: &[u8], delimiter: u8) -> Option<(usize, Header)> {
    let fields = fields(line, delimiter).ok()?;
    let names: Vec<String> = fields.texts.iter().map(|name| name.trim().to_owned()).collect();
    let kinds: Vec<ColumnName> = names.iter().map(|name| ColumnName::of(name)).collect();
    let at = |wanted: ColumnName| -> Vec<usize> {
        (0..kinds.len()).filter(|&column| kinds[column] == wanted).collect()
    };
    let times = preferring(at(ColumnName::Time), &names, "timestamp");
    // Two columns of known names may differ: one may be what a bet was cashed out at.
    let certain = at(ColumnName::Multiplier);
    let is_certain = !certain.is_empty();
    let candidates = if is_certain { certain } else { at(ColumnName::PerhapsMultiplier) };
    if times.is_empty() && candidates.is_empty() {
        return None;
    }
    let count = names.len();
    let header = match (&times[..], candidates.first()) {
        ([_, _, ..], Some(_)) => {
            Header::SeveralTimes { names: times.iter().map(|&at| names[at].clone()).collect() }
        }
        (&[time], Some(&multiplier)) => {
            let only = |found: Vec<usize>| (found.len() == 1).then(|| found[0]);
            let columns = Columns {
                delimiter,
                time,
                multiplier,
                id: at(ColumnName::RoundId).first().copied(),
                state: only(at(ColumnName::State)),
                has_bets: kinds.contains(&ColumnName::Bet),
                count,
                names,
                is_certain,
            };
            Header::Known { columns, candidates }
        }
        (times, multiplier) => Header::Lacking {
            has_time: !times.is_empty(),
            has_multiplier: multiplier.is_some(),
            names,
        },
    };
    Some((count, header))
}

/// Leaves only the one column that has our own name, if there is exactly one.
fn preferring(columns: Vec<usize>, names: &[String], ours: &str) -> Vec<usize> {
    let own: Vec<usize> =
        columns.iter().copied().filter(|&at| names[at].eq_ignore_ascii_case(ours)).collect();
    if own.len() == 1 { own } else { columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn known(line: &str) -> (usize, usize, usize) {
        match header(line.as_bytes()) {
            Some(Header::Known { columns, candidates }) => {
                (columns.time, columns.multiplier, candidates.len())
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_header_names_the_columns_in_any_order() {
        assert_eq!(known("timestamp,multiplier"), (0, 1, 1));
        assert_eq!(known("Payout;ID;\"Created_At\""), (2, 0, 1));
        assert_eq!(known("\tTime\tCrash Point"), (1, 2, 1));
        assert_eq!(known("timestamp,stake,payout,actual_multiplier"), (0, 3, 1));
        assert_eq!(known("Data;Hora Local;Vela"), (0, 2, 1));
    }

    #[test]
    fn our_own_name_of_the_time_beats_other_known_ones() {
        assert_eq!(known("date,timestamp,crash_point,multiplier"), (1, 2, 2));
        assert_eq!(known("timestamp,crash point,bust"), (0, 1, 2));
        assert_eq!(known("timestamp,odds,payout"), (0, 1, 2));
    }

    #[test]
    fn a_header_that_lacks_a_column_says_which() {
        let lacking = |line: &str| match header(line.as_bytes()) {
            Some(Header::Lacking { has_time, has_multiplier, names }) => {
                (has_time, has_multiplier, names.len())
            }
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(lacking("observed_at,round_id,source"), (true, false, 3));
        assert_eq!(lacking("Multiplier"), (false, true, 1));
        assert_eq!(lacking("time;player_count"), (true, false, 2));
    }

    #[test]
    fn several_times_are_named() {
        let names = |line: &str| match header(line.as_bytes()) {
            Some(Header::SeveralTimes { names }) => names,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(names("date,time,multiplier"), ["date", "time"]);
        assert_eq!(names("timestamp,timestamp,multiplier"), ["timestamp", "timestamp"]);
    }

    #[test]
    fn other_lines_are_no_headers() {
        for line in ["", "2026-03-01 10:00:00,2.31", "a,b,c", "# exported by hand"] {
            assert_eq!(header(line.as_bytes()), None, "{line}");
        }
    }
}
