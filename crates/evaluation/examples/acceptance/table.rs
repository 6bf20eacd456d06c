use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The table of figures, printed line by line.
#[derive(Default)]
pub(crate) struct Table {
    passed: usize,
    failed: usize,
    notes: usize,
}

impl Table {
    /// Prints one figure.
    pub(crate) fn line(
        &mut self,
        (id, what): (&str, &str),
        (ours, reference): (impl Display, impl Display),
        (bound, holds): (&str, bool),
    ) {
        let (ours, reference) = (ours.to_string(), reference.to_string());
        let mark = if holds { "PASS" } else { "FAIL" };
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
        println!("{id:<4} {what:<46} {ours:>16} {reference:>16}  {bound}  {mark}");
    }

    /// Prints a figure without a bound.
    pub(crate) fn note(
        &mut self,
        (id, what): (&str, &str),
        (ours, reference): (impl Display, impl Display),
    ) {
        self.notes += 1;
        let (ours, reference) = (ours.to_string(), reference.to_string());
        println!("{id:<4} {what:<46} {ours:>16} {reference:>16}");
    }

    /// Prints the last line and returns whether all bounds hold.
    pub(crate) fn end(&self) -> ExitCode {
        println!(
            "{} of {} figures are within their bounds",
            self.passed,
            self.passed + self.failed
        );
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Runs `job` for each seed on all cores; returns the results in the order of the seeds.
pub(crate) fn for_seeds<T: Send>(seeds: &[u64], job: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(seeds.len()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = job(seed);
            done.lock().expect("no job panics").push((seed, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().expect("no job panics");
    done.sort_by_key(|&(seed, _)| seed);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Formats a share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Returns a quantile of sorted values, interpolated as in numpy.
pub(crate) fn quantile(sorted: &[f64], tau: f64) -> f64 {
    let place = tau * (sorted.len() - 1) as f64;
    let below = sorted.iter().enumerate().take_while(|&(i, _)| i as f64 <= place).count() - 1;
    let above = (below + 1).min(sorted.len() - 1);
    // Two infinite values have no difference to interpolate.
    if sorted[above] > sorted[below] {
        sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
    } else {
        sorted[below]
    }
}
