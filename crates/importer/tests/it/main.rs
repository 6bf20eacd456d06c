//! Recordings of every shape, read as they are or refused with the command that would read them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]
#![expect(clippy::too_many_lines, reason = "a table of shapes is one list")]
#![expect(clippy::format_push_string, reason = "short texts, written once")]

mod dialects;
mod fixtures;
mod shapes;
mod tables;
mod writing;
