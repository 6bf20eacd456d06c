//! Chooses which tabs and frames of the browser to read, and reads them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, watch as latest};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tracing::{debug, info};

use super::poller::{PollResult, Watch};
use super::sockets::{SocketKey, Sockets};
use super::view::{Tab, TabState, View, origin_and_path};
use super::{Heard, PageMatcher};
use crate::cdp::{Client, Command, Event, Events, SessionId, TargetId};
use crate::clock;
use crate::history_list::ParsedList;
use crate::observation::{Observation, Report};
use crate::sfs2x::{self, Message};
use crate::source_error::SourceError;

/// Messages kept of a tab that is not listened to, for the case that it takes over.
const HELD_MAX: usize = 64;
/// Glimpses that may wait; the looks slow down beyond that.
const GLIMPSES_MAX: usize = 64;
/// How often a socket that says nothing of rounds is reported as alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// The tabs and frames of a browser: which to look at, and which of those to listen to.
#[derive(Debug)]
pub(super) struct Tabs {
    client: Arc<Client>,
    look: Arc<PageMatcher>,
    view: latest::Sender<View>,
    out: mpsc::Sender<Heard>,
    watched: BTreeMap<TargetId, Watched>,
    sessions: HashMap<SessionId, TargetId>,
    sockets: Sockets,
    /// The one target that is listened to: two tabs of the game may show two different streams.
    active: Option<TargetId>,
    /// Where the watches send what they see, and where it arrives.
    eyes: mpsc::Sender<(TargetId, PollResult)>,
    glimpses: mpsc::Receiver<(TargetId, PollResult)>,
    watches: JoinSet<()>,
    alive_at: Instant,
}

/// A target that is looked at.
#[derive(Debug)]
struct Watched {
    nudge: Arc<Notify>,
    task: AbortHandle,
    /// Which of the game's instances it showed before what is held.
    instance: Option<String>,
    /// What its socket said while another target was listened to, and when.
    held: VecDeque<(DateTime<Utc>, Message)>,
}

impl Watched {
    fn hold(&mut self, message: Message) {
        if self.held.len() == HELD_MAX
            && let Some((_, Message::Instance(name))) = self.held.pop_front()
        {
            self.instance = Some(name);
        }
        self.held.push_back((clock::wall(), message));
    }
}

impl Tabs {
    pub(super) fn new(
        client: Arc<Client>,
        look: Arc<PageMatcher>,
        view: latest::Sender<View>,
        out: mpsc::Sender<Heard>,
    ) -> Self {
        let (eyes, glimpses) = mpsc::channel(GLIMPSES_MAX);
        Self {
            client,
            look,
            view,
            out,
            watched: BTreeMap::new(),
            sessions: HashMap::new(),
            sockets: Sockets::default(),
            active: None,
            eyes,
            glimpses,
            watches: JoinSet::new(),
            alive_at: Instant::now(),
        }
    }

