//! Records every round of a crash game, each exactly once.
//!
//! Reading order: [`observation`] (what a source reports), [`sources`] (where reports come from), [`dedup`] (which of them are
//! new rounds), [`output`] (how a round reaches the disk), [`session`] (the loop that joins them), then [`config`] and
//! [`commands`].
//!
//! Modules import only what is below them: `commands` → [`app`] → [`session`] → [`config`] → [`sources`], [`dedup`],
//! [`output`], [`browser_launch`] → [`cdp`], [`sfs2x`], [`feed`], [`history_list`] → the leaves ([`observation`],
//! [`source_error`], [`finding`], [`config_error`], [`order`], [`duration_arg`], [`backoff`], [`clock`], [`tls`]). The
//! configuration is above the sources because each of them owns its section of it.

pub mod app;
pub mod backoff;
pub mod browser_launch;
pub mod cdp;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod config_error;
pub mod dedup;
pub mod duration_arg;
pub mod feed;
pub mod finding;
pub mod history_list;
pub mod observation;
pub mod order;
pub mod output;
pub mod session;
pub mod sfs2x;
pub mod source_error;
pub mod sources;
pub mod tls;
