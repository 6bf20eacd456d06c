//! Workers that run jobs in parallel and out of order.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use forecasting::parallel::{Job, Workers};

/// A number of threads. The caller's thread takes jobs from the front, the others from the back.
pub(crate) struct Threads(pub(crate) usize);

impl Workers for Threads {
    fn run(&self, jobs: Vec<Job<'_>>) {
        let queue = Mutex::new(VecDeque::from(jobs));
        let queue = || queue.lock().unwrap();
        let from_the_back = || {
            while let Some(job) = { queue().pop_back() } {
                job();
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0 {
                scope.spawn(from_the_back);
            }
            while let Some(job) = { queue().pop_front() } {
                job();
            }
        });
    }
}
