//! Pushes the rows of a collector's files to the hub, each exactly once and in order.

mod delivery;
mod event_file;
mod file_position;
mod session;
mod state;

use std::path::PathBuf;

use rounds::TableName;
use tokio_util::sync::CancellationToken;

use crate::hub::{self, Access, HubError};
use crate::retry;

use session::Session;
pub use state::{State, StateError};

/// What to push.
#[derive(Clone, Debug)]
pub struct Push {
    /// The hub.
    pub access: Access,
    /// The collector's directory.
    pub dir: PathBuf,
    /// The name of the table.
    pub table: TableName,
    /// The name of this machine among those that record the table.
    pub site: TableName,
    /// Maximum number of rows in flight.
    pub in_flight: usize,
    /// Stop when everything that is in the files is stored.
    pub once: bool,
}

/// Pushes until `shutdown` is cancelled, or once.
///
/// # Errors
/// Something that trying again cannot change.
pub fn run(push: &Push, state: &mut State, shutdown: &CancellationToken) -> Result<(), HubError> {
    retry::run(shutdown, |outage| {
        let mut session = Session::new(push, state, shutdown);
        let ended = hub::run(session.run(outage));
        state.save();
        ended
    })
}
