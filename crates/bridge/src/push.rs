//! From the files of a collector to the hub: every row once, in order, and none before the hub has it.

mod place;
mod side;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::message::PublishMessage;
use rounds::{Event, EventKind, Name, Origin, Round};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::hub::stream::{Kept, Limits};
use crate::hub::{self, Access, Hub, HubError};
use crate::outage::{self, Outage};
use crate::parcel::{Parcel, VERSION, with_hub};
use crate::subject::{Row, Table};

use place::Window;
use side::{Known, Side};
pub use state::{State, StateError};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After so many looks it is said that a row waits for its event.
const WAIT_LOOKS: u32 = 40;
/// How long the acknowledgements on their way are waited for at the end.
const LAST_ACKS: Duration = Duration::from_secs(2);

/// What to push.
#[derive(Clone, Debug)]
pub struct Push {
    /// The hub.
    pub access: Access,
    /// The collector's directory.
    pub dir: PathBuf,
    /// The name of the table.
    pub table: Name,
    /// The name of this machine among those that record the table.
    pub site: Name,
    /// Rows on their way at a time.
    pub in_flight: usize,
    /// Stop when everything that is in the files is stored.
    pub once: bool,
}

/// Why a session ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Asked to stop.
    Asked,
    /// Everything is stored, and that was all that was wanted.
    Done,
}

/// Pushes until it is asked to stop, or once.
///
/// # Errors
/// Something that trying again cannot change.
pub fn run(push: &Push, state: &mut State, shutdown: &CancellationToken) -> Result<(), HubError> {
    let mut outage = Outage::new();
    let mut was_used = false;
    loop {
        let mut session = Session {
            push,
            state,
            shutdown,
            sides: BTreeMap::new(),
            quiet: BTreeMap::new(),
            tally: Tally::default(),
        };
        let ended = hub::run(session.run(&mut outage, &mut was_used));
        state.save();
        match ended {
            Ok(Ended::Asked | Ended::Done) => return Ok(()),
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

/// One connection's worth of pushing.
struct Session<'a> {
    push: &'a Push,
    state: &'a mut State,
    shutdown: &'a CancellationToken,
    /// The side files, read as far as the rows are sent.
    sides: BTreeMap<String, Side>,
    /// Length and time of files that have nothing to send.
    quiet: BTreeMap<String, (u64, Option<SystemTime>)>,
    tally: Tally,
}

/// What became of the rows of this connection.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    stored: u64,
    stored_already: u64,
    /// Said once for each time it happens.
    is_caught_up: bool,
    /// Looks in a row at which the last row of a file waited for its event.
    waited: u32,
}

/// A row on its way.
struct Sent {
    number: u64,
    round: Round,
    id: Option<String>,
    subject: String,
    ack: PublishAckFuture,
}

/// How far a file has been dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    End,
    /// The last row waits for its event.
    Waiting,
    Asked,
}

