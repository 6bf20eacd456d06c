//! Who does independent pieces of work.
//!
//! Models and ensemble say which of their work is independent; whether it runs on one thread or on
//! several is decided by their caller and is not seen in any result. This file is the only place
//! where learning meets threads.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use crate::priority;

/// An independent piece of work; it puts its result where it has been told to.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs jobs to their end.
pub trait Workers: Sync {
    /// Runs all `jobs`, in any order, and comes back when the last has ended. Jobs are begun in the
    /// order given: put the longest first.
    fn run(&self, jobs: Vec<Job<'_>>);
}

/// Runs one job after another on the caller's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

/// Runs jobs on so many threads at once, which inherit the priority of the caller's.
#[derive(Debug, Clone, Copy)]
pub struct Threads(pub usize);

/// Runs jobs on so many threads at the priority of the caller's, and on so many more that only run
/// where a processor has nothing else to do.
#[derive(Debug, Clone, Copy)]
pub struct Helped {
    /// The caller's thread among them.
    pub threads: usize,
    /// The others.
    pub helpers: usize,
}

impl Workers for Inline {
    fn run(&self, jobs: Vec<Job<'_>>) {
        for job in jobs {
            job();
        }
    }
}

impl Workers for Threads {
    fn run(&self, jobs: Vec<Job<'_>>) {
        Helped { threads: self.0, helpers: 0 }.run(jobs);
    }
}

impl Workers for Helped {
    fn run(&self, jobs: Vec<Job<'_>>) {
        let count = self.threads.min(jobs.len());
        let helpers = self.helpers.min(jobs.len() - count);
        let queue = Mutex::new(VecDeque::from(jobs));
        let queue = || queue.lock().expect("no job runs under the lock");
        let work = || {
            // The lock is given back before the job begins.
            while let Some(job) = { queue().pop_front() } {
                job();
            }
        };
        let help = || {
            priority::idle();
            // The shortest: all wait for a helper that gets no processor any more.
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
    fn every_job_runs_once_whoever_works() {
        check(&Inline);
        for threads in [0, 1, 2, 8, 200] {
            check(&Threads(threads));
        }
        for (threads, helpers) in [(1, 1), (0, 3), (2, 200)] {
            check(&Helped { threads, helpers });
        }
        Threads(2).run(Vec::new());
    }
}
