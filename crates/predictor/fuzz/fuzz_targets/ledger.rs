//! Any lines are a ledger of forecasts, or not: no panic, what is read is written as it was read, and no
//! forecast counts that does not belong to the rounds.
#![no_main]

use forecasting::engine::{Engine, Settings};
use forecasting::history::HistoryChain;
use forecasting::ledger::{Absent, Entry, Ledger};
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
    // The rounds that the outcomes name, in their order.
    let rounds: Vec<Round> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Settled(settled) => {
                let multiplier = Multiplier::new(settled.actual).expect("it is one of a round");
                Some(Round { time: settled.time, multiplier })
            }
            Entry::Forecast(_) | Entry::Read(_) => None,
        })
        .collect();
    let chain = HistoryChain::of(&rounds);
    let ledger = Ledger::from_entries(entries.iter().copied());
    let forecasts = ledger.forecasts();
    let mut counting = ledger.counting(&rounds, &chain, 0, Absent::default());
    let mut engine = Engine::new(Settings { auto_train: false, can_be_late: true });
    let mut settled = 0;
    for (before, round) in (0..).zip(&rounds) {
        let found = counting.take(before).map(|found| found.forecast);
        assert!(found.is_none_or(|it| it.trained_on <= before && it.rounds_before() == before));
        settled += usize::from(engine.replay(*round, found).is_some());
    }
    assert!(settled + usize::try_from(counting.absent().count).expect("a count") <= forecasts);
    assert!((0.0..=1.0).contains(&engine.kappa()));
});
