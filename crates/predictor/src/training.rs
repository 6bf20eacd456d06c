//! Trainings: the thread that runs them, their progress and their results.

pub mod thread_pool;

pub(crate) mod ensemble_learner;
pub(crate) mod priority;
pub(crate) mod report;
pub(crate) mod status;
pub(crate) mod thread;
