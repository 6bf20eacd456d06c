//! Guarantees of the bridge, tested with a real NATS server, real processes and real files.
#![expect(clippy::unwrap_used, reason = "a failed expectation must fail the test")]

mod kills;
mod merging;
mod nats;
mod once;
mod options_page;
mod outages;
mod program;
mod proxy;
mod recorder;
mod recorders;
mod trust;
