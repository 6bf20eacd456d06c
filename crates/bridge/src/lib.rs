//! Carries rounds between machines through NATS JetStream.
//!
//! The files stay the truth on both ends: [`push`] reads those of a collector and has each row stored at the hub once,
//! [`pull`] writes what the hub has into a directory for a predictor, each row once; [`merge`] joins recordings without ids. Reading order: [`subject`] (what makes
//! two rows one round), [`parcel`] (what travels), [`hub`] (the connection and the stream), [`push`], [`pull`].

pub mod cli;
pub mod clock;
pub mod config;
pub mod disk;
pub mod hub;
pub mod key;
pub mod merge;
pub mod outage;
pub mod parcel;
pub mod pull;
pub mod push;
pub mod subject;
