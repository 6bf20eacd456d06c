//! Reads CSV files in the many formats that people have.

use chrono::{DateTime, Local, NaiveDateTime, TimeZone, Utc};
use rounds::{Chunk, Cursor, Multiplier, Round};

use crate::generated::recording;

/// An instant if it ends in `Z`, else what a clock on the wall here showed.
fn time(text: &str) -> DateTime<Utc> {
    if text.ends_with('Z') {
        return text.parse().unwrap();
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
    Local.from_local_datetime(&naive).unwrap().to_utc()
}

fn read(bytes: &[u8]) -> Chunk {
    let length = bytes.len() as u64;
    Cursor::default().read(&mut std::io::Cursor::new(bytes), length).unwrap()
}

#[track_caller]
fn check(file: &[u8], rounds: &[(&str, f64)], rejected: &[(u64, &str)]) {
    let expected: Vec<Round> = rounds
        .iter()
        .map(|&(text, value)| Round {
            time: time(text),
            multiplier: Multiplier::new(value).unwrap(),
        })
        .collect();
    let piece = read(file);
    assert_eq!(piece.rounds, expected);
    let found: Vec<(u64, String)> =
        piece.rejected.iter().map(|row| (row.line, row.reason.to_string())).collect();
    let found: Vec<(u64, &str)> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(found, rejected);
    assert_eq!(piece.rejected_count, rejected.len() as u64);
}

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("golden/", $name))
    };
}

#[test]
fn files_of_the_collector_are_read() {
    check(
        golden!("ours.csv"),
        &[
            ("2025-12-10T19:32:35.123Z", 12.06),
            ("2025-12-10T19:32:58Z", 1.0),
            ("2025-12-10T19:33:09.877Z", 1.231_054_8),
            ("2025-12-10T19:33:40.001Z", 10_250.4),
        ],
        &[],
    );
}

#[test]
fn local_times_are_those_of_this_machine() {
    check(
        golden!("local_times.csv"),
        &[
            ("2025-12-10 19:32:35", 12.06),
            ("2025-12-10 19:32:58.5", 1.8),
            ("2025-12-11 06:00:00", 3.0),
        ],
        &[],
    );
}

#[test]
fn a_file_without_a_header_is_read_from_a_scraped_list_with_colours() {
    check(
        golden!("scraped_strip.csv"),
        &[
            ("2024-07-24 19:20:46", 4.53),
            ("2024-07-24 19:20:46", 1.92),
            ("2024-07-24 19:20:46", 7.68),
            ("2024-07-24 19:22:10", 1090.08),
            ("2024-07-24 19:19:59", 1.0),
        ],
        &[],
    );
}

#[test]
fn days_may_come_before_months() {
    check(
        golden!("day_first.csv"),
        &[
            ("2024-07-24 19:20:46", 2.23),
            ("2024-07-24 19:21:10", 1.07),
            ("2024-08-01 00:00:03", 15.4),
        ],
        &[],
    );
}

#[test]
fn columns_may_come_in_any_order_and_rows_newest_first() {
    check(
        golden!("newest_first.csv"),
        &[
            ("2025-03-02T10:00:41Z", 1.55),
            ("2025-03-02T10:00:12Z", 8.02),
            ("2025-03-02T09:59:55Z", 1.0),
        ],
        &[],
    );
}

#[test]
fn between_semicolons_a_comma_is_a_decimal_comma() {
    check(
        golden!("semicolons.csv"),
        &[
            ("2025-03-02 10:00:12", 2.31),
            ("2025-03-02 10:00:41", 1090.08),
            ("2025-03-02 19:00:31", 3.07),
        ],
        &[
            (5, "too few fields: 1 for 5 columns"),
            (
                6,
                "multiplier: a comma followed by three digits may be a decimal sign or a thousands separator",
            ),
        ],
    );
}

#[test]
fn time_offsets_and_seven_decimals_are_kept() {
    check(
        golden!("iso_offsets.csv"),
        &[
            ("2026-03-17T15:09:55Z", 1.231_054_8),
            ("2026-03-17T15:10:21.5Z", 3.400_000_1),
            ("2026-03-17T15:10:44.1234567Z", 1.0),
        ],
        &[],
    );
}

#[test]
fn repeated_rows_within_a_file_are_rounds() {
    let repeated = ("2025-03-02T10:00:12Z", 2.31);
    check(
        golden!("repeated_rows.csv"),
        &[repeated, repeated, ("2025-03-02T10:00:41Z", 1.1), repeated],
        &[],
    );
}

/// A decimal comma without quotation marks makes two fields, and `2` alone would be wrong.
#[test]
fn a_decimal_comma_must_be_quoted_among_commas() {
    check(
        golden!("byte_order_mark.csv"),
        &[("2025-03-02T10:00:12Z", 2.31), ("2025-03-02T10:00:41Z", 1090.08)],
        &[
            (4, "too many fields: 3 for 2 columns"),
            (
                5,
                "multiplier: a comma followed by three digits may be a decimal sign or a thousands separator",
            ),
        ],
    );
}

