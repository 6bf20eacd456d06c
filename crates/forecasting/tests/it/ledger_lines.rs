//! A line of a ledger may be anything: it is read or refused, and what is read is written as it was.

use std::fs;
use std::path::Path;

use chrono::DateTime;
use forecasting::calibration::Calibration;
use forecasting::forecast::{Forecast, Means};
use forecasting::ledger::{Entry, Ledger};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rounds::Multiplier;

/// The files of a corpus, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

#[test]
fn of_the_corpus_only_lines_that_a_predictor_writes_are_entries() {
    let mut told = Vec::new();
    for (name, bytes) in corpus("ledger") {
        let entries: Vec<Entry> = lines(&bytes).filter_map(Entry::read).collect();
        for entry in &entries {
            let line = entry.line();
            assert_eq!(Entry::read(&line).unwrap().line(), line, "{name}");
            assert_eq!(lines(&line).count(), 1, "{name}");
        }
        let refused = lines(&bytes).count() - entries.len();
        let (forecasts, _) = Ledger::from_entries(entries.iter().copied()).left();
        told.push((name, entries.len(), refused, forecasts));
    }
    // Entries, lines that are none, and forecasts that counted.
    let expected = [
        ("edges", 3, 0, 2),
        ("loose-settlements", 5, 0, 1),
        ("no-such-numbers", 0, 11, 0),
        ("not-numbers", 0, 4, 0),
        ("one-name-twice", 4, 0, 2),
        ("other-layout", 2, 1, 1),
        ("ours", 5, 0, 3),
        ("replaced", 4, 0, 2),
        ("strange-lines", 1, 7, 0),
        ("times", 4, 1, 0),
        ("torn", 1, 1, 1),
    ];
    let expected = expected
        .map(|(name, entries, refused, forecasts)| (name.to_owned(), entries, refused, forecasts));
    assert_eq!(told, expected);
}

fn forecast(calibration: &Calibration, round: u64, means: Means) -> Forecast {
    let served = calibration.serve(&means);
    let time = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    Forecast {
        round,
        issued_at: time,
        after: time,
        last_actual: 1.0,
        model_version: round,
        trained_on: round,
        means,
        kappa: served.kappa,
        scale: served.scale,
        probabilities: served.probabilities,
        interval80: served.interval80,
        interval90: served.interval90,
        late: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever the learners have said before and whatever came of it, no forecast of ours is taken for a damaged one.
    #[test]
    fn every_forecast_that_is_written_is_read_back(
        past in prop::collection::vec((-1000.0..=1000.0_f64, 100..u64::MAX), 0..80),
        mean in -1000.0..=1000.0_f64,
    ) {
        let mut calibration = Calibration::default();
        let mut round = 0;
        for (mean, cents) in past {
            round += 1;
            let said = forecast(&calibration, round, Means { members: [mean; 3], mean });
            let multiplier = Multiplier::from_cents(cents).unwrap();
            calibration.settle(&said, multiplier.cents(), multiplier.ln());
        }
        let entry = Entry::Forecast(forecast(&calibration, round, Means { members: [mean; 3], mean }));
        prop_assert_eq!(Entry::read(&entry.line()), Some(entry));
    }
}
