//! A row is committed by its newline.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rounds::scan::Directory;
use rounds::{Event, EventKind, Origin, Round, RoundLog};

use crate::directory::{now, round};

/// Returns a directory with one file of five rounds, no longer open for writing.
fn written() -> (tempfile::TempDir, PathBuf, Vec<Round>) {
    let dir = tempfile::tempdir().unwrap();
    let rounds: Vec<Round> = (0..5).map(|n| round(n * 1000)).collect();
    let mut log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    for round in &rounds {
        log.append(round, &Event::new(EventKind::Live, "test")).unwrap();
    }
    let path = log.path().to_owned();
    (dir, path, rounds)
}

fn found(dir: &Path) -> (Vec<Round>, u64) {
    let changes = Directory::new(dir).scan().unwrap();
    assert!(changes.iter().all(|change| change.rejected_count == 0), "{changes:?}");
    let torn = changes.iter().map(|change| change.torn_bytes).sum();
    (changes.into_iter().flat_map(|change| change.rounds).collect(), torn)
}

#[test]
fn a_file_cut_anywhere_in_its_last_two_rows_reopens_with_whole_rows() {
    let (dir, path, rounds) = written();
    let whole = fs::read(&path).unwrap();
    let last_two: usize = rounds[3..].iter().map(|round| round.to_row().len()).sum();
    for cut in whole.len() - last_two..=whole.len() {
        for entry in fs::read_dir(dir.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        fs::write(&path, &whole[..cut]).unwrap();
        let rows = whole[..cut].split(|&byte| byte == b'\n').count() - 2;
        let end = whole[..cut].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        assert_eq!(found(dir.path()), (rounds[..rows].to_vec(), (cut - end) as u64));

        let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole[..end]);
        assert_eq!(found(dir.path()), (rounds[..rows].to_vec(), 0));
        assert_ne!(log.path(), path, "an old file is never written to again");
        let torn: Vec<u8> = log.repairs().iter().fold(Vec::new(), |all, repair| {
            assert_eq!(repair.file, path);
            [all, fs::read(&repair.torn).unwrap()].concat()
        });
        assert_eq!(torn, whole[end..cut], "what was cut off is kept");
    }
}

#[test]
fn a_file_cut_anywhere_in_its_header_reopens_without_rows() {
    let (dir, path, _) = written();
    let whole = fs::read(&path).unwrap();
    for cut in 0..21 {
        fs::write(&path, &whole[..cut]).unwrap();
        let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(log.repairs().len(), usize::from(cut > 0));
        assert_eq!(found(dir.path()), (vec![], 0));
    }
}

#[test]
fn copies_of_torn_tails_are_never_overwritten() {
    let (dir, path, rounds) = written();
    for torn in ["2025-", "2025-12", "2025-12-10"] {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, torn.as_bytes()).unwrap();
        let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
        assert_eq!(log.repairs()[0].bytes, torn.len() as u64);
    }
    for (ending, torn) in [("", "2025-"), ("_1", "2025-12"), ("_2", "2025-12-10")] {
        let copy = format!("{}.torn{ending}", path.display());
        assert_eq!(fs::read_to_string(copy).unwrap(), torn);
    }
    assert_eq!(found(dir.path()), (rounds, 0));
}

/// A file that someone else wrote may lack its last newline; it is read up to its last whole line
/// and left unchanged.
#[test]
fn files_of_others_are_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    let own = "timestamp,multiplier\n2025-12-09T19:32:35.000Z,12.06\n2025-12-09T19:33:01.000Z,1.33";
    let oldest = dir.path().join("aviator_payouts_20251209_193235.csv");
    fs::write(&oldest, own).unwrap();
    let named_otherwise = dir.path().join("aviator_payouts_mine.csv");
    fs::write(&named_otherwise, own).unwrap();
    let without_newline = dir.path().join("aviator_payouts_20251210_000000.csv");
    fs::write(&without_newline, "1.33\r2.44\r3.55").unwrap();
    let log = RoundLog::open(dir.path(), Origin::Recorded, now()).unwrap();
    assert_eq!(log.repairs(), []);
    assert_eq!(fs::read_to_string(oldest).unwrap(), own);
    assert_eq!(fs::read_to_string(named_otherwise).unwrap(), own);
    assert_eq!(fs::read_to_string(without_newline).unwrap(), "1.33\r2.44\r3.55");
}

