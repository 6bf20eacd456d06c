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
use crate::history_list::{ParsedList, parse_lists};

/// Number of unanswered polls after which a tab counts as frozen.
const SILENT_MAX: u32 = 3;
/// Pause for a frozen tab: every command queues up in it until it wakes.
const FROZEN_PAUSE: Duration = Duration::from_secs(15);
/// A list that has been missing for less than this is polled for without extra pauses.
const EAGER_FOR: Duration = Duration::from_secs(10);
/// Pause between polls after that: a casino's page may match and have many frames, and yet never
/// show a list.
const LISTLESS_PAUSE: Duration = Duration::from_secs(2);
/// The pause after a refusal.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);
/// Maximum number of frames read per target.
const FRAMES_MAX: usize = 32;

/// The result of polling a target.
#[derive(Debug)]
pub(super) enum PollResult {
    Read(ParsedList),
    /// Several polls in a row were not answered.
    Silent,
    /// The browser refused.
    Refused(String),
    /// The selector is not valid CSS.
    BadSelector(String),
}

/// Which frames of a target may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameScope {
    /// All, because the target's own address matches.
    All,
    /// Those whose own address matches.
    Matching,
}

/// Attaches to one target and polls its history list until it is dropped or the browser is gone.
#[derive(Debug)]
pub(super) struct Poller {
    pub(super) client: Arc<Client>,
    pub(super) target: TargetId,
    pub(super) matcher: Arc<PageMatcher>,
    pub(super) scope: FrameScope,
    /// Signals that the target changed: poll at once.
    pub(super) wake: Arc<Notify>,
    pub(super) out: mpsc::Sender<(TargetId, PollResult)>,
}

/// An attachment to the target.
struct Attachment {
    session: SessionId,
    /// Whether the browser reports the messages of the target's WebSockets.
    network_enabled: bool,
    /// Where the list was found last.
    list_context: Option<ContextId>,
}

/// Why a poll failed.
enum PollError {
    Call(CallError),
    BadSelector(String),
}

impl From<CallError> for PollError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Poller {
    pub(super) async fn run(self) {
        loop {
            let Err(error) = self.poll_attached().await;
            match error {
                CallError::Closed => return,
                // Attach again.
                CallError::SessionGone => {}
                error => self.send(PollResult::Refused(error.to_string())).await,
            }
            self.pause_for(REFUSED_PAUSE).await;
        }
    }

    /// Polls until the target is detached.
    async fn poll_attached(&self) -> Result<Infallible, CallError> {
        let mut attachment = Attachment {
            session: Self::attach(&self.client, &self.target).await?,
            network_enabled: false,
            list_context: None,
        };
        let (mut silent, mut seen) = (0, Instant::now());
        let mut polls = interval(self.matcher.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            polls.tick().await;
            let missed = match self.poll(&mut attachment).await {
                Ok(parsed) => {
                    silent = 0;
                    self.report_list(parsed, &mut seen).await;
                    continue;
                }
                Err(PollError::BadSelector(why)) => {
                    self.send(PollResult::BadSelector(why)).await;
                    continue;
                }
                Err(PollError::Call(error)) => error,
            };
            attachment.list_context = None;
            match missed {
                CallError::Closed | CallError::SessionGone => return Err(missed),
                // A reload: the next poll reads the new page.
                CallError::ContextGone => {}
                CallError::TimedOut(_) if silent + 1 < SILENT_MAX => silent += 1,
                CallError::TimedOut(_) => {
                    self.send(PollResult::Silent).await;
                    self.pause_for(FROZEN_PAUSE).await;
                }
                CallError::Refused { .. } | CallError::Unexpected(_) => {
                    self.send(PollResult::Refused(missed.to_string())).await;
                    self.pause_for(REFUSED_PAUSE).await;
                }
            }
        }
    }

    /// Sends the result; pauses if the list has been missing for long.
    async fn report_list(&self, parsed: ParsedList, seen: &mut Instant) {
        if matches!(parsed, ParsedList::List { .. }) {
            *seen = Instant::now();
        }
        self.send(PollResult::Read(parsed)).await;
        if seen.elapsed() > EAGER_FOR {
            self.pause_for(LISTLESS_PAUSE).await;
        }
    }

