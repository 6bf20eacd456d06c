//! Polls one tab or frame for its history list.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::PageMatcher;
use super::view::origin_and_path;
use crate::cdp::{CallError, Client, Command, ContextId, FrameId, SessionId, TargetId};
use crate::history_list::{ParsedList, sight};

/// Polls without an answer after which a tab counts as frozen.
const SILENT_MAX: u32 = 3;
/// How long a frozen tab is left alone: each question waits in it until it wakes.
const FROZEN_PAUSE: Duration = Duration::from_secs(15);
/// How long a list that is not there is looked for at every poll.
const EAGER_FOR: Duration = Duration::from_secs(10);
/// And then so often: a casino's page may match and have many frames, but never a list.
const LISTLESS_PAUSE: Duration = Duration::from_secs(2);
/// The pause after a refusal.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);
/// Frames of one target that are looked into.
const FRAMES_MAX: usize = 32;

/// What a look at a target gave.
#[derive(Debug)]
pub(super) enum PollResult {
    Saw(ParsedList),
    /// No answer, several times.
    Silent,
    /// The browser does not let us.
    Refused(String),
    /// The selector is not one.
    BadSelector(String),
}

/// Attaches to one target and looks at its history list again and again, until it is dropped or the browser is gone.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) client: Arc<Client>,
    pub(super) target: TargetId,
    pub(super) look: Arc<PageMatcher>,
    /// Something happened to the target: do not wait with the next look.
    pub(super) nudge: Arc<Notify>,
    pub(super) out: mpsc::Sender<(TargetId, PollResult)>,
}

/// An attachment to the target.
struct Place {
    session: SessionId,
    /// Its sockets are heard.
    hears: bool,
    /// Where the list was last.
    home: Option<ContextId>,
}

/// Why a look failed.
enum PollError {
    Call(CallError),
    BadSelector(String),
}

impl From<CallError> for PollError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Watch {
    pub(super) async fn run(self) {
        loop {
            let Err(error) = self.attached().await;
            match error {
                CallError::Closed => return,
                // Attaching again is what helps.
                CallError::SessionGone => {}
                error => self.tell(PollResult::Refused(error.to_string())).await,
            }
            self.rest(REFUSED_PAUSE).await;
        }
    }

    /// Looks, for as long as the attachment holds.
    async fn attached(&self) -> Result<Infallible, CallError> {
        let mut place = Place { session: self.attach().await?, hears: false, home: None };
        let (mut silent, mut seen) = (0, Instant::now());
        let mut polls = interval(self.look.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            polls.tick().await;
            let missed = match self.look(&mut place).await {
                Ok(sight) => {
                    silent = 0;
                    self.show(sight, &mut seen).await;
                    continue;
                }
                Err(PollError::BadSelector(why)) => {
                    self.tell(PollResult::BadSelector(why)).await;
                    continue;
                }
                Err(PollError::Call(error)) => error,
            };
            place.home = None;
            match missed {
                CallError::Closed | CallError::SessionGone => return Err(missed),
                // A reload: the new page is looked at with the next poll.
                CallError::ContextGone => {}
                CallError::TimedOut(_) if silent + 1 < SILENT_MAX => silent += 1,
                CallError::TimedOut(_) => {
                    self.tell(PollResult::Silent).await;
                    self.rest(FROZEN_PAUSE).await;
                }
                CallError::Refused { .. } | CallError::Unexpected(_) => {
                    self.tell(PollResult::Refused(missed.to_string())).await;
                    self.rest(REFUSED_PAUSE).await;
                }
            }
        }
    }

    /// Tells what is seen; a list that stays away is looked for less often.
    async fn show(&self, sight: ParsedList, seen: &mut Instant) {
        if matches!(sight, ParsedList::List { .. }) {
            *seen = Instant::now();
        }
        self.tell(PollResult::Saw(sight)).await;
        if seen.elapsed() > EAGER_FOR {
            self.rest(LISTLESS_PAUSE).await;
        }
    }

