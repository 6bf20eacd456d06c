//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod api;
mod audit;
mod backtest;
mod browser;
mod command_line;
mod crash;
mod data_places;
mod decoders;
mod export;
mod games;
mod ledger;
mod lookahead;
mod metrics_page;
mod openapi;
mod options_page;
mod original_clients;
mod program;
mod round_routes;
#[cfg(target_os = "linux")]
mod simulation;
mod supervision;
mod tables;
mod test_app;
mod verdict_page;
mod verify;
mod watch;
