//! Any lines are a ledger of forecasts, or not: no panic, what is read is written as it was read, every forecast is
//! found at most once, and after it has met its round the next one is served in numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use predictor::engine::{Engine, Settings};
use predictor::forecast::Means;
use predictor::ledger::{Entry, Ledger};
use rounds::{Multiplier, Round};

fuzz_target!(|bytes: &[u8]| {
    let entries: Vec<Entry> =
        bytes.split_inclusive(|&byte| byte == b'\n').filter_map(Entry::read).collect();
    for entry in &entries {
        let line = entry.line();
        assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
        assert_eq!(Entry::read(&line).expect("a line of ours is read").line(), line);
    }
    let mut ledger = Ledger::from_entries(entries.iter().copied());
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: true });
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
        let kept = ledger.take(&before, &next.unwrap_or(before));
        let now = ledger.left().0;
        assert_eq!(now, left - usize::from(kept != Ok(None)));
        left = now;
        engine.remember(next.unwrap_or(before), kept.ok().flatten().map(|kept| kept.forecast));
    }
    assert_eq!(left, 0);
    let memory = serde_json::to_value(engine.memory()).expect("it can be written");
    let calibration = serde_json::from_value(memory["calibration"].clone());
    let calibration: predictor::forecast::Calibration = calibration.expect("it can be read back");
    let served = calibration.serve(&Means { members: [0.9; 3], mean: 0.9 });
    let (lo, hi) = served.interval80;
    assert!(1.0 <= lo && lo <= hi && served.scale.is_finite() && served.kappa.is_finite());
    assert!(served.probabilities.iter().all(|chance| (0.0..=1.0).contains(chance)));
});
