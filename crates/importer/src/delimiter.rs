//! What separates the cells of a line.

use std::fmt;

use crate::record::Record;

/// What separates cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// One character.
    Char(char),
    /// One or more spaces or tabs; a date and the following time of day stay together.
    Spaces,
    /// Nothing: each line is one cell.
    None,
}

impl Delimiter {
    /// All delimiters, in order of preference among equally good ones.
    pub(crate) const ALL: [Self; 6] = [
        Self::Char(','),
        Self::Char(';'),
        Self::Char('\t'),
        Self::Char('|'),
        Self::None,
        Self::Spaces,
    ];

    /// Returns the delimiter that a line `sep=;` names.
    pub(crate) fn named(line: &str) -> Option<Self> {
        let line =
            line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).trim_matches('"');
        let named = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep="))?;
        let mut rest = line[named.len()..].chars();
        match (rest.next(), rest.next()) {
            (Some(char), None) => Some(Self::Char(char)),
            _ => None,
        }
    }

    /// Splits a line into the cells of `record`; false if a quotation mark is not closed.
    pub(crate) fn split(self, line: &str, record: &mut Record) -> bool {
        record.clear();
        match self {
            Self::Char(char) if line.contains('"') => split_quoted(line, char, record),
            Self::Char(char) => {
                line.split(char).for_each(|cell| record.push(cell));
                true
            }
            Self::Spaces => {
                split_spaces(line, record);
                true
            }
            Self::None => {
                record.push(line.trim().trim_matches('"'));
                true
            }
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(',') => f.write_str("comma"),
            Self::Char(';') => f.write_str("semicolon"),
            Self::Char('\t') => f.write_str("tab"),
            Self::Char('|') => f.write_str("pipe"),
            Self::Char(char) => write!(f, "`{char}`"),
            Self::Spaces => f.write_str("spaces"),
            Self::None => f.write_str("one column"),
        }
    }
}

/// Quotation marks enclose delimiters, and are doubled within a cell. A record never spans lines: one stray mark must
/// not swallow the rest of the file.
fn split_quoted(line: &str, delimiter: char, record: &mut Record) -> bool {
    let mut chars = line.chars().peekable();
    let mut buffer = [0; 4];
    let mut is_quoted = false;
    record.push("");
    let mut is_start = true;
    while let Some(char) = chars.next() {
        if is_quoted {
            if char != '"' {
                record.extend_last(char.encode_utf8(&mut buffer));
            } else if chars.peek() == Some(&'"') {
                chars.next();
                record.extend_last("\"");
            } else {
                is_quoted = false;
            }
        } else if char == delimiter {
            record.push("");
            is_start = true;
            continue;
        } else if char == '"' && is_start {
            is_quoted = true;
        } else {
            record.extend_last(char.encode_utf8(&mut buffer));
        }
        is_start = is_start && char == ' ';
    }
    !is_quoted
}

fn split_spaces(line: &str, record: &mut Record) {
    let mut before: Option<&str> = None;
    let mut is_time = false;
    for word in line.split_whitespace() {
        let word = word.trim_matches('"');
        let is_clock = starts_like_clock(word);
        let joins = before.is_some_and(starts_like_date) && is_clock
            || is_time && matches!(word, "AM" | "PM" | "am" | "pm" | "UTC" | "Z");
        if joins {
            record.extend_last(" ");
            record.extend_last(word);
        } else {
            record.push(word);
        }
        is_time = is_clock;
        before = Some(word);
    }
}

/// `2026-03-…`, `01/03/…`, `1.3.…`
fn starts_like_date(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let mut separators = word.bytes().filter(|byte| matches!(byte, b'-' | b'/' | b'.'));
    (1..=4).contains(&digits) && separators.clone().count() == 2 && {
        let first = separators.next();
        separators.next() == first
    }
}

/// `9:05…`, `21:16:31`
fn starts_like_clock(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits) && word.as_bytes().get(digits) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(delimiter: Delimiter, line: &str, cells: &[&str]) {
        let mut record = Record::default();
        assert!(delimiter.split(line, &mut record), "{line}");
        assert_eq!(record.cells().collect::<Vec<_>>(), cells, "{line}");
    }

    #[test]
    fn lines_are_split_into_cells() {
        check(Delimiter::Char(','), "a, b,,c", &["a", "b", "", "c"]);
        check(Delimiter::Char('\t'), "\ta\tb", &["", "a", "b"]);
        check(
            Delimiter::Char(','),
            r#""2,31",a "b" c,"say ""x""""#,
            &["2,31", "a \"b\" c", "say \"x\""],
        );
        check(
            Delimiter::Spaces,
            "2026-03-01  11:00:24 AM  1.14",
            &["2026-03-01 11:00:24 AM", "1.14"],
        );
        check(Delimiter::Spaces, "1.14 2.05", &["1.14", "2.05"]);
        let mut record = Record::default();
        assert!(!Delimiter::Char(',').split("a,\"b", &mut record));
    }

    #[test]
    fn a_line_may_name_the_delimiter() {
        assert_eq!(Delimiter::named("sep=;"), Some(Delimiter::Char(';')));
        assert_eq!(Delimiter::named("\u{feff}SEP=,"), Some(Delimiter::Char(',')));
        assert_eq!(Delimiter::named("separator"), None);
    }
}
