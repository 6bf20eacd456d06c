//! A source that does what a test tells it.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::observation::{Observation, Report};

use crate::source_error::SourceError;

/// What happens, one after the other.
#[derive(Debug)]
pub enum Step {
    /// The attempt to connect ends so.
    Connect(Result<(), SourceError>),
    /// After a pause, a reading.
    Say(Duration, Report),
    /// The connection is lost.
    Fail(SourceError),
    /// Neither connects nor speaks again.
    Hang,
}

/// The steps that are left.
#[derive(Debug)]
pub struct ScriptedSource(pub(crate) VecDeque<Step>);

impl ScriptedSource {
    pub(super) async fn connect(&mut self) -> Result<(), SourceError> {
        loop {
            match self.0.pop_front() {
                Some(Step::Connect(result)) => return result,
                Some(Step::Hang) | None => return pending().await,
                Some(Step::Say(..) | Step::Fail(_)) => {}
            }
        }
    }

    pub(super) async fn next(&mut self) -> Result<Observation, SourceError> {
        match self.0.pop_front() {
            Some(Step::Say(pause, said)) => {
                sleep(pause).await;
                Ok(Observation::now(said))
            }
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Connect(_)) => {
                Err(SourceError::Disconnected("the script goes on elsewhere".to_owned()))
            }
            Some(Step::Hang) | None => pending().await,
        }
    }
}
