//! The log on stderr: readable on a terminal, JSON elsewhere. A line that cannot be written is lost and counted; nothing
//! else happens.

mod fields;

use std::io::{self, IsTerminal as _, stderr};
use std::sync::OnceLock;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use self::fields::EscapedFields;
use crate::line_queue::LineQueue;
use crate::prometheus::{MetricKind, MetricsPage};

/// How long the program waits before it exits for its last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<LineQueue> = OnceLock::new();

/// Format of log lines.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Readable text.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Starts logging. `filter` has the syntax of `RUST_LOG`; `NO_COLOR` (no-color.org) turns colours off. Call [`flush`]
/// before the program ends.
///
/// # Errors
/// The filter is malformed; nothing is logged then.
pub fn start(filter: &str, format: Format) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    let is_terminal = stderr().is_terminal();
    let has_colour =
        is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let is_json = match format {
        Format::Json => true,
        Format::Auto => !is_terminal,
        Format::Pretty => false,
    };
    let notice = if is_json { loss_in_json } else { loss_in_text };
    if let Ok(queue) = LineQueue::start("log", Box::new(stderr()), Box::new(notice)) {
        // The log is started once; a second queue would be dropped here.
        drop(QUEUE.set(queue));
    }
    // An error of the formatter would be printed to stderr, and a stderr that fails would end the program.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| QueueWriter)
        .log_internal_errors(false);
    if is_json {
        log.json().init();
    } else {
        log.with_target(false).with_ansi(has_colour).fmt_fields(EscapedFields).init();
    }
    Ok(())
}

/// Waits a second at most until the lines logged so far were written.
pub fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH_TIMEOUT);
    }
}

/// Writes a line as it is, after those logged so far. Returns false if the log is not started.
pub(crate) fn write_line(line: &str) -> bool {
    let Some(queue) = QUEUE.get() else { return false };
    queue.push(format!("{line}\n").into_bytes());
    flush();
    true
}

/// Returns how many log lines were lost since the program started, because stderr failed or stood still.
pub fn lost_lines() -> u64 {
    QUEUE.get().map_or(0, LineQueue::lost)
}

/// Writes the metric of lost lines.
pub fn write_metric(page: &mut MetricsPage) {
    let help = "Log lines lost because stderr failed or stood still.";
    page.metric("aviator_log_lines_lost_total", MetricKind::Counter, help)
        .sample(&[], lost_lines());
}

/// Writes log events to the queue; the formatter passes each event in one call.
struct QueueWriter;

impl io::Write for QueueWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(queue) = QUEUE.get() {
            queue.push(line.to_vec());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn loss_in_text(lines: u64) -> String {
    format!("{}  WARN Log lines were lost. lines={lines}\n", now())
}

fn loss_in_json(lines: u64) -> String {
    let time = now();
    let fields = format!(r#"{{"message":"Log lines were lost.","lines":{lines}}}"#);
    format!(
        r#"{{"timestamp":"{time}","level":"WARN","fields":{fields},"target":"daemon::log"}}{}"#,
        '\n'
    )
}

fn now() -> String {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time)).expect("writing to a string never fails");
    time
}
