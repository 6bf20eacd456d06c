//! Any line of a ledger is either read or rejected, and a line that was read is written unchanged.

use std::path::Path;

use chrono::DateTime;
use evaluation::baselines::Climatology;
use forecasting::calibration::Calibration;
use forecasting::forecast::{Basis, Forecast, Means};
use forecasting::history::HistoryHash;
use forecasting::ledger::{Entry, Ledger};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rounds::Multiplier;

/// Returns the files of a corpus, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    test_support::files_in(&corpora.join(name))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

#[test]
fn only_lines_that_a_predictor_would_write_are_entries() {
    let mut found = Vec::new();
    for (name, bytes) in corpus("ledger") {
        let entries: Vec<Entry> = lines(&bytes).filter_map(Entry::read).collect();
        for entry in &entries {
            let line = entry.line();
            assert_eq!(Entry::read(&line).unwrap().line(), line, "{name}");
            assert_eq!(lines(&line).count(), 1, "{name}");
        }
        let rejected = lines(&bytes).count() - entries.len();
        let forecasts = Ledger::from_entries(entries.iter().copied()).forecasts();
        found.push((name, entries.len(), rejected, forecasts));
    }
    // Entries, rejected lines, and forecasts.
    let expected = [
        ("duplicate-keys", 4, 0, 2),
        ("edges", 3, 0, 2),
        ("impossible-numbers", 0, 11, 0),
        ("not-numbers", 0, 4, 0),
        ("other-layout", 2, 1, 1),
        ("regular", 5, 0, 3),
        ("replaced", 4, 0, 2),
        ("times", 4, 1, 0),
        ("torn", 1, 1, 1),
        ("unmatched-settlements", 5, 0, 1),
        ("unreadable-lines", 1, 7, 0),
    ];
    let expected = expected.map(|(name, entries, rejected, forecasts)| {
        (name.to_owned(), entries, rejected, forecasts)
    });
    assert_eq!(found, expected);
}

fn forecast(calibration: &Calibration, round: u64, means: Means) -> Forecast {
    let candidate = calibration.candidate(&means);
    let served = calibration.serve(Basis::Models, &candidate, &Climatology::new());
    let time = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    Forecast {
        round,
        issued_at: time,
        after: time,
        last_actual: 1.0,
        model_version: round,
        trained_on: round,
        means,
        history: HistoryHash::UNKNOWN,
        model_history: HistoryHash::UNKNOWN,
        house: candidate.house,
        kappa: candidate.kappa,
        scale: candidate.scale,
        basis: Basis::Models,
        observed_median: None,
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

    /// Whatever the earlier forecasts and outcomes, no valid forecast is rejected as damaged.
    #[test]
    fn every_forecast_that_is_written_is_read_back(
        past in prop::collection::vec((-1000.0..=1000.0_f64, 100..u64::MAX), 0..80),
        mean in -1000.0..=1000.0_f64,
    ) {
        let mut calibration = Calibration::default();
        let mut round = 0;
        for (mean, cents) in past {
            round += 1;
            let issued = forecast(&calibration, round, Means { members: [mean; 3], mean });
            let multiplier = Multiplier::from_cents(cents).unwrap();
            calibration.settle(&issued, &Climatology::new(), multiplier.cents(), multiplier.ln());
        }
        let entry = Entry::Forecast(forecast(&calibration, round, Means { members: [mean; 3], mean }));
        prop_assert_eq!(Entry::read(&entry.line()), Some(entry));
    }
}
