//! Integration tests of the collector, on real directories, sockets and processes.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

mod browser_command;
mod browser_faults;
mod chromium;
mod decoders;
mod fairness;
mod faults;
mod feeds;
mod game;
mod killing;
mod metrics;
mod mock_cdp;
mod options_page;
mod program;
mod schedules;
mod settings;
mod simulator;
