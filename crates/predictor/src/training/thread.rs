//! The training thread, at the lowest priority so that requests come first.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use forecasting::dataset::Dataset;
use forecasting::learner::{Learned, Learner};
use tokio_util::sync::CancellationToken;

use crate::input::compact_rounds::CompactRounds;
use crate::training::priority;

/// Progress is reported in this many steps; a page cannot show more.
const PROGRESS_STEPS: u32 = 20;

/// A report of the training thread.
#[derive(Debug)]
pub(crate) enum TrainerEvent {
    /// Training `id` has done this share of its work, 0 to 1.
    Progress { id: u64, share: f64 },
    /// Training `id` has ended.
    Done { id: u64, result: Result<Learned, String> },
}

/// Receives the events of one request.
pub(crate) type EventSink = Arc<dyn Fn(TrainerEvent) + Send + Sync>;

/// A requested training.
pub(crate) struct TrainRequest {
    pub(crate) id: u64,
    /// The rounds to learn from are the first `records` of these.
    pub(crate) rounds: CompactRounds,
    pub(crate) records: u64,
    pub(crate) events: EventSink,
}

/// The training thread, shared by all tables. Requests are served in order, and a table sends its
/// next one only after its last has ended, so every table gets its turn.
#[derive(Debug, Clone)]
pub(crate) struct Trainer {
    requests: Sender<TrainRequest>,
}

impl Trainer {
    /// Starts the thread, which ends when the last `Trainer` is dropped and its requests are served.
    /// Cancelling `stop` cancels the running training.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(
        learner: Box<dyn Learner>,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = channel::<TrainRequest>();
        thread::Builder::new().name("trainer".to_owned()).spawn(move || {
            priority::lower();
            for request in inbox {
                let (id, events) = (request.id, Arc::clone(&request.events));
                let progress = |share| events(TrainerEvent::Progress { id, share });
                let result = train(learner.as_ref(), request, &progress, &stop);
                events(TrainerEvent::Done { id, result });
            }
        })?;
        Ok(Self { requests })
    }

    /// Requests a training. Returns false if the thread has ended.
    pub(crate) fn request(&self, request: TrainRequest) -> bool {
        self.requests.send(request).is_ok()
    }
}

/// Runs one training. A row takes a hundred bytes, so the rows are built here and dropped afterwards.
fn train(
    learner: &dyn Learner,
    request: TrainRequest,
    report: &(impl Fn(f64) + Sync),
    stop: &CancellationToken,
) -> Result<Learned, String> {
    let reported = AtomicU32::new(0);
    let progress = |done: usize, total: usize| {
        let share = done as f64 / total.max(1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 1, so between 0 and PROGRESS_STEPS"
        )]
        let twentieth = (share * f64::from(PROGRESS_STEPS)) as u32;
        if reported.fetch_max(twentieth, Ordering::Relaxed) < twentieth {
            report(share);
        }
        if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // A panic leaves no half-changed state behind: all of it is local.
    let fitted = catch_unwind(AssertUnwindSafe(|| {
        let records = usize::try_from(request.records).unwrap_or(usize::MAX);
        let rows = Dataset::of_rounds(request.rounds.range(0..records)).snapshot();
        drop(request);
        learner.learn(&rows, &progress)
    }));
    match fitted {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("the training panicked: {}", panic_message(panic.as_ref()))),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
