//! Pushes the rows of a collector's files to the hub, each exactly once and in order.

mod delivery;
mod file_position;
mod session;
mod state;

use std::path::PathBuf;

use rounds::{ReadSettings, TableName};
use tokio_util::sync::CancellationToken;

use crate::hub::{self, Access, HubError};
use crate::retry;

use session::PushSession;
pub use state::{State, StateError};

/// The options of a push.
#[derive(Clone, Debug)]
pub struct Push {
    /// How to reach the hub.
    pub access: Access,
    /// Directory of the collector's files.
    pub dir: PathBuf,
    /// The name of the table.
    pub table: TableName,
    /// The name of this machine among those that record the table.
    pub site: TableName,
    /// Maximum number of rows in flight.
    pub in_flight: usize,
    /// Whether to stop once every row in the files is stored.
    pub once: bool,
    /// How rows are read.
    pub read: ReadSettings,
}

/// Pushes until `shutdown` is cancelled or, with `once`, every row is stored.
///
/// # Errors
/// A permanent error, which retrying cannot resolve.
pub fn run(push: &Push, state: &mut State, shutdown: &CancellationToken) -> Result<(), HubError> {
    retry::run(shutdown, |outage| {
        let mut session = PushSession::new(push, state, shutdown);
        let ended = hub::run(session.run(outage));
        state.save();
        ended
    })
}
