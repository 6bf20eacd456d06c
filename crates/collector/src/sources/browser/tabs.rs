//! Chooses which tabs and frames of the browser to read, and reads them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::{debug, info};

use super::poller::{FrameScope, PollResult, Poller};
use super::sockets::{SocketKey, Sockets};
use super::survey::{SURVEY_EVERY, Survey, Surveyed};
use super::view::{Tab, TabState, View, origin_and_path};
use super::{ObservationResult, PageMatcher};
use crate::cdp::{Client, Command, Event, Events, SessionId, TargetId};
use crate::clock;
use crate::history_list::ParsedList;
use crate::observation::{HistoryEntry, Observation, Report};
use crate::sfs2x::Message;
use crate::source_error::SourceError;

/// Messages buffered for an inactive target, in case it becomes the active one.
const BUFFERED_MAX: usize = 64;
/// Capacity of the queue of poll results; polling slows down when it is full.
const POLL_RESULTS_MAX: usize = 64;
/// How often a socket without round messages is reported as alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// The tabs and frames of a browser: polls those that match and reads one of them.
#[derive(Debug)]
pub(super) struct Tabs {
    client: Arc<Client>,
    matcher: Arc<PageMatcher>,
    view: watch::Sender<View>,
    out: mpsc::Sender<ObservationResult>,
    polled: BTreeMap<TargetId, PolledTarget>,
    sessions: HashMap<SessionId, TargetId>,
    /// The sessions with workers; each belongs to the target of its page.
    workers: HashSet<SessionId>,
    sockets: Sockets,
    /// The one target whose rounds are reported: two tabs of the game may show two different tables.
    active: Option<TargetId>,
    /// The queue of poll results.
    poll_tx: mpsc::Sender<(TargetId, PollResult)>,
    poll_results: mpsc::Receiver<(TargetId, PollResult)>,
    pollers: JoinSet<()>,
    survey: Survey,
    survey_tx: mpsc::Sender<(TargetId, Surveyed)>,
    surveyed: mpsc::Receiver<(TargetId, Surveyed)>,
    alive_at: Instant,
}

/// A target that is polled.
#[derive(Debug)]
struct PolledTarget {
    scope: FrameScope,
    wake: Arc<Notify>,
    task: AbortHandle,
    /// The game instance it showed before the buffered messages.
    instance: Option<String>,
    /// Messages of its socket while another target was active, with their time.
    buffered: VecDeque<(DateTime<Utc>, Message)>,
}

impl PolledTarget {
    fn buffer(&mut self, message: Message) {
        if self.buffered.len() == BUFFERED_MAX
            && let Some((_, Message::Instance(name))) = self.buffered.pop_front()
        {
            self.instance = Some(name);
        }
        self.buffered.push_back((clock::wall(), message));
    }
}

impl Tabs {
    pub(super) fn new(
        client: Arc<Client>,
        matcher: Arc<PageMatcher>,
        view: watch::Sender<View>,
        out: mpsc::Sender<ObservationResult>,
    ) -> Self {
        let (poll_tx, poll_results) = mpsc::channel(POLL_RESULTS_MAX);
        let (survey_tx, surveyed) = mpsc::channel(POLL_RESULTS_MAX);
        Self {
            client,
            matcher,
            view,
            out,
            polled: BTreeMap::new(),
            sessions: HashMap::new(),
            workers: HashSet::new(),
            sockets: Sockets::default(),
            active: None,
            poll_tx,
            poll_results,
            pollers: JoinSet::new(),
            survey: Survey::default(),
            survey_tx,
            surveyed,
            alive_at: Instant::now(),
        }
    }