proptest! {
    #[test]
    fn no_prefix_of_a_file_yields_a_row_that_was_not_written(
        cents in prop::collection::vec(100u64..1_000_000, 0..40),
        crlf in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let rounds: Vec<Round> = (0u64..)
            .zip(&cents)
            .map(|(n, &cents)| Round {
                multiplier: rounds::Multiplier::from_cents(cents).unwrap(),
                ..round(n)
            })
            .collect();
        let mut text = "timestamp,multiplier\n".to_owned();
        text.extend(rounds.iter().map(Round::to_row));
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let cut = cut.index(text.len() + 1);
        let mut file = std::io::Cursor::new(&text.as_bytes()[..cut]);
        let piece = rounds::Cursor::default().read(&mut file, cut as u64).unwrap();
        let whole = text[..cut].matches('\n').count().saturating_sub(1);
        prop_assert_eq!(&piece.rounds, &rounds[..whole]);
        prop_assert_eq!(piece.rejected_count, 0);
    }

    #[test]
    fn a_row_reads_back_as_the_round_it_was(
        millis in 1_230_768_000_000i64..1_765_000_000_000,
        value in 1.0f64..1e6,
        decimals in 0u32..6,
    ) {
        let scale = f64::from(10u32.pow(decimals));
        let round = Round {
            time: chrono::DateTime::from_timestamp_millis(millis).unwrap(),
            multiplier: rounds::Multiplier::new((value * scale).round() / scale).unwrap(),
        };
        // The fast parser reads the row as it is; an extra column needs the general one.
        for text in [
            format!("timestamp,multiplier\n{}", round.to_row()),
            format!("timestamp,multiplier,note\n{}", round.to_row().replace('\n', ",x\n")),
        ] {
            let mut file = std::io::Cursor::new(text.as_bytes());
            let piece = rounds::Cursor::default().read(&mut file, text.len() as u64).unwrap();
            prop_assert_eq!(piece.rounds, [round]);
        }
    }
}

/// Counts the bytes that are read of a file.
struct Counted<'a> {
    bytes: std::io::Cursor<&'a [u8]>,
    read: usize,
}

impl std::io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl std::io::Seek for Counted<'_> {
    fn seek(&mut self, position: std::io::SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(position)
    }
}

#[test]
fn an_endless_line_is_read_once_while_it_grows() {
    for head in ["", "\u{feff}", "timestamp,multiplier\n", "# a comment\n", "no,such,header\n"] {
        for filling in [b'7', b'\0'] {
            let mut text = head.as_bytes().to_vec();
            let mut cursor = rounds::Cursor::default();
            for growth in [1 << 20, 1000, 1, 1 << 16] {
                text.extend(vec![filling; growth]);
                let mut file = Counted { bytes: std::io::Cursor::new(&text), read: 0 };
                let chunk = cursor.read(&mut file, text.len() as u64).unwrap();
                assert_eq!(chunk.rounds, []);
                assert_eq!(cursor.position(), text.len() as u64, "{head:?} {filling}");
                assert!(growth == 1 << 20 || file.read == growth, "{head:?} {filling} {growth}");
            }
        }
    }
}

#[test]
fn an_endless_line_after_rows_is_read_once_and_rejected_when_it_ends() {
    let mut text: Vec<u8> = b"timestamp,multiplier\n2026-01-01T00:00:00.000Z,2.00\n".to_vec();
    let start = text.len();
    text.extend(vec![b'7'; 3 << 20]);
    let mut cursor = rounds::Cursor::default();
    let mut read = |text: &[u8]| {
        let mut file = Counted { bytes: std::io::Cursor::new(text), read: 0 };
        let chunk = cursor.read(&mut file, text.len() as u64).unwrap();
        (chunk, file.read)
    };
    let (chunk, _) = read(&text);
    assert_eq!((chunk.rounds.len(), chunk.torn_bytes), (1, 3 << 20));
    text.extend(vec![b'7'; 1000]);
    let (chunk, bytes) = read(&text);
    assert_eq!((chunk.rounds.len(), chunk.torn_bytes), (0, (3 << 20) + 1000));
    assert_eq!(bytes, 1000);
    text.extend(b"\n2026-01-01T00:01:00.000Z,3.00\n");
    let (chunk, bytes) = read(&text);
    assert_eq!((chunk.rounds.len(), chunk.rejected_count, chunk.torn_bytes), (1, 1, 0));
    assert_eq!(chunk.rejected[0].reason, rounds::RejectReason::TooLong);
    assert!(bytes < 100 && start < 100);
}

#[test]
fn an_endless_line_that_is_replaced_by_rows_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aviator_payouts_a.csv");
    let head = "timestamp,multiplier\n2026-01-01T00:00:00.000Z,2.00\n";
    fs::write(&path, format!("{head}{}", "7".repeat(1 << 20))).unwrap();
    let mut directory = Directory::new(dir.path());
    assert_eq!(directory.scan().unwrap()[0].torn_bytes, 1 << 20);
    let rows = "2026-01-01T00:01:00.000Z,3.00\n".repeat(40_000);
    fs::write(&path, format!("{head}{rows}")).unwrap();
    assert_eq!(directory.scan().unwrap()[0].total, 40_001);
}
