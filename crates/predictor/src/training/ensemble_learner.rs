//! Trains the ensemble, on processors that would otherwise be idle.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use forecasting::dataset::DatasetSnapshot;
use forecasting::ensemble::{FitOptions, Measured, fit_and_measure};
use forecasting::learner::{Learned, Learner, Member};
use forecasting::models::{FitError, Progress};

use crate::training::priority;
use crate::training::thread_pool::WithIdleHelpers;

/// Rows from which on helpers are called: shorter fits take some hundredths of a second.
const ROWS_FOR_HELPERS: usize = 4096;

/// Fits the ensemble on everything, and beside that on the earlier four fifths to measure it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnsembleLearner {
    /// How.
    options: FitOptions,
    /// On how many threads that have a share of the processors, however small.
    threads: usize,
    /// And on how many that only run where a processor has nothing else to do.
    helpers: usize,
}

impl Default for EnsembleLearner {
    /// One processor is left to those who ask, where there is more than one; a helper has it as
    /// long as nobody asks.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.saturating_sub(1).max(1);
        let helpers = if priority::HAS_IDLE { cores - threads } else { 0 };
        Self { options: FitOptions::default(), threads, helpers }
    }
}

impl Learner for EnsembleLearner {
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError> {
        // On a busy machine a helper would only be waited for.
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
