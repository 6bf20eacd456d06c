//! A source that does what a test tells it.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use super::{ConnectError, Reading, Said, SessionError};

/// What happens, one after the other.
#[derive(Debug)]
pub enum Step {
    /// The attempt to connect ends so.
    Connect(Result<(), ConnectError>),
    /// After a pause, a reading.
    Say(Duration, Said),
    /// The connection is lost.
    Fail(SessionError),
    /// Neither connects nor speaks again.
    Hang,
}

/// The steps that are left.
#[derive(Debug)]
pub struct Script(pub(crate) VecDeque<Step>);

impl Script {
    pub(super) async fn connect(&mut self) -> Result<(), ConnectError> {
        loop {
            match self.0.pop_front() {
                Some(Step::Connect(result)) => return result,
                Some(Step::Hang) | None => return pending().await,
                Some(Step::Say(..) | Step::Fail(_)) => {}
            }
        }
    }

    pub(super) async fn next(&mut self) -> Result<Reading, SessionError> {
        match self.0.pop_front() {
            Some(Step::Say(pause, said)) => {
                sleep(pause).await;
                Ok(Reading::now(said))
            }
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Connect(_)) => {
                Err(SessionError::Closed("the script goes on elsewhere".to_owned()))
            }
            Some(Step::Hang) | None => pending().await,
        }
    }
}
