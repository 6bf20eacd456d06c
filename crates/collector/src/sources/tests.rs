//! A source that follows a script, for the tests of the session.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::observation::{Observation, Report};

use crate::source_error::SourceError;

/// One step of the script.
#[derive(Debug)]
pub enum Step {
    /// The result of an attempt to connect.
    Connect(Result<(), SourceError>),
    /// After a pause, a report.
    Say(Duration, Report),
    /// The connection is lost.
    Fail(SourceError),
    /// Nothing happens any more.
    Hang,
}

/// The remaining steps.
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
            Some(Step::Say(pause, report)) => {
                sleep(pause).await;
                Ok(Observation::now(report))
            }
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Connect(_)) => {
                Err(SourceError::Disconnected("the script goes on elsewhere".to_owned()))
            }
            Some(Step::Hang) | None => pending().await,
        }
    }
}