    /// Follows what the browser tells until it is gone.
    pub(super) async fn run(mut self, mut events: Events) {
        let error = loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(event) => self.take(event).await,
                    None => break SourceError::Disconnected(events.ending()),
                },
                Some((target, glimpse)) = self.glimpses.recv() => {
                    if let Err(error) = self.glimpsed(&target, glimpse).await {
                        break error;
                    }
                }
            }
            if events.lost() > 0 {
                // What was lost may have been a round or the end of a tab; a fresh start knows.
                let lost = events.lost();
                break SourceError::Disconnected(format!(
                    "{lost} events of the browser came too fast to be read"
                ));
            }
        };
        drop(self.out.send(Err(error)).await);
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::Target { target, url } => self.target(target, &url).await,
            Event::TargetGone(target) => {
                self.unwatch(&target).await;
                self.view.send_modify(|view| drop(view.tabs.remove(&target)));
            }
            Event::TargetCrashed(target) => {
                self.set_state(&target, TabState::Crashed);
                self.silence(&target, "has crashed").await;
            }
            Event::Attached(session, target) => {
                if self.watched.contains_key(&target) {
                    self.sessions.insert(session, target);
                }
            }
            Event::Detached(session) => self.detached(&session).await,
            Event::SocketOpened { session, socket, url } => {
                let is_listened_to = self.is_listened_to(&session);
                if self.sockets.open((session, socket), &url) && is_listened_to {
                    self.interrupted("opened its socket again").await;
                }
            }
            Event::SocketClosed { session, socket } => {
                let is_listened_to = self.is_listened_to(&session);
                if self.sockets.close(&(session, socket)) && is_listened_to {
                    self.interrupted("closed its socket").await;
                }
            }
            Event::SocketSaid { session, socket, base64 } => {
                self.socket_said((session, socket), &base64).await;
            }
        }
    }

    fn is_listened_to(&self, session: &SessionId) -> bool {
        self.active.is_some() && self.sessions.get(session) == self.active.as_ref()
    }

    async fn target(&mut self, target: TargetId, url: &str) {
        let place = origin_and_path(url);
        let matches = place.as_deref().is_some_and(|place| self.look.game_url.is_match(place));
        if !matches {
            self.leave(&target).await;
        }
        self.view.send_if_modified(|view| {
            let Some(place) = place else { return view.tabs.remove(&target).is_some() };
            let tab = view.tabs.entry(target.clone()).or_insert_with(|| Tab {
                place: String::new(),
                state: TabState::Ignored,
                socket: false,
            });
            let changed = tab.place != place || (tab.state == TabState::Ignored) == matches;
            tab.place = place;
            match (matches, &tab.state) {
                (true, TabState::Ignored) => tab.state = TabState::Asked,
                (false, _) => tab.state = TabState::Ignored,
                (true, _) => {}
            }
            changed
        });
        if !matches {
            return;
        }
        match self.watched.get(&target) {
            // It reloads, wakes up or moves on.
            Some(watched) => watched.nudge.notify_one(),
            None => self.watch(target),
        }
    }

    fn watch(&mut self, target: TargetId) {
        while self.watches.try_join_next().is_some() {}
        let nudge = Arc::new(Notify::new());
        let watch = Watch {
            client: Arc::clone(&self.client),
            target: target.clone(),
            look: Arc::clone(&self.look),
            nudge: Arc::clone(&nudge),
            out: self.eyes.clone(),
        };
        let task = self.watches.spawn(watch.run());
        let watched = Watched { nudge, task, instance: None, held: VecDeque::new() };
        self.watched.insert(target, watched);
    }

    /// The target now shows something else: says goodbye to it.
    async fn leave(&mut self, target: &TargetId) {
        if !self.watched.contains_key(target) {
            return;
        }
        for (session, _) in self.sessions.iter().filter(|(_, of)| *of == target) {
            let (client, session) = (Arc::clone(&self.client), session.clone());
            self.watches.spawn(async move {
                // If it cannot be said, the session is gone already.
                drop(client.call(Command::Detach(&session), None).await);
            });
        }
        self.unwatch(target).await;
    }

    async fn unwatch(&mut self, target: &TargetId) {
        if let Some(watched) = self.watched.remove(target) {
            watched.task.abort();
        }
        self.sessions.retain(|_, of| of != target);
        self.sockets.retain(|session| self.sessions.contains_key(session));
        self.silence(target, "is gone").await;
    }

    async fn detached(&mut self, session: &SessionId) {
        self.sockets.retain(|of| of != session);
        if let Some(target) = self.sessions.remove(session) {
            self.silence(&target, "is gone").await;
        }
    }

    /// The target is not listened to any more, so another may be.
    async fn silence(&mut self, target: &TargetId, why: &str) {
        if self.active.as_ref() == Some(target) {
            self.interrupted(why).await;
            self.active = None;
            self.view.send_modify(|view| view.active = None);
        }
    }

    /// Rounds may be missed in what is listened to.
    async fn interrupted(&self, why: &str) {
        let place = {
            let view = self.view.borrow();
            let tab = view.active.as_ref().and_then(|active| view.tabs.get(active));
            tab.map(|tab| tab.place.clone()).unwrap_or_default()
        };
        info!(place, "The game's frame {why}.");
        let said = Report::Interrupted(format!("the game's frame {place} {why}"));
        drop(self.out.send(Ok(Observation::now(said))).await);
    }

    fn set_state(&self, target: &TargetId, state: TabState) {
        self.view.send_if_modified(|view| match view.tabs.get_mut(target) {
            Some(tab) if tab.state != state => {
                tab.state = state;
                true
            }
            _ => false,
        });
    }

    async fn glimpsed(
        &mut self,
        target: &TargetId,
        glimpse: PollResult,
    ) -> Result<(), SourceError> {
        if !self.watched.contains_key(target) {
            return Ok(());
        }
        let state = match glimpse {
            PollResult::Saw(ParsedList::List { multipliers, selector, popup }) => {
                let selector = self.look.selectors.get(selector).cloned().unwrap_or_default();
                self.set_state(target, TabState::List { selector, len: multipliers.len(), popup });
                if self.listens_to(target).await {
                    // The next list says the same and more.
                    drop(self.out.try_send(Ok(Observation::now(Report::List(multipliers)))));
                }
                return Ok(());
            }
            PollResult::Saw(ParsedList::Few(len)) => TabState::Few(len),
            PollResult::Saw(ParsedList::Unreadable(texts)) => TabState::Unreadable(texts),
            PollResult::Saw(ParsedList::Nothing) => TabState::Nothing,
            PollResult::Silent => {
                self.silence(target, "does not answer").await;
                TabState::Silent
            }
            PollResult::BadSelector(why) if self.look.own_selector => {
                let selector = self.look.selectors.join(", ");
                return Err(SourceError::Configuration(format!(
                    "--selector `{selector}` is not a CSS selector ({why})"
                )));
            }
            PollResult::Refused(why) | PollResult::BadSelector(why) => TabState::Refused(why),
        };
        let crashed =
            self.view.borrow().tabs.get(target).is_some_and(|tab| tab.state == TabState::Crashed);
        if !(crashed && state == TabState::Silent) {
            self.set_state(target, state);
        }
        Ok(())
    }

    async fn socket_said(&mut self, key: SocketKey, base64: &str) {
        let Some(target) = self.sessions.get(&key.0).cloned() else { return };
        if self.sockets.is_foreign(&key) {
            return;
        }
        let Ok(bytes) = STANDARD.decode(base64) else { return };
        let mut spoke = false;
        for packet in sfs2x::packets(&bytes) {
            let message = packet.as_ref().map(Message::of);
            spoke |= message.is_ok();
            match message {
                Ok(Some(message)) => self.message(&target, message).await,
                Ok(None) => {}
                Err(error) => debug!(%error, "Skipped a packet."),
            }
        }
        if spoke {
            self.sockets.hear(key);
            self.spoke(&target).await;
        }
    }

    /// The target's game is alive, whether it said something of rounds or not.
    async fn spoke(&mut self, target: &TargetId) {
        self.view.send_if_modified(|view| {
            view.tabs.get_mut(target).is_some_and(|tab| !std::mem::replace(&mut tab.socket, true))
        });
        if self.listens_to(target).await && self.alive_at.elapsed() >= ALIVE_EVERY {
            self.alive_at = Instant::now();
            drop(self.out.try_send(Ok(Observation::now(Report::Alive))));
        }
    }

    async fn message(&mut self, target: &TargetId, message: Message) {
        if self.listens_to(target).await {
            self.say(target, message, None).await;
        } else if let Some(watched) = self.watched.get_mut(target) {
            watched.hold(message);
        }
    }

    /// Whether this target is the one; it becomes it when there is none. It has shown that it could be.
    async fn listens_to(&mut self, target: &TargetId) -> bool {
        if let Some(active) = &self.active {
            return active == target;
        }
        self.active = Some(target.clone());
        self.view.send_modify(|view| view.active = Some(target.clone()));
        let place = self.view.borrow().tabs.get(target).map(|tab| tab.place.clone());
        info!(place, "Listening to the game.");
        if let Some(watched) = self.watched.get_mut(target) {
            let instance = watched.instance.clone().map(Message::Instance);
            let held = std::mem::take(&mut watched.held);
            if let Some(instance) = instance {
                self.say(target, instance, None).await;
            }
            for (wall, message) in held {
                self.say(target, message, Some(wall)).await;
            }
        }
        true
    }

    /// Passes on what the target's socket said, now or at `wall`.
    async fn say(&mut self, target: &TargetId, message: Message, wall: Option<DateTime<Utc>>) {
        let said = match message {
            Message::Instance(name) => {
                if let Some(watched) = self.watched.get_mut(target) {
                    watched.instance = Some(name.clone());
                }
                Report::OtherInstance(name)
            }
            Message::History(rounds) => Report::Ids(rounds),
            Message::Finished { id, multiplier } => Report::Round {
                id: Some(id),
                multiplier,
                ended_at: wall,
                backfill: false,
                detail: None,
            },
        };
        drop(self.out.send(Ok(Observation::now(said))).await);
    }
}
