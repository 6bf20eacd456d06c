//! Writes lines from a thread of its own, so that an output that fails or stands still never stops the program.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Capacity of the queue in lines; further lines are lost and counted.
pub const CAPACITY: usize = 10_000;

/// A queue of lines and the thread that writes them. [`LineQueue::push`] never blocks and never fails: a line that cannot
/// be queued or written is lost and counted, and the next one is tried anyway, because a full disk may have room again.
pub struct LineQueue {
    shared: Arc<Shared>,
}

/// Returns the line, with its newline, that reports this many lost lines before the next line is
/// written.
pub type LossNotice = Box<dyn Fn(u64) -> String + Send>;

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    is_writing: bool,
    is_closed: bool,
    lost: u64,
    /// How many of the lost lines the output has already reported.
    reported: u64,
}

impl LineQueue {
    /// Starts the thread `name`, which writes to `output`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        name: &str,
        output: Box<dyn Write + Send>,
        loss_notice: LossNotice,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let queue = Arc::clone(&shared);
        let mut writer = LineWriter { output, is_torn: false };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || queue.write_until_closed(&mut writer, &loss_notice))?;
        Ok(Self { shared })
    }

    /// Queues a line that ends in a newline.
    pub fn push(&self, line: Vec<u8>) {
        let mut state = self.shared.state();
        if state.waiting.len() < CAPACITY {
            state.waiting.push_back(line);
            self.shared.changed.notify_all();
        } else {
            state.lost += 1;
        }
    }

    /// Returns how many lines could not be queued or written.
    pub fn lost(&self) -> u64 {
        self.shared.state().lost
    }

    /// Waits until every queued line has been written or lost, but no longer than `timeout`.
    pub fn flush(&self, timeout: Duration) {
        let state = self.shared.state();
        let is_busy = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        drop(self.shared.changed.wait_timeout_while(state, timeout, is_busy));
    }
}

impl Drop for LineQueue {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for LineQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineQueue").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Ignores a poisoned lock: no code that holds it leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_until_closed(&self, writer: &mut LineWriter, loss_notice: &LossNotice) {
        while let Some((line, unreported)) = self.next_line() {
            let notice = (unreported > 0).then(|| loss_notice(unreported));
            let is_told = notice.is_some_and(|notice| writer.write(notice.as_bytes()).is_ok());
            let is_lost = writer.write(&line).is_err();
            let mut state = self.state();
            state.is_writing = false;
            state.lost += u64::from(is_lost);
            if is_told {
                state.reported += unreported;
            }
            self.changed.notify_all();
        }
    }

    /// Waits for a line. Returns it with the number of lost lines not yet reported, or nothing when the queue is closed
    /// and empty.
    fn next_line(&self) -> Option<(Vec<u8>, u64)> {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let mut state =
            self.changed.wait_while(self.state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let line = state.waiting.pop_front()?;
        state.is_writing = true;
        Some((line, state.lost - state.reported))
    }
}

/// Writes whole lines: what follows a line that was cut off by a failure begins on a line of its own.
struct LineWriter {
    output: Box<dyn Write + Send>,
    is_torn: bool,
}

impl LineWriter {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much was written decides whether a line is torn"
    )]
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.output.write_all(b"\n")?;
            self.is_torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.output.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.is_torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.flush()
    }
}

#[cfg(test)]
mod tests;