impl Session<'_> {
    async fn run(&mut self, outage: &mut Outage, was_used: &mut bool) -> Result<Ended, HubError> {
        let hub = Hub::connect(&self.push.access, self.push.in_flight).await?;
        // Nothing that is waited for comes over a connection that is lost; a row that was on its way is sent again.
        tokio::select! {
            ended = self.work(&hub, outage, was_used) => ended,
            error = hub.lost() => Err(error),
        }
    }

    async fn work(
        &mut self,
        hub: &Hub,
        outage: &mut Outage,
        was_used: &mut bool,
    ) -> Result<Ended, HubError> {
        let Some(origin) = self.origin().await? else { return Ok(Ended::Asked) };
        let table = Table { name: self.push.table.clone(), origin };
        let kept = hub.stream_for(&table, Limits::default()).await?;
        if self.state.meet(&kept.created) {
            tracing::info!("The stream is a new one; every row is sent again.");
        }
        *was_used = true;
        outage.over();
        tracing::info!(hub = %self.push.access.address, table = %table.name, %origin, "Connected.");
        loop {
            let reached = self.all_files(hub, &kept).await?;
            if reached == Reached::Asked {
                return Ok(Ended::Asked);
            }
            self.state.save_if_changed();
            self.say_caught_up();
            if self.push.once {
                return Ok(Ended::Done);
            }
            if self.wait().await {
                return Ok(Ended::Asked);
            }
        }
    }

    /// Waits for the next look; whether it was asked to stop instead.
    async fn wait(&self) -> bool {
        outage::pause(LOOK_EVERY, self.shutdown).await;
        self.shutdown.is_cancelled()
    }

    /// The origin of the rounds, as soon as there are any; `None` if asked to stop before.
    async fn origin(&self) -> Result<Option<Origin>, HubError> {
        loop {
            match Origin::of(&self.push.dir) {
                Ok(Some(origin)) => return Ok(Some(origin)),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&self.push.dir, &error)),
            }
            if self.push.once {
                let problem = format!("{} holds no rounds", self.push.dir.display());
                return Err(HubError::Strangers(problem));
            }
            if self.wait().await {
                return Ok(None);
            }
        }
    }

    fn say_caught_up(&mut self) {
        let Tally { stored, stored_already, is_caught_up, waited } = self.tally;
        let is_too_long = waited == WAIT_LOOKS || self.push.once && waited > 0;
        if is_too_long {
            tracing::warn!(
                "A row waits for its event, which the collector writes after it; it is sent when the collector goes on."
            );
        }
        if waited == 0 && !is_caught_up {
            tracing::info!(stored, stored_already, "Every row in the files is at the hub.");
            self.tally.is_caught_up = true;
        }
    }

    async fn all_files(&mut self, hub: &Hub, kept: &Kept) -> Result<Reached, HubError> {
        let mut is_waiting = false;
        let names = rounds::csv_names(&self.push.dir)
            .map_err(|error| unreadable(&self.push.dir, &error))?;
        for (index, name) in names.iter().enumerate() {
            let look = metadata(&self.push.dir.join(name));
            if look.is_some() && self.quiet.get(name) == look.as_ref() {
                continue;
            }
            let later = side::Later::of(name, &names[index + 1..]);
            match self.file(hub, kept, name, &later).await? {
                Reached::End => {
                    self.sides.remove(name);
                    // A file that has grown meanwhile has another length by now.
                    self.quiet.extend(look.map(|look| (name.clone(), look)));
                }
                Reached::Waiting => is_waiting = true,
                Reached::Asked => return Ok(Reached::Asked),
            }
        }
        self.tally.waited = if is_waiting { self.tally.waited.saturating_add(1) } else { 0 };
        Ok(Reached::End)
    }

    /// Sends what is new in one file.
    async fn file(
        &mut self,
        hub: &Hub,
        kept: &Kept,
        name: &str,
        later: &side::Later,
    ) -> Result<Reached, HubError> {
        let path = self.push.dir.join(name);
        loop {
            let window = match self.state.place(name).read(&path) {
                Ok(Some(window)) => window,
                Ok(None) => return Ok(Reached::End),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reached::End),
                Err(error) => return Err(unreadable(&path, &error)),
            };
            let reached = self.window(hub, kept, name, (&window, later)).await?;
            if reached != Reached::End {
                return Ok(reached);
            }
            if window.rejected > 0 {
                tracing::warn!(
                    file = name,
                    lines = window.rejected,
                    "Lines that are no rounds are not pushed."
                );
            }
            self.state.place(name).pass(window);
            self.state.save_if_due();
        }
    }

    /// Sends the rows of a window, many at a time, and takes the acknowledgements in the order of the rows.
    async fn window(
        &mut self,
        hub: &Hub,
        kept: &Kept,
        name: &str,
        (window, later): (&Window, &side::Later),
    ) -> Result<Reached, HubError> {
        let mut sent: VecDeque<Sent> = VecDeque::new();
        let mut reached = Reached::End;
        for (round, number) in window.rounds.iter().zip(window.first..) {
            if self.shutdown.is_cancelled() {
                reached = Reached::Asked;
                break;
            }
            let dir = &self.push.dir;
            let side = self.sides.entry(name.to_owned()).or_insert_with(|| Side::of(dir, name));
            let known =
                side.row(number, later).map_err(|error| unreadable(&dir.join(name), &error))?;
            let Known::Said { event, marks } = known else {
                reached = Reached::Waiting;
                break;
            };
            let stem = name.strip_suffix(".csv").unwrap_or(name);
            let parcel = Parcel {
                v: VERSION,
                site: self.push.site.to_string(),
                file: stem.to_owned(),
                row: number,
                round: *round,
                event: event.unwrap_or_else(|| Event::new(EventKind::Live, "file")),
                marks,
            };
            self.tally.is_caught_up = false;
            sent.push_back(self.send(hub, &kept.table, parcel).await?);
            if sent.len() >= self.push.in_flight {
                self.take_ack(hub, kept, name, &mut sent).await?;
            }
        }
        while !sent.is_empty() {
            let ack = self.take_ack(hub, kept, name, &mut sent);
            if reached == Reached::Asked {
                tokio::time::timeout(LAST_ACKS, ack)
                    .await
                    .map_err(|error| HubError::away("the last acknowledgements", &error))??;
            } else {
                ack.await?;
            }
        }
        Ok(reached)
    }

    async fn send(&self, hub: &Hub, table: &Table, parcel: Parcel) -> Result<Sent, HubError> {
        let row = Row { file: &parcel.file, number: parcel.row, round: &parcel.round };
        let by_id = parcel.event.round_id.as_deref().and_then(|id| table.round(id));
        let id = by_id.is_some().then(|| parcel.event.round_id.clone()).flatten();
        let subject = by_id.or_else(|| table.row(&self.push.site, &row)).ok_or_else(|| {
            HubError::Strangers(format!(
                "{}: the name of the file is too long for the hub",
                parcel.file
            ))
        })?;
        let message =
            PublishMessage::build().payload(parcel.to_bytes().into()).message_id(&subject);
        let ack = hub.jetstream.send_publish(subject.clone(), message).await;
        let ack = ack.map_err(|error| HubError::away("sending a row", &error))?;
        Ok(Sent { number: parcel.row, round: parcel.round, id, subject, ack })
    }

    /// Waits for the acknowledgement of the oldest row on its way.
    async fn take_ack(
        &mut self,
        hub: &Hub,
        kept: &Kept,
        name: &str,
        sent: &mut VecDeque<Sent>,
    ) -> Result<(), HubError> {
        let Some(Sent { number, round, id, subject, ack }) = sent.pop_front() else {
            return Ok(());
        };
        let is_new = match ack.await {
            Ok(ack) => !ack.duplicate,
            Err(error) if is_stored_already(&error) => false,
            Err(error) => return Err(full_or_away(&error)),
        };
        if is_new {
            self.tally.stored += 1;
        } else {
            self.tally.stored_already += 1;
            if let Some(id) = id {
                self.compare(hub, kept, (&id, &subject), &round).await?;
            }
        }
        self.state.place(name).acknowledge(number);
        self.state.save_if_due();
        tracing::debug!(file = name, row = number, is_new, "Stored.");
        Ok(())
    }

    /// Holds a round against the one that is stored under its id, and tells the hub if they differ.
    async fn compare(
        &self,
        hub: &Hub,
        kept: &Kept,
        (id, subject): (&str, &str),
        round: &Round,
    ) -> Result<(), HubError> {
        let stored = kept
            .stream
            .direct_get_last_for_subject(subject)
            .await
            .map_err(|error| HubError::away("reading a stored round", &error))?;
        let Ok(stored) = Parcel::from_bytes(&stored.payload) else { return Ok(()) };
        let (first, now) = (stored.round.multiplier.cents(), round.multiplier.cents());
        if first == now {
            return Ok(());
        }
        tracing::warn!(id, first_site = stored.site, first = %stored.round.multiplier, here = %round.multiplier,
            "Two recorders disagree on a round; the one stored first stands.");
        let Some(subject) = kept.table.conflict(id, &self.push.site, now) else { return Ok(()) };
        let mut event = Event::new(EventKind::Conflict, "bridge");
        event.round_id = Some(id.to_owned());
        let detail = json!({ "first_cents": first, "now_cents": now, "first_site": stored.site });
        event.detail = Some(with_hub(Some(&detail), 0, self.push.site.as_str()));
        let parcel = Parcel {
            v: VERSION,
            site: self.push.site.to_string(),
            file: String::new(),
            row: 0,
            round: *round,
            event,
            marks: Vec::new(),
        };
        let message =
            PublishMessage::build().payload(parcel.to_bytes().into()).message_id(&subject);
        let told = hub.jetstream.send_publish(subject, message).await;
        let told = told.map_err(|error| HubError::away("telling of a conflict", &error))?;
        match told.await {
            Err(error) if !is_stored_already(&error) => Err(full_or_away(&error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// The code says only that the hub did not store it; the words say why.
fn is_stored_already(error: &PublishError) -> bool {
    jetstream(error).is_some_and(|why| {
        why.error_code() == ErrorCode::STREAM_STORE_FAILED
            && why.to_string().contains("maximum messages per subject")
    })
}

fn full_or_away(error: &PublishError) -> HubError {
    match jetstream(error) {
        Some(why) if why.to_string().contains("maximum") => HubError::Away {
            problem: format!(
                "the hub is full ({why}): raise the limit of the stream; rows wait in their files"
            ),
        },
        Some(why) => HubError::away("the hub does not store a row", why),
        None => HubError::away("no acknowledgement", error),
    }
}

fn jetstream(error: &PublishError) -> Option<&async_nats::jetstream::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

fn unreadable(path: &Path, error: &io::Error) -> HubError {
    HubError::Files(format!("cannot read {}: {error}", path.display()))
}

fn metadata(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
