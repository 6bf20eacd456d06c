//! Prints a console line for each round.

use std::io::{self, Write};
use std::time::Duration;

use chrono::Local;
use daemon::line_queue::LineQueue;
use rounds::Round;

/// How long the program waits at its end for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints from its own thread, so that a stopped terminal does not stop the recording.
#[derive(Debug)]
pub struct Console {
    lines: Option<LineQueue>,
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
        let notice = |skipped| format!("({skipped} lines skipped)\n");
        Ok(Self { lines: Some(LineQueue::start("console", out, Box::new(notice))?), suffix })
    }

    /// Returns a console that prints nothing.
    pub fn silent() -> Self {
        Self { lines: None, suffix: "" }
    }

    /// Prints the line of a round that is on the disk: the `number`th of this run.
    pub fn round(&self, round: &Round, number: u64) {
        let Some(lines) = &self.lines else { return };
        let time = round.time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
        let suffix = self.suffix;
        lines.push(format!("{time}  {}x  (#{number}){suffix}\n", round.multiplier).into_bytes());
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.flush(FLUSH_TIMEOUT);
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

    fn round() -> Round {
        Round { time: "2026-01-01T12:00:00Z".parse().unwrap(), multiplier: "2.31".parse().unwrap() }
    }

    #[test]
    fn each_round_is_a_line_with_its_number() {
        let output = SharedBuffer::default();
        let console = Console::start(Box::new(output.clone()), "  simulated").unwrap();
        console.round(&round(), 121);
        drop(console);
        let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        let time = round().time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
        assert_eq!(text, format!("{time}  2.31x  (#121)  simulated\n"));
    }
}
