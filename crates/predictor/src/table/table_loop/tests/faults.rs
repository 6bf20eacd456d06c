//! Whichever disk calls of the ledger fail, a forecast that was served as one that counts is on
//! disk and counts once; after the last failure, forecasts count again.

use std::collections::BTreeSet;

use forecasting::ledger::Entry;

use super::*;

/// More disk calls than any run of these tests makes.
const CALLS_MAX: u64 = 1000;

/// The round numbers in the lines of a ledger.
#[derive(Debug, Default)]
struct Lines {
    forecasts: BTreeSet<u64>,
    settlements: Vec<u64>,
}

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let mut lines = Self::default();
        for line in bytes.split(|&byte| byte == b'\n') {
            match Entry::read(line) {
                Some(Entry::Forecast(forecast)) => drop(lines.forecasts.insert(forecast.round)),
                Some(Entry::Settled(settled)) => lines.settlements.push(settled.round),
                // Without an entry: the empty end of the file, or the rest of a failed write.
                Some(Entry::Read(_)) | None => {}
            }
        }
        lines
    }
}

impl Bench {
    fn ledger(&self) -> Vec<u8> {
        fs::read(self.state("forecasts.jsonl")).unwrap_or_default()
    }

    /// Returns the number of the next round, if its forecast has been stored and is served as one
    /// that counts.
    fn promised(&mut self) -> Option<u64> {
        let table_loop = self.table_loop();
        table_loop.ledger_store.path()?;
        table_loop.engine.frozen().map(|forecast| forecast.round)
    }
}

/// Runs on the ledger and checkpoint of an earlier run and injects faults: at start-up, while
/// rounds arrive one by one and in groups, at shutdown and at the next start. Returns false if no
/// fault occurred.
fn survives(fault: Fault, first: u64, count: u64) -> bool {
    let mut bench = Bench::with_rounds(12);
    bench.play(2);
    bench.table_loop().end();
    let mut promised: BTreeSet<u64> = [13, 14, 15].into();
    bench.disk.fail(fault, first, count);
    for rounds in [0, 1, 1, 3, 0, 1] {
        if rounds == 0 {
            bench.table_loop().end();
            bench.start();
        }
        bench.play(rounds);
        let ledger = bench.state("forecasts.jsonl");
        if let Some(round) = bench.promised() {
            let durable = Lines::of(&bench.disk.durable(&ledger).unwrap());
            assert!(durable.forecasts.contains(&round), "{round} counts and is not on the disk");
            promised.insert(round);
        }
    }
    let was_hit = bench.disk.was_hit();
    bench.disk.heal();
    bench.play(1);
    let next = bench.promised();
    assert_eq!(next, Some(bench.written as u64 + 1), "forecasts count again");
    promised.extend(next);
    bench.table_loop = None;
    bench.disk.lose_power(&bench.state("")).unwrap();
    bench.play_on_after_loss(&promised);
    was_hit
}

impl Bench {
    /// Starts after a power failure and checks the ledger against what was promised.
    #[track_caller]
    fn play_on_after_loss(&mut self, promised: &BTreeSet<u64>) {
        self.start_without_model();
        let lines = Lines::of(&self.ledger());
        assert!(promised.is_subset(&lines.forecasts), "{promised:?} of {:?}", lines.forecasts);
        let written = self.written as u64;
        let met = lines.forecasts.iter().filter(|round| **round <= written).count();
        assert_eq!(self.settled().0, met as u64, "each counts once");
        let distinct: BTreeSet<&u64> = lines.settlements.iter().collect();
        assert_eq!(distinct.len(), lines.settlements.len(), "a forecast is settled twice");
        let known = self.knows();
        drop(fs::remove_file(self.state("checkpoint")));
        self.start_without_model();
        assert_eq!(self.knows(), known, "the ledger alone gives the same");
    }
}

#[test]
fn whichever_calls_fail_promised_forecasts_count_once_and_the_next_ones_are_kept() {
    for fault in Fault::ALL {
        let tried = (1..CALLS_MAX).take_while(|&first| survives(fault, first, 1)).count();
        assert!(tried > 100, "{fault:?} was tried at {tried} calls only");
        // Several failures in a row, so that the recovery fails as well.
        for first in (1..=tried as u64).step_by(3) {
            survives(fault, first, 8);
        }
    }
}
