//! Records every round of a crash game, each exactly once.
//!
//! Reading order: [`source`] (what can be heard), [`ledger`] (what is a new round), [`writer`] (how it reaches the disk),
//! [`session`] (the one loop that joins them), then [`config`] and [`doctor`].

pub mod backoff;
pub mod cdp;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod doctor;
pub mod effective;
pub mod extract;
pub mod feed;
pub mod fsync;
pub mod ledger;
pub mod metrics;
pub mod pace;
pub mod seed;
pub mod session;
pub mod sfs2x;
pub mod source;
pub mod span;
pub mod status;
pub mod supervisor;
pub mod tls;
pub mod welcome;
pub mod writer;
