//! Prints a console line for each round.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use chrono::Local;
use rounds::Round;

/// Capacity of the queue for a slow terminal; lines beyond it are skipped and counted.
const QUEUE_LEN: usize = 10_000;
/// How long the program waits at its end for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints from its own thread, so that a stopped terminal does not stop the recording.
#[derive(Debug)]
pub struct Console {
    lines: Option<SyncSender<String>>,
    done: Receiver<()>,
    skipped: u64,
    /// Printed after each line: simulated rounds must be recognizable everywhere.
    suffix: &'static str,
}

impl Console {
    /// Starts a console that prints to `out` and adds `suffix` to each line.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn start(out: Box<dyn Write + Send>, suffix: &'static str) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE_LEN);
        let (is_done, done) = sync_channel(1);
        thread::Builder::new().name("console".to_owned()).spawn(move || {
            print(out, &queue);
            drop(is_done);
        })?;
        Ok(Self { lines: Some(lines), done, skipped: 0, suffix })
    }

    /// Returns a console that prints nothing.
    pub fn silent() -> Self {
        Self { lines: None, done: sync_channel(1).1, skipped: 0, suffix: "" }
    }

    /// Prints the line of a round that is on the disk: the `number`th of this run.
    pub fn round(&mut self, round: &Round, number: u64) {
        let time = round.time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
        self.say(format!("{time}  {}x  (#{number}){}\n", round.multiplier, self.suffix));
    }

    fn say(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        let line = match self.skipped {
            0 => line,
            skipped => format!("({skipped} lines skipped)\n{line}"),
        };
        match lines.try_send(line) {
            Ok(()) => self.skipped = 0,
            Err(TrySendError::Full(_)) => self.skipped += 1,
            // The output is closed; recording goes on.
            Err(TrySendError::Disconnected(_)) => self.lines = None,
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if self.lines.take().is_some() {
            let waited = self.done.recv_timeout(FLUSH_TIMEOUT);
            debug_assert_ne!(waited, Ok(()), "the thread drops its sender and sends nothing");
            if waited == Err(RecvTimeoutError::Timeout) {
                tracing::debug!("The console did not accept the last lines; they are lost.");
            }
        }
    }
}

fn print(mut out: Box<dyn Write + Send>, queue: &Receiver<String>) {
    for line in queue {
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for SharedBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A terminal that is stopped until the sender of its channel is dropped.
    struct StoppedTerminal(Receiver<()>);

    impl Write for StoppedTerminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_or(Ok(bytes.len()), |()| Ok(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn round() -> Round {
        Round { time: "2026-01-01T12:00:00Z".parse().unwrap(), multiplier: "2.31".parse().unwrap() }
    }

    #[test]
    fn each_round_is_a_line_with_its_number() {
        let output = SharedBuffer::default();
        let mut console = Console::start(Box::new(output.clone()), "  simulated").unwrap();
        console.round(&round(), 121);
        drop(console);
        let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        let time = round().time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
        assert_eq!(text, format!("{time}  2.31x  (#121)  simulated\n"));
    }

    #[test]
    fn a_stopped_terminal_does_not_block_and_skipped_lines_are_counted() {
        let (gate, wait) = sync_channel(0);
        let mut console = Console::start(Box::new(StoppedTerminal(wait)), "").unwrap();
        for number in 0..QUEUE_LEN as u64 + 10 {
            console.round(&round(), number);
        }
        assert!((9..=10).contains(&console.skipped), "{}", console.skipped);
        drop(gate);
    }
}
