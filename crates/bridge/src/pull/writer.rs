//! Writes pulled rounds into a directory, each exactly once.

use std::collections::VecDeque;

use chrono::TimeDelta;
use rounds::disk::{SparingDisk, SyncPolicy};
use rounds::{Event, EventKind, Round, RoundLog};

use super::stream_position::{self, RECENT, RecentRow, StreamPosition};
use super::{Pull, PullError};
use crate::clock;
use crate::hub::HubError;
use crate::hub::stream::TableStream;
use crate::message::{RoundMessage, with_hub};

/// Two rounds of one table end further apart than this.
const SAME_ROUND: TimeDelta = TimeDelta::seconds(3);

/// Writes messages into a directory and keeps the position in the stream.
#[derive(Debug)]
pub struct TableWriter {
    log: RoundLog,
    place: StreamPosition,
    recent: VecDeque<RecentRow>,
    /// The start event of this run is written.
    is_begun: bool,
    stream: String,
    /// Rows of several sites are accepted, one site after another.
    takes_sites: bool,
}

impl TableWriter {
    /// Locks the directory and reads the position of its files.
    ///
    /// # Errors
    /// Another program writes there, or it holds rounds that were not pulled from a hub.
    pub fn open(pull: &Pull, kept: &TableStream) -> Result<Self, PullError> {
        let disk = Box::new(SparingDisk::new(
            SyncPolicy::Interval(pull.sync_interval),
            crate::report_close_error,
        ));
        let log = RoundLog::open_on(disk, &pull.dir, kept.table.origin, clock::wall())?;
        for repair in log.repairs() {
            tracing::info!(file = %repair.file.display(), bytes = repair.bytes, "Cut off a torn row; it is pulled again.");
        }
        let place = stream_position::read(&pull.dir).map_err(|error| {
            HubError::Files(format!("cannot read {}: {error}", pull.dir.display()))
        })?;
        if place.stream.is_none() && !place.orphans.is_empty() {
            let problem = format!(
                "{} holds rounds that were not pulled from a hub: choose an empty directory",
                pull.dir.display()
            );
            return Err(HubError::Mismatch(problem).into());
        }
        let recent = place.recent.iter().copied().collect();
        let takes_sites = !pull.only_sites.is_empty();
        Ok(Self { log, place, recent, is_begun: false, stream: kept.created.clone(), takes_sites })
    }

    /// Checks that the stream is the one that the files were pulled from.
    ///
    /// # Errors
    /// The stream is not that one, or no longer holds rounds that the files do.
    pub fn verify_stream(&mut self, kept: &TableStream, last: u64) -> Result<(), PullError> {
        let Self { place, stream, .. } = self;
        let before = place.stream.as_ref().unwrap_or(stream);
        if *before != kept.created {
            let problem = format!(
                "the stream at the hub was made at {}, and the files here were pulled from one made at {before}: pull into an empty directory",
                kept.created
            );
            return Err(HubError::Mismatch(problem).into());
        }
        if last < place.seq {
            let problem = format!(
                "the stream ends at message {last}, and the files here have message {} of it: the hub has lost rounds; pull into an empty directory",
                place.seq
            );
            return Err(HubError::Mismatch(problem).into());
        }
        if place.orphans.is_empty() {
            self.begin()?;
        }
        Ok(())
    }

    /// Returns the sequence number of the last message processed.
    pub fn seq(&self) -> u64 {
        self.place.seq
    }

    /// Returns the number of rows in the files.
    pub fn rounds(&self) -> u64 {
        self.place.rounds
    }

    /// Writes a message, unless its row is in the files already.
    ///
    /// # Errors
    /// It is not written; the same message may be given again.
    pub fn take(&mut self, seq: u64, message: &RoundMessage) -> Result<(), PullError> {
        if seq <= self.place.seq {
            return Ok(());
        }
        if message.event.kind == EventKind::Conflict {
            self.begin()?;
            let event = message.event_from(seq);
            self.log.note(message.round.time, &event)?;
        } else if !self.is_known(message) {
            self.check_site(message)?;
            self.write(seq, message)?;
        }
        self.place.seq = seq;
        Ok(())
    }

    fn write(&mut self, seq: u64, message: &RoundMessage) -> Result<(), PullError> {
        let round = message.round;
        match self.place.orphans.front() {
            Some(orphan) if orphan.to_row() == round.to_row() => {
                self.place.orphans.pop_front();
                self.remember(message);
                if self.place.orphans.is_empty() {
                    self.place.seq = seq;
                    self.begin()?;
                }
                return Ok(());
            }
            Some(orphan) => {
                let problem = format!(
                    "message {seq} is the round {}, and the row whose place in the stream is not known is {}: the files were changed; pull into an empty directory",
                    round.to_row().trim_end(),
                    orphan.to_row().trim_end()
                );
                return Err(HubError::Mismatch(problem).into());
            }
            None => {}
        }
        for mark in &message.discontinuities {
            let time = chrono::DateTime::from_timestamp_millis(mark.unix_ms).unwrap_or(round.time);
            // No place in it: the place counts once the row is there.
            self.log.note(time, &mark.event)?;
        }
        self.log.append(&round, &message.event_from(seq))?;
        self.place.rounds += 1;
        self.remember(message);
        Ok(())
    }

    fn remember(&mut self, message: &RoundMessage) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let has_id = message.event.round_id.is_some();
        self.recent.push_back(RecentRow { round: message.round, has_id });
        if !has_id {
            self.place.site = Some(message.site.clone());
        }
    }

    /// One recorder's row lost its id, and the round is here with or without: a table's rounds are further apart than this.
    fn is_known(&self, message: &RoundMessage) -> bool {
        let has_id = message.event.round_id.is_some();
        self.recent
            .iter()
            .any(|other| other.has_id != has_id && is_same(&other.round, &message.round))
    }

    /// Rows without ids of two sites would be every round twice.
    fn check_site(&self, message: &RoundMessage) -> Result<(), HubError> {
        let is_named = message.event.round_id.is_some() || self.recent.iter().any(|row| row.has_id);
        let Some(site) = self.place.site.as_ref().filter(|site| **site != message.site) else {
            return Ok(());
        };
        if is_named || self.takes_sites {
            return Ok(());
        }
        Err(HubError::Mismatch(format!(
            "the rounds of this table have no ids and come from two sites, {site} and {}: pull each with --only-site into a directory of its own and join them with `bridge merge`",
            message.site
        )))
    }

    /// Writes the start event of this run, which records how much is in the files before it.
    fn begin(&mut self) -> Result<(), PullError> {
        if self.is_begun {
            return Ok(());
        }
        let mut event = Event::new(EventKind::Start, "bridge");
        event.detail = Some(stream_position::start_detail(&self.stream, self.place.seq));
        self.log.note(clock::wall(), &event)?;
        self.is_begun = true;
        Ok(())
    }

    /// Writes the stop event.
    pub fn close(&mut self) {
        if !self.is_begun {
            return;
        }
        let mut event = Event::new(EventKind::Stop, "bridge");
        event.detail = Some(with_hub(None, self.place.seq, "bridge"));
        if let Err(error) = self.log.note(clock::wall(), &event) {
            tracing::warn!(%error, "Cannot write the stop event.");
        }
    }
}

fn is_same(a: &Round, b: &Round) -> bool {
    a.multiplier.cents() == b.multiplier.cents() && (a.time - b.time).abs() <= SAME_ROUND
}