#[test]
fn columns_are_found_by_their_names_among_others() {
    check(
        golden!("other_columns.csv"),
        &[("2025-03-02T10:00:12Z", 2.31), ("2025-03-02T10:01:30Z", 1.66)],
        &[(3, "too many fields: 5 for 4 columns"), (4, "too few fields: 3 for 4 columns")],
    );
}

#[test]
fn bad_lines_are_reported_one_by_one_and_do_not_stop_the_reader() {
    check(
        golden!("rubbish.csv"),
        &[("2025-03-02T10:00:12Z", 2.31), ("2025-03-02T10:02:30Z", 4.2)],
        &[
            (3, "not UTF-8 text"),
            (4, "not UTF-8 text"),
            (5, "a quotation mark is not closed"),
            (6, "multiplier: below 1"),
            (7, "too few fields: 1 for 2 columns"),
            (8, "too few fields: 1 for 2 columns"),
            (9, "time: none of the accepted forms"),
            (10, "time: none of the accepted forms"),
            (11, "multiplier: not a number"),
        ],
    );
    assert_eq!(read(golden!("rubbish.csv")).torn_bytes, 24);
}

#[test]
fn columns_that_can_be_mistaken_are_not_guessed() {
    let reason = "the file as a whole is refused";
    check(golden!("two_numbers.csv"), &[], &[(1, reason), (2, reason)]);
}

#[test]
fn a_header_of_unknown_names_refuses_the_file() {
    let reason = "the file as a whole is refused";
    check(golden!("unknown_header.csv"), &[], &[(1, reason), (2, reason), (3, reason)]);
}

#[test]
fn tabs_also_separate_columns() {
    check(
        golden!("tabs.csv"),
        &[("2025-03-02T10:00:12Z", 2.31), ("2025-03-02T10:00:41Z", 1.1)],
        &[],
    );
}

#[test]
fn a_file_without_rows_is_not_an_error() {
    for text in ["", "\n", "timestamp,multiplier\n", "timestamp,multiplier", "\u{feff}"] {
        check(text.as_bytes(), &[], &[]);
    }
}

#[test]
fn a_line_too_long_for_a_row_is_skipped_wherever_a_chunk_ends() {
    for length in [65_535, 65_536, 65_537, 262_143, 262_144, 1_000_000] {
        let text = format!(
            "timestamp,multiplier\n2025-03-02T10:00:12Z,2.31\n{}\n2025-03-02T10:00:41Z,1.10\n",
            "7".repeat(length)
        );
        let piece = read(text.as_bytes());
        assert_eq!(piece.rounds.len(), 2);
        assert_eq!(piece.rejected.len(), 1);
        assert_eq!(piece.rejected[0].line, 3);
        assert!(piece.rejected[0].text.len() <= rounds::REJECTED_TEXT_MAX);
        assert_eq!(piece.torn_bytes, 0);
        let unended = read(&text.as_bytes()[..60]);
        assert_eq!((unended.rounds.len(), unended.rejected_count), (1, 0));
    }
}

#[test]
fn rejected_lines_are_kept_up_to_a_limit_and_counted_beyond() {
    let text =
        "timestamp,multiplier\n2025-12-10 19:32:35,2.31\n".to_owned() + &"no round\n".repeat(5000);
    let piece = read(text.as_bytes());
    assert_eq!(piece.rejected.len(), rounds::REJECTED_MAX);
    assert_eq!(piece.rejected_count, 5000);
}

/// A cursor can be serialised.
#[test]
fn reading_continues_from_a_stored_cursor() {
    let text = std::str::from_utf8(golden!("ours.csv")).unwrap();
    let all = read(text.as_bytes()).rounds;
    for cut in 0..=text.len() {
        let mut file = std::io::Cursor::new(text.as_bytes());
        let mut cursor = Cursor::default();
        let first = cursor.read(&mut file, cut as u64).unwrap();
        let kept = serde_json::to_string(&cursor).unwrap();
        let mut cursor: Cursor = serde_json::from_str(&kept).unwrap();
        let rest = cursor.read(&mut file, text.len() as u64).unwrap();
        let rounds =
            if rest.from_start { rest.rounds } else { [first.rounds, rest.rounds].concat() };
        assert_eq!(rounds, all);
        assert_eq!((cursor.offset(), cursor.line()), (text.len() as u64, 5));
    }
}

#[test]
fn a_file_shorter_than_expected_does_not_move_the_cursor() {
    let text = golden!("ours.csv");
    let mut cursor = Cursor::default();
    let mut file = std::io::Cursor::new(&text[..60]);
    assert!(cursor.read(&mut file, text.len() as u64).is_err());
    assert_eq!(cursor, Cursor::default());
}

