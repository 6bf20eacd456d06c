//! Looks for the game in frames of tabs whose own address does not match. A frame of the same site as its page runs in the
//! page's process and is not a target of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::PageMatcher;
use super::poller::{FrameScope, Poller};
use crate::cdp::{CallError, Client, Command, SessionId, TargetId};

/// Interval at which other tabs are asked for their frames while no game is found.
pub(super) const SURVEY_EVERY: Duration = Duration::from_secs(3);

/// What was found in a tab.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Surveyed {
    /// A frame whose address matches.
    Frame,
    /// No such frame.
    Nothing,
    /// The tab does not answer: it sleeps, and every command would queue up in it.
    Asleep,
}

/// The survey of tabs that do not match. Each is asked for the addresses of its frames, and nothing in it is read.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Tabs that are being asked, or that sleep.
    skipped: BTreeSet<TargetId>,
    tasks: JoinSet<()>,
}

impl Survey {
    /// Asks `targets` for their frames; the answers arrive at `out`.
    pub(super) fn begin(
        &mut self,
        targets: Vec<TargetId>,
        client: &Arc<Client>,
        matcher: &Arc<PageMatcher>,
        out: &mpsc::Sender<(TargetId, Surveyed)>,
    ) {
        while self.tasks.try_join_next().is_some() {}
        for target in targets {
            if !self.skipped.insert(target.clone()) {
                continue;
            }
            let (client, matcher, out) = (Arc::clone(client), Arc::clone(matcher), out.clone());
            self.tasks.spawn(async move {
                let found = survey(&client, &matcher, &target).await;
                drop(out.send((target, found)).await);
            });
        }
    }

    /// Notes the answer of a tab; one that sleeps is asked again when it changes.
    pub(super) fn answered(&mut self, target: &TargetId, found: &Surveyed) {
        if *found != Surveyed::Asleep {
            self.skipped.remove(target);
        }
    }

    /// Notes that a tab has changed or is gone.
    pub(super) fn changed(&mut self, target: &TargetId) {
        self.skipped.remove(target);
    }
}

async fn survey(client: &Arc<Client>, matcher: &Arc<PageMatcher>, target: &TargetId) -> Surveyed {
    let Ok(session) = Poller::attach(client, target).await else { return Surveyed::Nothing };
    let frames = Poller::frames(client, matcher, &session, FrameScope::Matching).await;
    detach(client, &session).await;
    match frames {
        Ok(frames) if !frames.is_empty() => Surveyed::Frame,
        Err(CallError::TimedOut(_)) => Surveyed::Asleep,
        Ok(_) | Err(_) => Surveyed::Nothing,
    }
}

async fn detach(client: &Arc<Client>, session: &SessionId) {
    // On an error the session is gone already.
    drop(client.call(Command::Detach(session), None).await);
}
