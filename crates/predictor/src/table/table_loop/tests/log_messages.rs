//! Each failure is logged once, and so is the recovery.

use test_support::capture_logs;

use super::*;

impl Bench {
    /// Returns the log of `count` scans.
    fn log_of_scans(&mut self, count: usize) -> String {
        capture_logs(|| {
            for _ in 0..count {
                self.table_loop().scan();
            }
        })
    }
}

#[track_caller]
fn check_logged_once(log: &str, text: &str) {
    assert_eq!(log.matches(text).count(), 1, "{text}: {log}");
}

#[test]
fn a_ledger_that_cannot_be_written_is_logged_and_so_is_its_recovery() {
    for (fault, reason) in [(Fault::Full, "no storage space"), (Fault::Unsynced, "not synced")] {
        let mut bench = Bench::new();
        bench.disk.fail(fault, 1, u64::MAX);
        let log = capture_logs(|| (0..3).for_each(|_| bench.play(1)));
        check_logged_once(&log, "Forecasts cannot be written and do not count until they can");
        assert!(log.contains(reason), "{log}");
        bench.disk.heal();
        let log = capture_logs(|| (0..3).for_each(|_| bench.play(1)));
        check_logged_once(&log, "Forecasts are written again");
    }
}

#[test]
fn a_ledger_that_cannot_be_opened_is_logged() {
    let mut bench = Bench::new();
    bench.disk.fail(Fault::Broken, 1, u64::MAX);
    let log = capture_logs(|| bench.start());
    check_logged_once(
        &log,
        "Forecasts are kept in memory only and are lost when this program stops",
    );
    assert!(log.contains("--state-dir") && log.contains("forecasts.jsonl"), "{log}");
}

#[test]
fn an_incomplete_line_of_the_ledger_is_logged() {
    let mut bench = Bench::new();
    let path = bench.state("forecasts.jsonl");
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"{}\n{\"kind").unwrap();
    let log = capture_logs(|| bench.start());
    check_logged_once(&log, "bytes=6");
    check_logged_once(&log, "lines=1");
}

#[test]
fn a_checkpoint_that_cannot_be_written_or_read_is_logged() {
    let mut bench = Bench::new();
    bench.play(3);
    fs::create_dir(bench.state("checkpoint.new")).unwrap();
    check_logged_once(
        &capture_logs(|| bench.table_loop().end()),
        "the next start will take longer",
    );
    fs::remove_dir(bench.state("checkpoint.new")).unwrap();
    bench.play(1);
    bench.table_loop().end();
    let known = bench.knows();
    bench.table_loop = None;
    fs::remove_file(bench.state("checkpoint")).unwrap();
    fs::create_dir(bench.state("checkpoint")).unwrap();
    let log = capture_logs(|| bench.start_without_model());
    check_logged_once(&log, "recomputing all scores");
    assert_eq!(bench.knows(), known);
}

#[test]
fn changes_of_a_csv_file_are_logged() {
    let mut bench = Bench::new();
    let path = bench.dir.path().join(CSV);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(",4.86", ",4.87")).unwrap();
    let log = bench.log_of_scans(1);
    check_logged_once(&log, "CSV file replaced");
    check_logged_once(&log, "Earlier rounds have changed; rebuilding the engine");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"what?\n").unwrap();
    let log = bench.log_of_scans(1);
    check_logged_once(&log, "rejected=1 rows=1");
    fs::remove_file(&path).unwrap();
    check_logged_once(&bench.log_of_scans(1), "CSV file removed");
}

#[cfg(unix)]
#[test]
fn a_file_or_directory_that_cannot_be_read_is_logged_once_and_so_is_its_recovery() {
    let mut bench = Bench::new();
    let (path, aside) = (bench.dir.path().join(CSV), bench.dir.path().join("aside"));
    fs::rename(&path, &aside).unwrap();
    // A link to itself, which not even root can read.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let log = bench.log_of_scans(3);
    check_logged_once(&log, "CSV file cannot be read");
    assert_eq!(bench.table_loop().engine.rounds(), 40, "what was read of it stays");
    fs::rename(&aside, &path).unwrap();
    bench.table_loop().scan();
    let (dir, elsewhere) = (bench.dir.path().to_owned(), bench.dir.path().with_extension("away"));
    fs::rename(&dir, &elsewhere).unwrap();
    let log = bench.log_of_scans(3);
    check_logged_once(&log, "scanning again every 2 s");
    assert!(bench.table_loop().scan_error.is_some(), "so `/metrics` and the page know it");
    fs::rename(&elsewhere, &dir).unwrap();
    check_logged_once(&bench.log_of_scans(1), "can be read again");
    assert_eq!(bench.table_loop().engine.rounds(), 40);
}
