//! Threads that run the independent jobs of a training.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use forecasting::parallel::{Job, Workers};

use crate::training::priority;

/// Runs jobs on this many threads at once, which inherit the caller's priority.
#[derive(Debug, Clone, Copy)]
pub struct Threads(pub usize);

/// Runs jobs on some threads at the caller's priority, and on helpers that only run where a processor
/// is otherwise idle.
#[derive(Debug, Clone, Copy)]
pub struct WithIdleHelpers {
    /// Threads at the caller's priority, the caller's own included.
    pub threads: usize,
    /// Threads that only run on idle processors.
    pub helpers: usize,
}

impl Workers for Threads {
    fn run(&self, jobs: Vec<Job<'_>>) {
        WithIdleHelpers { threads: self.0, helpers: 0 }.run(jobs);
    }
}

impl Workers for WithIdleHelpers {
    fn run(&self, jobs: Vec<Job<'_>>) {
        let count = self.threads.min(jobs.len());
        let helpers = self.helpers.min(jobs.len() - count);
        let queue = Mutex::new(VecDeque::from(jobs));
        let queue = || queue.lock().expect("no job runs under the lock");
        let work = || {
            // The block releases the lock before the job runs.
            while let Some(job) = { queue().pop_front() } {
                job();
            }
        };
        let help = || {
            priority::idle();
            // Helpers take the shortest jobs, because everything waits for a helper that loses its
            // processor.
            while let Some(job) = { queue().pop_back() } {
                job();
            }
        };
        thread::scope(|scope| {
            for _ in 1..count {
                scope.spawn(work);
            }
            for _ in 0..helpers {
                scope.spawn(help);
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use forecasting::parallel::Inline;

    use super::*;

    fn check(workers: &dyn Workers) {
        let sum = AtomicUsize::new(0);
        let add = |i: usize| -> Job<'_> {
            let sum = &sum;
            Box::new(move || {
                sum.fetch_add(i, Ordering::Relaxed);
            })
        };
        workers.run((1..=100).map(add).collect());
        assert_eq!(sum.into_inner(), 5050);
    }

    #[test]
    fn every_job_runs_once_with_any_workers() {
        check(&Inline);
        for threads in [0, 1, 2, 8, 200] {
            check(&Threads(threads));
        }
        for (threads, helpers) in [(1, 1), (0, 3), (2, 200)] {
            check(&WithIdleHelpers { threads, helpers });
        }
        Threads(2).run(Vec::new());
    }
}
