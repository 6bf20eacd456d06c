//! From the files of a collector to the hub: every row once, in order, and none before the hub has it.

mod delivery;
mod place;
mod session;
mod side;
mod state;

use std::path::PathBuf;

use rounds::TableName;
use tokio_util::sync::CancellationToken;

use crate::hub::{self, Access, HubError};
use crate::outage::{self, Outage};

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
    /// Rows on their way at a time.
    pub in_flight: usize,
    /// Stop when everything that is in the files is stored.
    pub once: bool,
}

/// Pushes until it is asked to stop, or once.
///
/// # Errors
/// Something that trying again cannot change.
pub fn run(push: &Push, state: &mut State, shutdown: &CancellationToken) -> Result<(), HubError> {
    let mut outage = Outage::new();
    let mut was_used = false;
    loop {
        let mut session = Session::new(push, state, shutdown);
        let ended = hub::run(session.run(&mut outage, &mut was_used));
        state.save();
        match ended {
            Ok(()) => return Ok(()),
            Err(error) if error.is_permanent() && !(was_used && error.may_pass()) => {
                return Err(error);
            }
            Err(error) => {
                let length = outage.failed(&error.to_string());
                hub::run(async {
                    outage::pause(length, shutdown).await;
                    Ok(())
                })?;
            }
        }
        if shutdown.is_cancelled() {
            return Ok(());
        }
    }
}
