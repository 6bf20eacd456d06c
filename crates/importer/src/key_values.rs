//! Lines of keys and values, as in logfmt: `time="2026-01-01 12:00:00" event=crash multiplier=2.31`.

use crate::encoding::TextSource;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::table::{Table, TextLines, first_lines};

/// Minimum number of keys in a line of this form.
const KEYS_MIN: usize = 2;
/// Keys that become columns.
const COLUMNS_MAX: usize = 200;

/// Lines that decide.
const SAMPLE_LINES: usize = 500;

/// Returns the table of such lines; `None` if most lines of the sample are others.
pub(crate) fn table(text: &TextSource) -> Result<Option<Table>, Refusal> {
    let sample = first_lines(text, SAMPLE_LINES)?;
    let fitting = sample.iter().filter(|line| fields(line).len() >= KEYS_MIN).count();
    if fitting * 5 <= sample.len() * 4 {
        return Ok(None);
    }
    let mut names: Vec<String> = Vec::new();
    for (key, _) in sample.iter().flat_map(|line| fields(line)) {
        if names.len() < COLUMNS_MAX && !names.iter().any(|name| name == key) {
            names.push(key.to_owned());
        }
    }
    let mut lines = TextLines::open(text)?;
    let mut rows = Vec::new();
    while let Some((number, line)) = lines.next_numbered()? {
        let found = fields(line);
        let cell = |name: &String| found.iter().find(|(key, _)| key == name).map_or("", |it| it.1);
        rows.push(Record::of(names.iter().map(cell), number));
    }
    Ok(Some(Table::held(Some(names), rows, "text, keys and values")))
}

/// Returns the keys and values of a line. A value reaches to the next key; quotation marks around it are left out.
fn fields(line: &str) -> Vec<(&str, &str)> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut is_quoted = false;
    for (at, char) in line.char_indices() {
        is_quoted ^= char == '"';
        if char != '=' || is_quoted {
            continue;
        }
        let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        let key = line[..at].trim_end_matches(is_key).len();
        let is_apart =
            line[..key].chars().next_back().is_none_or(|c| c.is_whitespace() || ",;|".contains(c));
        let is_name = line[key..at].starts_with(char::is_alphabetic);
        if is_apart && is_name && starts.last().is_none_or(|(_, value)| *value <= key) {
            starts.push((key, at + 1));
        }
    }
    let ends = starts.iter().skip(1).map(|(key, _)| *key).chain([line.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((key, value), end)| {
            let text = line[*value..end].trim_matches([' ', '\t', ',', ';', '|']).trim_matches('"');
            (&line[*key..value - 1], text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reaches_to_the_next_key() {
        assert_eq!(
            fields("time=2026-01-01 12:00:00 mult=2.31"),
            [("time", "2026-01-01 12:00:00"), ("mult", "2.31")]
        );
        assert_eq!(
            fields("ts=\"2026-01-01 12:00:00\", msg=\"a = b c=d\", x=2,31"),
            [("ts", "2026-01-01 12:00:00"), ("msg", "a = b c=d"), ("x", "2,31")]
        );
        assert_eq!(fields("2026-01-01 12:00:00,2.31"), []);
        assert_eq!(fields("a==b 1=2"), [("a", "=b 1=2")]);
    }
}
