//! Multipliers one after the other on a line, as people copy them from a page: `2.31x, 1.04x, 17.20x`.

use crate::encoding::TextSource;
use crate::number_forms::Convention;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::table::{Table, TextLines, first_lines};

/// Minimum number of numbers in the sample.
const NUMBERS_MIN: usize = 10;
/// Minimum number of numbers in the longest line: more than a table of rounds has columns.
const PER_LINE_MIN: usize = 5;

/// Lines that decide.
const SAMPLE_LINES: usize = 500;

/// Returns a table with one number a row; `None` if the sample is another text.
///
/// Every word must be a number with decimals or with a sign `x`, so that tables of ids and texts are none.
pub(crate) fn table(text: &TextSource) -> Result<Option<Table>, Refusal> {
    let sample = first_lines(text, SAMPLE_LINES)?;
    let counts: Option<Vec<usize>> = sample
        .iter()
        .map(|line| {
            let words = words(line);
            words.iter().all(|word| is_multiplier(word)).then_some(words.len())
        })
        .collect();
    let Some(counts) = counts else { return Ok(None) };
    let longest = counts.iter().copied().max().unwrap_or_default();
    if longest < PER_LINE_MIN || counts.iter().sum::<usize>() < NUMBERS_MIN {
        return Ok(None);
    }
    let mut lines = TextLines::open(text)?;
    let mut rows = Vec::new();
    while let Some((number, line)) = lines.next_numbered()? {
        rows.extend(words(line).into_iter().map(|word| Record::of([word], number)));
    }
    Ok(Some(Table::held(None, rows, "text, a list of numbers")))
}

/// Splits a line at white space, semicolons, bars, and commas that are followed by white space.
fn words(line: &str) -> Vec<&str> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ';' | '|');
    let parts = line.split(is_between).map(|word| word.trim_matches([',', '[', ']', '"']));
    let parts: Vec<&str> = parts.filter(|word| !word.is_empty()).collect();
    // Commas without spaces separate points, but are decimal commas elsewhere.
    if parts.iter().all(|word| word.contains('.') || !word.contains(',')) {
        return parts
            .iter()
            .flat_map(|word| word.split(','))
            .filter(|word| !word.is_empty())
            .collect();
    }
    parts
}

fn is_multiplier(word: &str) -> bool {
    let number = Convention::default().read(word);
    number.is_ok_and(|it| !it.is_percentage && it.value >= 1.0 && (it.decimals > 0 || it.has_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_into_its_numbers() {
        assert_eq!(words("2.31x, 1.04x,17.20x"), ["2.31x", "1.04x", "17.20x"]);
        assert_eq!(words("2,31 1,04; 17,20"), ["2,31", "1,04", "17,20"]);
        assert_eq!(words("[2.31, 1.04]"), ["2.31", "1.04"]);
        assert!(["2.31", "2.31x", "7x", "17,20"].into_iter().all(is_multiplier));
        assert!(["7", "0.97", "x", "a", "2.31%", ""].into_iter().all(|word| !is_multiplier(word)));
    }
}
