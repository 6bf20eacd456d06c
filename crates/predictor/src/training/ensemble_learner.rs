//! Trains the ensemble, on processors that would otherwise be idle.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use evaluation::HouseLaw;
use forecasting::dataset::DatasetSnapshot;
use forecasting::ensemble::{FitOptions, Measured, fit_and_measure};
use forecasting::learner::{Learned, Learner, Member};
use forecasting::models::{FitError, Progress};

use crate::training::priority;
use crate::training::thread_pool::WithIdleHelpers;

/// Number of rows from which idle helpers pay off; fits of fewer rows take only some hundredths of
/// a second.
const ROWS_FOR_HELPERS: usize = 4096;

/// Fits the ensemble on all rows, and on the earlier four fifths to measure it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnsembleLearner {
    /// How the ensemble is fitted.
    options: FitOptions,
    /// Threads of low priority, which always get some processor time.
    threads: usize,
    /// Threads that only run on idle processors.
    helpers: usize,
}

impl EnsembleLearner {
    /// Returns a learner that measures errors under this law of the house.
    ///
    /// Leaves one processor to requests where there is more than one; a helper uses it while it is
    /// idle.
    pub(crate) fn new(house: HouseLaw) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.saturating_sub(1).max(1);
        let helpers = if priority::HAS_IDLE { cores - threads } else { 0 };
        let options = FitOptions { house, ..FitOptions::default() };
        Self { options, threads, helpers }
    }
}

impl Learner for EnsembleLearner {
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError> {
        // On a busy machine a helper hardly runs, and all other threads would wait for it.
        let helpers = match rows.len() {
            ROWS_FOR_HELPERS.. => self.helpers.min(priority::processors_free()),
            _ => 0,
        };
        let workers = WithIdleHelpers { threads: self.threads, helpers };
        let Measured { ensemble, out_of_sample, members_r2 } =
            fit_and_measure(rows, &self.options, &workers, progress)?;
        let member = |((name, weight), r2)| Member { name, weight, r2: Some(r2) };
        let members = ensemble.members().into_iter().zip(members_r2).map(member).collect();
        Ok(Learned { model: Arc::new(ensemble), out_of_sample, members })
    }
}
