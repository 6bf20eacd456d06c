//! What every program of the project does at its edges, each in the same way: it hears signals,
//! tells a service manager how it is, logs to stderr, prints its manual and ends with a reason.

pub mod log;
pub mod manual;
#[cfg(feature = "heard-log")]
pub mod options_page;
pub mod signals;
pub mod systemd;
pub mod words;
