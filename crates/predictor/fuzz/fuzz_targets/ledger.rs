//! Any lines are a ledger of forecasts, or not: no panic, what is read is written as it was read, every forecast is
//! found at most once, and after it has met its round the next one is served in numbers.
#![no_main]

use forecasting::calibration::Calibration;
use forecasting::engine::{Engine, Settings};
use forecasting::forecast::Means;
use forecasting::ledger::{Entry, Ledger};
use libfuzzer_sys::fuzz_target;
use rounds::{Multiplier, Round};

fuzz_target!(|bytes: &[u8]| {
    let entries: Vec<Entry> =
        bytes.split_inclusive(|&byte| byte == b'\n').filter_map(Entry::read).collect();
    for entry in &entries {
        let line = entry.line();
        assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
        assert_eq!(Entry::read(&line).expect("a line of ours is read").line(), line);
    }
    if entries.is_empty() {
        return;
    }
    let mut ledger = Ledger::from_entries(entries.iter().copied());
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: true });
    let mut calibration = Calibration::default();
    let (mut left, _) = ledger.left();
    for entry in &entries {
        let Entry::Forecast(forecast) = entry else { continue };
        let multiplier = Multiplier::new(forecast.last_actual).expect("it is one of a round");
        let before = Round { time: forecast.after, multiplier };
        // The round that it was settled by, if it was.
        let next = entries.iter().find_map(|entry| match entry {
            Entry::Settled(settled) if settled.round == forecast.round => {
                let multiplier = Multiplier::new(settled.actual).expect("it is one of a round");
                Some(Round { time: settled.time, multiplier })
            }
            _ => None,
        });
        let next = next.unwrap_or(before);
        let kept = ledger.take(&before, &next);
        let now = ledger.left().0;
        assert_eq!(now, left - usize::from(kept != Ok(None)));
        left = now;
        let kept = kept.ok().flatten().map(|kept| kept.forecast);
        if let Some(kept) = &kept {
            calibration.settle(kept, next.multiplier.cents(), next.multiplier.ln());
        }
        engine.replay(next, kept);
    }
    assert_eq!(left, 0);
    let served = calibration.serve(&Means { members: [0.9; 3], mean: 0.9 });
    let (lo, hi) = served.interval80;
    assert!(1.0 <= lo && lo <= hi && served.scale.is_finite() && served.kappa.is_finite());
    assert!(served.probabilities.iter().all(|chance| (0.0..=1.0).contains(chance)));
    assert_eq!(engine.kappa().to_bits(), served.kappa.to_bits());
});
