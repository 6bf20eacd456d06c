//! The interface that runs independent jobs, on one thread or several.
//!
//! Models and the ensemble divide their work into independent jobs. The caller decides whether they
//! run on one thread or several, which never changes a result.

/// An independent job; it stores its result itself.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs jobs to completion.
pub trait Workers: Sync {
    /// Runs all `jobs`, in any order, and returns when the last has ended. Jobs start in the order
    /// given: put the longest first.
    fn run(&self, jobs: Vec<Job<'_>>);
}

/// Runs one job after another on the caller's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl Workers for Inline {
    fn run(&self, jobs: Vec<Job<'_>>) {
        for job in jobs {
            job();
        }
    }
}
