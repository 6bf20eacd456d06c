//! What goes wrong is said, once, and that it is over is said as well.

use daemon::log::capture_logs;

use super::*;

impl Bench {
    /// What is said in so many looks.
    fn looks_around(&mut self, count: usize) -> String {
        capture_logs(|| {
            for _ in 0..count {
                self.table_loop().scan();
            }
        })
    }
}

#[track_caller]
fn check(said: &str, words: &str) {
    assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
}

#[test]
fn a_ledger_that_cannot_be_written_is_named_and_that_it_can_be_again() {
    for (fault, reason) in [(Fault::Full, "no storage space"), (Fault::Unsynced, "not synced")] {
        let mut bench = Bench::new();
        bench.disk.fail(fault, 1, u64::MAX);
        let said = capture_logs(|| (0..3).for_each(|_| bench.play(1)));
        check(&said, "Forecasts cannot be written, so they do not count until they can");
        assert!(said.contains(reason), "{said}");
        bench.disk.heal();
        let said = capture_logs(|| (0..3).for_each(|_| bench.play(1)));
        check(&said, "Forecasts are written to ");
    }
}

#[test]
fn a_ledger_that_cannot_be_opened_is_named() {
    let mut bench = Bench::new();
    bench.disk.fail(Fault::Broken, 1, u64::MAX);
    let said = capture_logs(|| bench.start());
    check(&said, "Forecasts are kept in memory only and end with this run");
    assert!(said.contains("--state-dir") && said.contains("forecasts.jsonl"), "{said}");
}

#[test]
fn a_torn_line_of_the_ledger_is_named() {
    let mut bench = Bench::new();
    let path = bench.state("forecasts.jsonl");
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"{}\n{\"kind").unwrap();
    let said = capture_logs(|| bench.start());
    check(&said, "was torn; 6 bytes have been cut off");
    check(&said, "1 lines of ");
}

#[test]
fn a_checkpoint_that_cannot_be_written_or_read_is_named() {
    let mut bench = Bench::new();
    bench.play(3);
    fs::create_dir(bench.state("checkpoint.new")).unwrap();
    check(&capture_logs(|| bench.table_loop().end()), "the next start will take longer");
    fs::remove_dir(bench.state("checkpoint.new")).unwrap();
    bench.play(1);
    bench.table_loop().end();
    let known = bench.knows();
    bench.table_loop = None;
    fs::remove_file(bench.state("checkpoint")).unwrap();
    fs::create_dir(bench.state("checkpoint")).unwrap();
    let said = capture_logs(|| bench.start_without_model());
    check(&said, "Scores are computed anew");
    assert_eq!(bench.knows(), known);
}

#[test]
fn what_happens_to_a_file_of_rounds_is_named() {
    let mut bench = Bench::new();
    let path = bench.dir.path().join(CSV);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(",4.86", ",4.87")).unwrap();
    let said = bench.looks_around(1);
    check(&said, "CSV file replaced");
    check(&said, "Earlier rounds have changed; everything is computed anew");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"what?\n").unwrap();
    check(&bench.looks_around(1), "1 of 1 rows of ");
    fs::remove_file(&path).unwrap();
    check(&bench.looks_around(1), "CSV file removed");
}

#[cfg(unix)]
#[test]
fn a_file_or_a_directory_that_cannot_be_read_is_named_once_and_that_it_can_be_again() {
    let mut bench = Bench::new();
    let (path, aside) = (bench.dir.path().join(CSV), bench.dir.path().join("aside"));
    fs::rename(&path, &aside).unwrap();
    // Not even root can follow it.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let said = bench.looks_around(3);
    check(&said, "CSV file cannot be read");
    assert_eq!(bench.table_loop().engine.rounds(), 40, "what was read of it stays");
    fs::rename(&aside, &path).unwrap();
    bench.table_loop().scan();
    let (dir, elsewhere) = (bench.dir.path().to_owned(), bench.dir.path().with_extension("away"));
    fs::rename(&dir, &elsewhere).unwrap();
    let said = bench.looks_around(3);
    check(&said, "looking again every 2 s");
    assert!(bench.table_loop().scan_error.is_some(), "so `/metrics` and the page know it");
    fs::rename(&elsewhere, &dir).unwrap();
    check(&bench.looks_around(1), "can be read");
    assert_eq!(bench.table_loop().engine.rounds(), 40);
}
