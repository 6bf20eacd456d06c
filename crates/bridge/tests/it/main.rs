//! Promises of the bridge, each kept with a real NATS server, real processes and real files.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

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