/// Returns a row padded with spaces to `length`, newline not counted.
fn padded(length: usize) -> String {
    let row = "2025-03-02T10:00:12Z,2.31";
    format!("{row}{}\n", " ".repeat(length - row.len()))
}

#[test]
fn a_line_may_have_64_kib_but_not_one_byte_more() {
    for (length, rounds) in [(65_535, 1), (65_536, 1), (65_537, 0), (65_538, 0)] {
        let text = format!("timestamp,multiplier\n{}{}", padded(length), padded(30));
        let piece = read(text.as_bytes());
        assert_eq!(piece.rounds.len(), rounds + 1, "{length}");
        assert_eq!(piece.rejected_count, 1 - rounds as u64, "{length}");
        for rejected in piece.rejected {
            assert_eq!((rejected.line, rejected.text.as_str()), (2, ""));
            assert_eq!(rejected.reason.to_string(), "longer than 65536 bytes");
        }
    }
}

/// Files are read 256 KiB at a time. Here the longest line just fits, and its newline is the first
/// byte of the next chunk.
#[test]
fn a_line_of_64_kib_is_read_if_a_chunk_ends_with_it() {
    let text = format!("timestamp,multiplier\n{}", padded(65_528).repeat(3));
    assert_eq!(text.len() + 65_536, 1 << 18);
    let piece = read(format!("{text}{}{}", padded(65_536), padded(30)).as_bytes());
    assert_eq!((piece.rounds.len(), piece.rejected_count), (5, 0));
}

#[test]
fn every_line_is_numbered_from_one_whatever_it_holds() {
    let long = "7".repeat(300_000);
    let text = format!("\n\r\ntimestamp,multiplier\n\n{long}\n{}no round\n\nnone\n", padded(30));
    let found: Vec<u64> = read(text.as_bytes()).rejected.iter().map(|row| row.line).collect();
    assert_eq!(found, [5, 7, 9]);
}

#[test]
fn eighty_characters_of_a_rejected_line_are_kept() {
    for sign in ["x", "é", "\u{1f3b2}"] {
        for (count, kept) in [(79, 79), (80, 80), (81, 80), (5000, 80)] {
            let text = format!("timestamp,multiplier\n{}\n", sign.repeat(count));
            assert_eq!(read(text.as_bytes()).rejected[0].text, sign.repeat(kept));
        }
    }
}

/// The torn header is itself a valid header.
#[test]
fn a_header_counts_once_its_newline_is_written() {
    let text = "timestamp,multiplier,table\n2025-03-02T10:00:12Z,2.31,eu\n";
    let mut file = std::io::Cursor::new(text.as_bytes());
    let mut cursor = Cursor::default();
    let first = cursor.read(&mut file, "timestamp,multiplier".len() as u64).unwrap();
    assert_eq!((first.rounds.len(), first.torn_bytes, cursor.offset()), (0, 20, 0));
    let piece = cursor.read(&mut file, text.len() as u64).unwrap();
    assert_eq!((piece.rounds.len(), piece.rejected_count), (1, 0));
}

#[test]
fn a_file_without_a_header_is_known_after_two_hundred_lines() {
    for (lines, is_known) in [(1, false), (16, false), (199, false), (200, true), (201, true)] {
        let rows: Vec<String> = recording(5, lines + 1).iter().map(Round::to_row).collect();
        let text = rows.concat();
        let mut file = std::io::Cursor::new(text.as_bytes());
        let mut cursor = Cursor::default();
        let start = rows[..lines].concat().len() as u64;
        let first = cursor.read(&mut file, start).unwrap();
        assert_eq!((first.rounds.len(), first.from_start), (lines, true));
        let rest = cursor.read(&mut file, text.len() as u64).unwrap();
        assert_eq!(rest.from_start, !is_known, "{lines}");
        assert_eq!(rest.rounds.len(), if is_known { 1 } else { lines + 1 });
    }
}

#[test]
fn a_header_may_follow_empty_lines_but_counts_only_once() {
    let row = "2025-03-02T10:00:12Z,2.31\n";
    let text = format!("\n  \ntimestamp,multiplier\n{row}timestamp,multiplier\n{row}");
    let piece = read(text.as_bytes());
    assert_eq!((piece.rounds.len(), piece.rejected.len()), (2, 1));
    assert_eq!(piece.rejected[0].line, 5);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_row() {
    let row = "2025-03-02T10:00:12Z,2.31\n";
    let header = "timestamp,multiplier\n";
    for (text, rejected) in [
        (format!("\u{feff}{row}"), 0),
        (format!("\u{feff}{header}{row}"), 0),
        (format!("{header}\u{feff}{row}"), 1),
    ] {
        let piece = read(text.as_bytes());
        assert_eq!(piece.rejected_count, rejected, "{text:?}");
    }
}