    async fn attach(&self) -> Result<SessionId, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Attached {
            session_id: SessionId,
        }
        let command = Command::Attach(&self.target);
        let attached: Attached = expected(command, self.client.call(command, None).await?)?;
        Ok(attached.session_id)
    }

    /// Looks where the list was last, or else into every frame there is.
    async fn look(&self, place: &mut Place) -> Result<ParsedList, PollError> {
        if !place.hears {
            self.client.call(Command::WatchNetwork, Some(&place.session)).await?;
            place.hears = true;
        }
        if let Some(home) = place.home {
            let sight = self.read(&place.session, home).await?;
            place.home = Some(home).filter(|_| matches!(sight, ParsedList::List { .. }));
            return Ok(sight);
        }
        let mut best = ParsedList::Nothing;
        for frame in self.frames(&place.session).await? {
            let (context, sight) = match self.look_into(&place.session, &frame).await {
                Ok(seen) => seen,
                // This frame is on its way elsewhere; the others are not.
                Err(PollError::Call(CallError::ContextGone | CallError::Refused { .. })) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if matches!(sight, ParsedList::List { .. }) {
                place.home = Some(context);
                return Ok(sight);
            }
            if best == ParsedList::Nothing {
                best = sight;
            }
        }
        Ok(best)
    }

    async fn look_into(
        &self,
        session: &SessionId,
        frame: &FrameId,
    ) -> Result<(ContextId, ParsedList), PollError> {
        let context = self.world(session, frame).await?;
        Ok((context, self.read(session, context).await?))
    }

    /// The target's frames, those whose own address matches first. Frames with a process of their own are targets of their own
    /// and not among them.
    async fn frames(&self, session: &SessionId) -> Result<Vec<FrameId>, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            frame_tree: Tree,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tree {
            frame: Frame,
            #[serde(default)]
            child_frames: Vec<Self>,
        }
        #[derive(Deserialize)]
        struct Frame {
            id: FrameId,
            url: String,
        }
        let answer = self.client.call(Command::FrameTree, Some(session)).await?;
        let answer: Answer = expected(Command::FrameTree, answer)?;
        let mut trees = vec![answer.frame_tree];
        let (mut matching, mut others) = (Vec::new(), Vec::new());
        while let Some(tree) = trees.pop() {
            let matches = origin_and_path(&tree.frame.url)
                .is_some_and(|place| self.look.game_url.is_match(&place));
            if matches { &mut matching } else { &mut others }.push(tree.frame.id);
            trees.extend(tree.child_frames.into_iter().rev());
        }
        matching.append(&mut others);
        matching.truncate(FRAMES_MAX);
        Ok(matching)
    }

    async fn world(&self, session: &SessionId, frame: &FrameId) -> Result<ContextId, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct World {
            execution_context_id: ContextId,
        }
        let command = Command::IsolatedWorld(frame);
        let world: World = expected(command, self.client.call(command, Some(session)).await?)?;
        Ok(world.execution_context_id)
    }

    async fn read(&self, session: &SessionId, context: ContextId) -> Result<ParsedList, PollError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Evaluated {
            #[serde(default)]
            result: Value,
            exception_details: Option<Value>,
        }
        let command = Command::Read(context, &self.look.script);
        let evaluated: Evaluated =
            expected(command, self.client.call(command, Some(session)).await?)?;
        if let Some(details) = evaluated.exception_details {
            let why = details["exception"]["description"].as_str().unwrap_or("an exception");
            let why = why.lines().next().unwrap_or(why).to_owned();
            return Err(if why.starts_with("SyntaxError") {
                PollError::BadSelector(why)
            } else {
                PollError::Call(CallError::Refused { method: command.method(), message: why })
            });
        }
        let unexpected = || CallError::Unexpected(command.method());
        let texts = evaluated.result["value"].as_str().ok_or_else(unexpected)?;
        let lists: Vec<_> = serde_json::from_str(texts).map_err(|_| unexpected())?;
        Ok(sight(&lists, self.look.order))
    }

    async fn tell(&self, glimpse: PollResult) {
        // Nobody listens any more only when this task is about to be dropped.
        drop(self.out.send((self.target.clone(), glimpse)).await);
    }

    /// Waits, unless something happens to the target.
    async fn rest(&self, pause: Duration) {
        drop(timeout(pause, self.nudge.notified()).await);
    }
}

fn expected<T: DeserializeOwned>(command: Command<'_>, answer: Value) -> Result<T, CallError> {
    serde_json::from_value(answer).map_err(|_| CallError::Unexpected(command.method()))
}