    /// Opens a session with `target`.
    pub(super) async fn attach(client: &Client, target: &TargetId) -> Result<SessionId, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct AttachReply {
            session_id: SessionId,
        }
        let command = Command::Attach(target);
        let attached: AttachReply = expected(command, client.call(command, None).await?)?;
        Ok(attached.session_id)
    }

    /// Reads the frame where the list was last found, or else every frame.
    async fn poll(&self, attachment: &mut Attachment) -> Result<ParsedList, PollError> {
        if !attachment.network_enabled {
            self.client.call(Command::WatchNetwork, Some(&attachment.session)).await?;
            // A game may have its socket in a worker. A browser that refuses this is read without.
            match self.client.call(Command::AttachWorkers, Some(&attachment.session)).await {
                Ok(_) | Err(CallError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            attachment.network_enabled = true;
        }
        if let Some(list_context) = attachment.list_context {
            let parsed = self.read(&attachment.session, list_context).await?;
            attachment.list_context =
                Some(list_context).filter(|_| matches!(parsed, ParsedList::List { .. }));
            return Ok(parsed);
        }
        let mut best = ParsedList::Nothing;
        let frames =
            Self::frames(&self.client, &self.matcher, &attachment.session, self.scope).await?;
        for frame in frames {
            let (context, parsed) = match self.read_frame(&attachment.session, &frame).await {
                Ok(seen) => seen,
                // This frame is navigating; try the others.
                Err(PollError::Call(CallError::ContextGone | CallError::Refused { .. })) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if matches!(parsed, ParsedList::List { .. }) {
                attachment.list_context = Some(context);
                return Ok(parsed);
            }
            if best == ParsedList::Nothing {
                best = parsed;
            }
        }
        Ok(best)
    }

    async fn read_frame(
        &self,
        session: &SessionId,
        frame: &FrameId,
    ) -> Result<(ContextId, ParsedList), PollError> {
        let context = self.world(session, frame).await?;
        Ok((context, self.read(session, context).await?))
    }

    /// Returns the target's frames in `scope`, those whose own address matches first. Frames in a process of their own are
    /// separate targets.
    pub(super) async fn frames(
        client: &Client,
        matcher: &PageMatcher,
        session: &SessionId,
        scope: FrameScope,
    ) -> Result<Vec<FrameId>, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct FrameTreeReply {
            frame_tree: Tree,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tree {
            frame: PageFrame,
            #[serde(default)]
            child_frames: Vec<Self>,
        }
        #[derive(Deserialize)]
        struct PageFrame {
            id: FrameId,
            url: String,
        }
        let answer = client.call(Command::FrameTree, Some(session)).await?;
        let answer: FrameTreeReply = expected(Command::FrameTree, answer)?;
        let mut trees = vec![answer.frame_tree];
        let (mut matching, mut others) = (Vec::new(), Vec::new());
        while let Some(tree) = trees.pop() {
            let is_wanted = origin_and_path(&tree.frame.url)
                .is_some_and(|place| matcher.game_url.is_match(&place));
            if is_wanted { &mut matching } else { &mut others }.push(tree.frame.id);
            trees.extend(tree.child_frames.into_iter().rev());
        }
        if scope == FrameScope::All {
            matching.append(&mut others);
        }
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
        let command = Command::Read(context, &self.matcher.script);
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
        Ok(parse_lists(&lists, self.matcher.order))
    }

    async fn send(&self, result: PollResult) {
        // The receiver is gone only when this task is about to be dropped.
        drop(self.out.send((self.target.clone(), result)).await);
    }

    /// Waits for `pause` or until the target changes.
    async fn pause_for(&self, pause: Duration) {
        drop(timeout(pause, self.wake.notified()).await);
    }
}

fn expected<T: DeserializeOwned>(command: Command<'_>, answer: Value) -> Result<T, CallError> {
    serde_json::from_value(answer).map_err(|_| CallError::Unexpected(command.method()))
}
