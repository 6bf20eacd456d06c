//! Reads rows in the form we write, without allocating.

use crate::Multiplier;
use crate::timestamp::{self, Written};

/// A row in the form we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuickRow {
    pub(crate) time: Written,
    pub(crate) multiplier: Multiplier,
    /// Its length in bytes, with its newline.
    pub(crate) taken: usize,
}

/// Reads a row in the form we write at the start of `bytes`, its newline included.
///
/// Only for our own columns. `None` for any other form, which the general reader handles.
pub(crate) fn quick_row(bytes: &[u8]) -> Option<QuickRow> {
    let (written, taken) = timestamp::quick(bytes)?;
    let digits = bytes.get(taken..)?.strip_prefix(b",")?;
    let (multiplier, length) = quick_multiplier(digits)?;
    let end = digits.get(length..)?;
    let line_end = if end.starts_with(b"\n") {
        1
    } else if end.starts_with(b"\r\n") {
        2
    } else {
        return None;
    };
    Some(QuickRow { time: written, multiplier, taken: taken + 1 + length + line_end })
}

/// Reads digits with an optional point and decimals: at most 15 in all, so that the result is exact.
fn quick_multiplier(bytes: &[u8]) -> Option<(Multiplier, usize)> {
    let mut mantissa = 0u64;
    let mut point = None;
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate().take(17) {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => break,
        }
        length = at + 1;
    }
    let decimals = point.map_or(0, |point| length - point - 1);
    let whole = length - decimals - usize::from(point.is_some());
    let is_plain = whole > 0
        && (whole == 1 || bytes[0] != b'0')
        && whole + decimals <= 15
        && (point.is_none() || decimals > 0);
    if !is_plain {
        return None;
    }
    // Both are whole numbers below 2^53, so the division rounds as parsing the text would.
    Multiplier::new(mantissa as f64 / POWERS_OF_TEN[decimals]).ok().map(|m| (m, length))
}

const POWERS_OF_TEN: [f64; 15] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Round;
    use crate::reader::columns::Columns;
    use crate::reader::{FileFormat, ReadOptions, detect, instant, read_row};

    /// Any time and any multiplier are within these.
    fn options() -> ReadOptions {
        let (earliest, latest) =
            (chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC);
        ReadOptions { max_multiplier: f64::INFINITY, earliest, latest, ..ReadOptions::default() }
    }

    #[track_caller]
    fn check_agreement(line: &[u8]) -> Option<Round> {
        let ended = [line, b"\n2025"].concat();
        let QuickRow { time, multiplier, taken } = quick_row(&ended)?;
        assert_eq!(taken, line.len() + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let options = options();
        let round = Round { time: instant(time, &options, None).ok()?, multiplier };
        let read = read_row(line, &mut FileFormat::new(Columns::ours()), &options, None);
        assert_eq!(read.map(|row| row.round), Ok(round), "{}", line.escape_ascii());
        Some(round)
    }

    #[test]
    fn the_quick_reader_takes_both_usual_forms() {
        for line in [
            "2025-12-10T19:32:35.123Z,2.31",
            "2025-12-10T19:32:35Z,2.3",
            "2025-12-10 19:32:35,1",
            "2025-12-10 19:32:35.123,10250.4012345\r",
        ] {
            assert!(check_agreement(line.as_bytes()).is_some(), "{line}");
        }
    }

    #[test]
    fn the_quick_reader_leaves_the_rest_to_the_general_one() {
        for line in [
            "2025-12-10T19:32:35.123Z,2.31x",
            "2025-12-10T19:32:35.123Z,2,31",
            "2025-12-10T19:32:35.123Z,02.31",
            "2025-12-10T19:32:35.123Z,2.",
            "2025-12-10T19:32:35.123Z,.5",
            "2025-12-10T19:32:35.123Z,0.5",
            "2025-12-10T19:32:35.123Z,",
            "2025-12-10T19:32:35.1Z,2.31",
            "2025-12-10T19:32:35+00:00,2.31",
            "2025-12-10T19:32:35.123Z,1.0000000000000001",
            "2025-12-10T19:32:35.123Z,\"2.31\"",
        ] {
            assert!(check_agreement(line.as_bytes()).is_none(), "{line}");
        }
        // Without its newline a row does not exist.
        assert_eq!(quick_row(b"2025-12-10T19:32:35.123Z,2.31"), None);
        assert_eq!(quick_row(b"2025-12-10T19:32:35.123Z,2.31\r"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_quick_reader_agrees_with_the_general_one(
            line in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?Z?,[0-9]{1,9}(\\.[0-9]{0,9})?x?\r?",
        ) {
            check_agreement(line.as_bytes());
        }

        #[test]
        fn the_quick_reader_agrees_on_damaged_rows(
            time in 0i64..4_000_000_000_000,
            cents in 100u64..100_000_000,
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"0159.,:-TZ x+\"\r\xff".to_vec()),
        ) {
            let round = Round {
                time: chrono::DateTime::from_timestamp_millis(time).unwrap(),
                multiplier: Multiplier::from_cents(cents).unwrap(),
            };
            let mut line = round.to_row().trim_end().to_owned().into_bytes();
            prop_assert_eq!(check_agreement(&line), Some(round));
            let at = at.index(line.len());
            line[at] = byte;
            check_agreement(&line);
        }

        #[test]
        fn no_line_breaks_the_reader(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let line: Vec<u8> = line.into_iter().filter(|&byte| byte != b'\n').collect();
            let ended = [&line[..], b"\n"].concat();
            let found = [Ok(FileFormat::new(Columns::ours())), detect(&ended, false).format];
            for mut format in found.into_iter().flatten() {
                if let Ok(row) = read_row(&line, &mut format, &options(), None) {
                    prop_assert!(row.round.multiplier >= Multiplier::ONE);
                }
            }
        }
    }
}
