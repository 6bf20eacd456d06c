//! The thread that trains, at the lowest priority: answering requests always comes first.

use std::any::Any;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use features::FeatureRow;
use tokio_util::sync::CancellationToken;

use crate::dataset::{Dataset, DatasetSnapshot};
use crate::ensemble::{Ensemble, FitOptions, Measured, OutOfSample, fit_and_measure};
use crate::forecast::{Forecaster, Means};
use crate::models::{FitError, Progress};
use crate::packed::PackedRounds;
use crate::priority;
use crate::workers::Helped;

/// Steps in which progress is told; a page cannot show more.
const PROGRESS_STEPS: u32 = 20;

/// Learns from rows. Its users are the ensemble, and tests that need a model at once.
pub trait Learner: Send + 'static {
    /// A model of all rows, and what such a model does on rows it has not seen.
    ///
    /// # Errors
    /// As [`crate::ensemble::fit`].
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError>;
}

/// What came out of a training.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// Its errors out of sample.
    pub out_of_sample: OutOfSample,
    /// What it consists of.
    pub members: Vec<Member>,
}

/// A member of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Its name in API and documents.
    pub name: &'static str,
    /// What part of the model's say is its.
    pub weight: f64,
    /// Part of the variance of `ln M` it explains out of sample, when that was measured.
    pub r2: Option<f64>,
}

/// Rows from which on helpers are called: shorter fits take some hundredths of a second.
const ROWS_FOR_HELPERS: usize = 4096;

/// Fits the ensemble on everything, and beside that on the earlier four fifths to measure it.
#[derive(Debug, Clone, Copy)]
pub struct EnsembleLearner {
    /// How.
    pub options: FitOptions,
    /// On how many threads that have a share of the processors, however small.
    pub threads: usize,
    /// And on how many that only run where a processor has nothing else to do.
    pub helpers: usize,
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
        let workers = Helped { threads: self.threads, helpers };
        let Measured { ensemble, out_of_sample, members_r2 } =
            fit_and_measure(rows, &self.options, &workers, progress)?;
        let member = |((name, weight), r2)| Member { name, weight, r2: Some(r2) };
        let members = ensemble.members().into_iter().zip(members_r2).map(member).collect();
        Ok(Learned { model: Arc::new(ensemble), out_of_sample, members })
    }
}

impl Forecaster for Ensemble {
    fn means(&self, row: &FeatureRow) -> Means {
        let said = self.predict(row);
        let members = [said.random_forest, said.gradient_boosting, said.linear_regression];
        Means { members, mean: said.mean }
    }
}

/// What the trainer tells.
#[derive(Debug)]
pub(crate) enum News {
    /// Training `id` is so far, 0 to 1.
    Progress { id: u64, share: f64 },
    /// Training `id` is over.
    Done { id: u64, result: Result<Learned, String> },
}

/// Hears what the trainer tells of one order.
pub(crate) type Tell = Arc<dyn Fn(News) + Send + Sync>;

/// A training to be done.
pub(crate) struct Order {
    pub(crate) id: u64,
    /// At least those to learn from: the first `records`.
    pub(crate) rounds: PackedRounds,
    pub(crate) records: u64,
    pub(crate) tell: Tell,
}

/// The thread, for any number of tables. Orders are worked off as they come, and who orders waits
/// for the news before the next one, so every table has its turn.
#[derive(Debug, Clone)]
pub(crate) struct Trainer {
    orders: Sender<Order>,
}

impl Trainer {
    /// Starts the thread; it ends with the last order after the last trainer is dropped. When
    /// `stop` is cancelled, so is the training.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        learner: Box<dyn Learner>,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = channel::<Order>();
        thread::Builder::new().name("trainer".to_owned()).spawn(move || {
            priority::lower();
            for order in inbox {
                let (id, tell) = (order.id, Arc::clone(&order.tell));
                let progress = |share| tell(News::Progress { id, share });
                let result = train(learner.as_ref(), order, &progress, &stop);
                tell(News::Done { id, result });
            }
        })?;
        Ok(Self { orders })
    }

    /// Orders a training. False when the thread is gone.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }
}

/// Rows are a hundred bytes each and there is one of all tables' at a time: they are made for the
/// training and dropped with it.
fn train(
    learner: &dyn Learner,
    order: Order,
    tell: &(impl Fn(f64) + Sync),
    stop: &CancellationToken,
) -> Result<Learned, String> {
    let told = AtomicU32::new(0);
    let progress = |done: usize, total: usize| {
        let share = done as f64 / total.max(1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 1, so between 0 and PROGRESS_STEPS"
        )]
        let twentieth = (share * f64::from(PROGRESS_STEPS)) as u32;
        if told.fetch_max(twentieth, Ordering::Relaxed) < twentieth {
            tell(share);
        }
        if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // Nothing that is half done outlives a panic.
    let fitted = catch_unwind(AssertUnwindSafe(|| {
        let records = usize::try_from(order.records).unwrap_or(usize::MAX);
        let rows = Dataset::of_rounds(order.rounds.range(0..records)).snapshot();
        drop(order);
        learner.learn(&rows, &progress)
    }));
    match fitted {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("the training panicked: {}", said_by(panic.as_ref()))),
    }
}

fn said_by(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it did not say why")
}