    /// Handles the browser's events until it is gone.
    pub(super) async fn run(mut self, mut events: Events) {
        let mut surveys = interval_at(Instant::now() + SURVEY_EVERY, SURVEY_EVERY);
        surveys.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let error = loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(event) => self.on_event(event).await,
                    None => break SourceError::Disconnected(events.close_reason()),
                },
                Some((target, found)) = self.surveyed.recv() => self.on_surveyed(&target, &found),
                _ = surveys.tick(), if self.active.is_none() => self.begin_survey(),
                Some((target, result)) = self.poll_results.recv() => {
                    if let Err(error) = self.on_poll_result(&target, result).await {
                        break error;
                    }
                }
            }
            if events.dropped() > 0 {
                // A lost event may have been a round or the end of a tab: start afresh.
                let lost = events.dropped();
                break SourceError::Disconnected(format!(
                    "{lost} events of the browser arrived too fast to be read"
                ));
            }
        };
        drop(self.out.send(Err(error)).await);
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Target { target, url } => self.target(target, &url).await,
            Event::TargetGone(target) => {
                self.survey.changed(&target);
                self.stop_polling(&target).await;
                self.view.send_modify(|view| drop(view.tabs.remove(&target)));
            }
            Event::TargetCrashed(target) => {
                self.set_state(&target, TabState::Crashed);
                self.deactivate(&target, "has crashed").await;
            }
            Event::Attached(session, target) => {
                if self.polled.contains_key(&target) {
                    self.sessions.insert(session, target);
                }
            }
            Event::WorkerAttached { page, worker } => self.worker_attached(&page, worker),
            Event::Detached(session) if self.workers.remove(&session) => {
                let has_ended = self.is_active(&session) && self.sockets.is_playing(&session);
                self.sessions.remove(&session);
                self.sockets.retain(|of| *of != session);
                if has_ended {
                    self.interrupted("closed its socket").await;
                }
            }
            Event::Detached(session) => self.detached(&session).await,
            Event::SocketOpened { session, socket, url } => {
                let is_active = self.is_active(&session);
                if self.sockets.open((session, socket), &url) && is_active {
                    self.interrupted("opened its socket again").await;
                }
            }
            Event::SocketClosed { session, socket } => {
                let is_active = self.is_active(&session);
                if self.sockets.close(&(session, socket)) && is_active {
                    self.interrupted("closed its socket").await;
                }
            }
            Event::SocketMessage { session, socket, base64 } => {
                self.on_socket_message((session, socket), &base64).await;
            }
        }
    }

    /// Watches the sockets of a worker of a target that is read.
    fn worker_attached(&mut self, page: &SessionId, worker: SessionId) {
        let Some(target) = self.sessions.get(page).cloned() else { return };
        self.sessions.insert(worker.clone(), target);
        self.workers.insert(worker.clone());
        let client = Arc::clone(&self.client);
        self.pollers.spawn(async move {
            // On an error the worker is gone already.
            drop(client.call(Command::WatchNetwork, Some(&worker)).await);
        });
    }

    fn is_active(&self, session: &SessionId) -> bool {
        self.active.is_some() && self.sessions.get(session) == self.active.as_ref()
    }

    async fn target(&mut self, target: TargetId, url: &str) {
        let place = origin_and_path(url);
        let matches = place.as_deref().is_some_and(|place| self.matcher.game_url.is_match(place));
        self.survey.changed(&target);
        // A page around the game is read until it shows another address.
        let is_around_game = self.is_around_game(&target, place.as_deref());
        if !matches && !is_around_game {
            self.detach(&target).await;
        }
        let matches = matches || is_around_game;
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
        match self.polled.get(&target) {
            // The target reloads, wakes up or navigates: poll it at once.
            Some(polled) => polled.wake.notify_one(),
            None => self.poll_target(target, FrameScope::All),
        }
    }

    /// Returns whether a frame of the target is read although its own address, `place`, does not match.
    fn is_around_game(&self, target: &TargetId, place: Option<&str>) -> bool {
        let is_polled =
            self.polled.get(target).is_some_and(|polled| polled.scope == FrameScope::Matching);
        let view = self.view.borrow();
        is_polled && view.tabs.get(target).is_some_and(|tab| Some(tab.place.as_str()) == place)
    }

    /// Asks the tabs that are not read for the addresses of their frames.
    fn begin_survey(&mut self) {
        let others: Vec<TargetId> = {
            let view = self.view.borrow();
            let is_other = |target: &&TargetId| !self.polled.contains_key(*target);
            view.tabs.keys().filter(is_other).cloned().collect()
        };
        self.survey.begin(others, &self.client, &self.matcher, &self.survey_tx);
    }

    fn on_surveyed(&mut self, target: &TargetId, found: &Surveyed) {
        self.survey.answered(target, found);
        let is_new =
            self.view.borrow().tabs.contains_key(target) && !self.polled.contains_key(target);
        if *found == Surveyed::Frame && is_new && self.active.is_none() {
            self.set_state(target, TabState::Asked);
            self.poll_target(target.clone(), FrameScope::Matching);
        }
    }

    fn poll_target(&mut self, target: TargetId, scope: FrameScope) {
        while self.pollers.try_join_next().is_some() {}
        let wake = Arc::new(Notify::new());
        let poll_target = Poller {
            client: Arc::clone(&self.client),
            target: target.clone(),
            matcher: Arc::clone(&self.matcher),
            scope,
            wake: Arc::clone(&wake),
            out: self.poll_tx.clone(),
        };
        let task = self.pollers.spawn(poll_target.run());
        let polled = PolledTarget { scope, wake, task, instance: None, buffered: VecDeque::new() };
        self.polled.insert(target, polled);
    }

    /// Detaches from a target that now shows something else.
    async fn detach(&mut self, target: &TargetId) {
        if !self.polled.contains_key(target) {
            return;
        }
        for (session, _) in self.sessions.iter().filter(|(_, of)| *of == target) {
            let (client, session) = (Arc::clone(&self.client), session.clone());
            self.pollers.spawn(async move {
                // On an error the session is gone already.
                drop(client.call(Command::Detach(&session), None).await);
            });
        }
        self.stop_polling(target).await;
    }

    async fn stop_polling(&mut self, target: &TargetId) {
        if let Some(polled) = self.polled.remove(target) {
            polled.task.abort();
        }
        self.sessions.retain(|_, of| of != target);
        self.workers.retain(|worker| self.sessions.contains_key(worker));
        self.sockets.retain(|session| self.sessions.contains_key(session));
        self.deactivate(target, "is gone").await;
    }

    async fn detached(&mut self, session: &SessionId) {
        self.sockets.retain(|of| of != session);
        if let Some(target) = self.sessions.remove(session) {
            self.deactivate(&target, "is gone").await;
        }
    }

    /// Deactivates the target, so that another can become active.
    async fn deactivate(&mut self, target: &TargetId, why: &str) {
        if self.active.as_ref() == Some(target) {
            self.interrupted(why).await;
            self.active = None;
            self.view.send_modify(|view| view.active = None);
        }
    }

    /// Reports that rounds of the active target may have been missed.
    async fn interrupted(&self, why: &str) {
        let place = {
            let view = self.view.borrow();
            let tab = view.active.as_ref().and_then(|active| view.tabs.get(active));
            tab.map(|tab| tab.place.clone()).unwrap_or_default()
        };
        info!(place, reason = why, "Reading the game was interrupted.");
        let report = Report::Interrupted(format!("the game's frame {place} {why}"));
        drop(self.out.send(Ok(Observation::now(report))).await);
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

    async fn on_poll_result(
        &mut self,
        target: &TargetId,
        result: PollResult,
    ) -> Result<(), SourceError> {
        if !self.polled.contains_key(target) {
            return Ok(());
        }
        let state = match result {
            PollResult::Read(ParsedList::List { entries, selector, popup }) => {
                let selector = self.matcher.selectors.get(selector).cloned().unwrap_or_default();
                let unreadable = unreadable(&entries);
                let len = entries.len();
                self.set_state(target, TabState::List { selector, len, popup, unreadable });
                if self.claim_active(target).await {
                    // If the queue is full, the next list shows the same and more.
                    drop(self.out.try_send(Ok(Observation::now(Report::List(entries)))));
                }
                return Ok(());
            }
            PollResult::Read(ParsedList::Few(len)) => TabState::Few(len),
            PollResult::Read(ParsedList::Unreadable(texts)) => TabState::Unreadable(texts),
            PollResult::Read(ParsedList::Closed(names)) => TabState::Closed(names),
            PollResult::Read(ParsedList::Nothing) => TabState::Nothing,
            PollResult::Silent => {
                self.deactivate(target, "does not answer").await;
                TabState::Silent
            }
            PollResult::BadSelector(why) if self.matcher.own_selector => {
                let selector = self.matcher.selectors.join(", ");
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

    async fn on_socket_message(&mut self, key: SocketKey, base64: &str) {
        let Some(target) = self.sessions.get(&key.0).cloned() else { return };
        let Ok(bytes) = STANDARD.decode(base64) else { return };
        let mut on_game_traffic = false;
        for message in self.sockets.decode(&key, &bytes) {
            on_game_traffic |= message.is_ok();
            match message {
                Ok(Some(message)) => self.message(&target, message).await,
                Ok(None) => {}
                Err(error) => debug!(%error, "Skipped a packet."),
            }
        }
        if on_game_traffic {
            self.sockets.mark_playing(key);
            self.on_game_traffic(&target).await;
        }
    }

    /// Notes that the target's game is alive, whether or not it sent a round.
    async fn on_game_traffic(&mut self, target: &TargetId) {
        self.view.send_if_modified(|view| {
            view.tabs.get_mut(target).is_some_and(|tab| !std::mem::replace(&mut tab.socket, true))
        });
        if self.claim_active(target).await && self.alive_at.elapsed() >= ALIVE_EVERY {
            self.alive_at = Instant::now();
            drop(self.out.try_send(Ok(Observation::now(Report::Alive))));
        }
    }

    async fn message(&mut self, target: &TargetId, message: Message) {
        if self.claim_active(target).await {
            self.forward(target, message, None).await;
        } else if let Some(polled) = self.polled.get_mut(target) {
            polled.buffer(message);
        }
    }

    /// Returns whether the target is the active one; if there is none, makes it active. Call it only for a target
    /// that has shown a list or sent a message.
    async fn claim_active(&mut self, target: &TargetId) -> bool {
        if let Some(active) = &self.active {
            return active == target;
        }
        self.active = Some(target.clone());
        self.view.send_modify(|view| view.active = Some(target.clone()));
        let (place, rounds) = match self.view.borrow().tabs.get(target) {
            Some(Tab { place, state: TabState::List { len, .. }, .. }) => {
                (Some(place.clone()), Some(*len))
            }
            tab => (tab.map(|tab| tab.place.clone()), None),
        };
        info!(place, rounds_in_list = rounds, "Reading the game.");
        if let Some(polled) = self.polled.get_mut(target) {
            let instance = polled.instance.clone().map(Message::Instance);
            let buffered = std::mem::take(&mut polled.buffered);
            if let Some(instance) = instance {
                self.forward(target, instance, None).await;
            }
            for (wall, message) in buffered {
                self.forward(target, message, Some(wall)).await;
            }
        }
        true
    }

    /// Reports a message of the target's socket that arrived now, or at `wall`.
    async fn forward(&mut self, target: &TargetId, message: Message, wall: Option<DateTime<Utc>>) {
        if let Message::Instance(name) = &message
            && let Some(polled) = self.polled.get_mut(target)
        {
            polled.instance = Some(name.clone());
        }
        drop(self.out.send(Ok(Observation::now(message.into_report(wall)))).await);
    }
}

/// Returns up to three texts that cannot be read.
fn unreadable(entries: &[HistoryEntry]) -> Vec<String> {
    let text = |entry: &HistoryEntry| match entry {
        HistoryEntry::Unreadable(text) => Some(text.clone()),
        HistoryEntry::Round(_) => None,
    };
    entries.iter().filter_map(text).take(3).collect()
}
