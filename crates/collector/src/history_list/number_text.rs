//! Reads the text of one entry of a page's list.

use rounds::Multiplier;

use crate::observation::HistoryEntry;

/// The zeros of the decimal digits that sites write numbers with: Arabic, Persian, Devanagari,
/// Bengali, Thai, full width.
const ZEROS: [char; 6] = ['٠', '۰', '०', '০', '๐', '０'];
/// Maximum length of a text that is quoted.
const QUOTED_MAX: usize = 40;

/// Returns whether the text holds a digit of any script; one without is no round.
pub(super) fn has_digit(text: &str) -> bool {
    text.chars().any(char::is_numeric)
}

/// Returns the round that the text shows.
pub(super) fn parse(text: &str) -> HistoryEntry {
    let plain = plain(text);
    let read = plain.parse::<Multiplier>().ok().or_else(|| parse_abbreviated(&plain));
    read.map_or_else(
        || HistoryEntry::Unreadable(plain.chars().take(QUOTED_MAX).collect()),
        HistoryEntry::Round,
    )
}

/// Returns the text with ASCII digits and signs, without marks of direction and line breaks.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut line_begins = false;
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => {
                // A page breaks lines and indents them within a number too.
                plain.truncate(plain.trim_end_matches(' ').len());
                line_begins = true;
            }
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            _ => {
                if c != ' ' || !line_begins {
                    line_begins = false;
                    plain.push(ascii(c));
                }
            }
        }
    }
    plain
}

fn ascii(c: char) -> char {
    match c {
        '٫' => '.',
        '٬' => ',',
        _ => {
            let digit = |zero: &char| {
                let value = u32::from(c).checked_sub(u32::from(*zero))?;
                (value < 10).then(|| char::from_digit(value, 10)).flatten()
            };
            ZEROS.iter().find_map(digit).unwrap_or(c)
        }
    }
}

/// Reads `1.23K` as 1230 and `1.2M` as 1,200,000, with or without a sign.
fn parse_abbreviated(text: &str) -> Option<Multiplier> {
    let is_sign = |c: char| matches!(c, 'x' | 'X' | '×' | 'х' | 'Х') || c.is_whitespace();
    let number = text.trim_matches(is_sign);
    let (number, factor) = number
        .strip_suffix(['k', 'K'])
        .map(|number| (number, 1e3))
        .or_else(|| number.strip_suffix(['m', 'M']).map(|number| (number, 1e6)))?;
    let value = number.trim().replace(',', ".").parse::<Multiplier>().ok()?.as_f64() * factor;
    // Hundredths are as exact as a page is; the product may not be.
    Multiplier::new((value * 100.0).round() / 100.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, cents: u64) {
        assert_eq!(parse(text).cents(), Some(cents), "{text:?}");
    }

    #[test]
    fn every_number_form_of_the_sites_is_read() {
        for text in [
            "x1.85",
            "1.85 X",
            "×1.85",
            "1,85x",
            "١٫٨٥x",
            "۱٫۸۵×",
            "१.८५x",
            "১.৮৫",
            "１.８５x",
            "1.\n85x",
            "1\n   .\n   85\n   x",
            "\u{200e}1.85x\u{200e}",
            "\u{2067}1.85\u{2069}x",
        ] {
            check(text, 185);
        }
        check("1.23K", 123_000);
        check("1.23Kx", 123_000);
        check("x 1,2k", 120_000);
        check("1.5M", 150_000_000);
        check("1,234.56x", 123_456);
        check("1 234.56x", 123_456);
    }

    #[test]
    fn what_cannot_be_read_is_quoted() {
        for text in ["1.23Q", "12 bets", "0.5x", "1.2.3x", "K1"] {
            assert_eq!(parse(text), HistoryEntry::Unreadable(text.to_owned()));
        }
    }
}
