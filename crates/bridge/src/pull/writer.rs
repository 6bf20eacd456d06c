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

/// Maximum difference between two recorders' times of one round. Two rounds of a table end further apart.
const SAME_ROUND: TimeDelta = TimeDelta::seconds(3);

/// Writes messages into a directory and tracks the position in the stream.
#[derive(Debug)]
pub struct TableWriter {
    log: RoundLog,
    position: StreamPosition,
    recent: VecDeque<RecentRow>,
    /// Whether the start event of this run has been written.
    has_begun: bool,
    stream: String,
    /// Whether rows without ids may come from several sites, one after another.
    accepts_several_sites: bool,
}

impl TableWriter {
    /// Locks the directory and reads the position of its files.
    ///
    /// # Errors
    /// Another program writes there, or the directory holds rounds that were not pulled from a hub.
    pub fn open(pull: &Pull, table_stream: &TableStream) -> Result<Self, PullError> {
        let disk = Box::new(SparingDisk::new(
            SyncPolicy::Interval(pull.sync_interval),
            crate::report_close_error,
        ));
        let log = RoundLog::open_on(disk, &pull.dir, table_stream.table.origin, clock::wall())?;
        for repair in log.repairs() {
            tracing::info!(file = %repair.file.display(), bytes = repair.bytes, "Cut off a torn row; it is pulled again.");
        }
        let position = stream_position::read(&pull.dir).map_err(|error| {
            HubError::Files(format!("cannot read {}: {error}", pull.dir.display()))
        })?;
        if position.stream.is_none() && !position.orphans.is_empty() {
            let problem = format!(
                "{} holds rounds that were not pulled from a hub: choose an empty directory",
                pull.dir.display()
            );
            return Err(HubError::Mismatch(problem).into());
        }
        let recent = position.recent.iter().copied().collect();
        let accepts_several_sites = !pull.only_sites.is_empty();
        Ok(Self {
            log,
            position,
            recent,
            has_begun: false,
            stream: table_stream.created.clone(),
            accepts_several_sites,
        })
    }

    /// Checks that the stream is the one that the files were pulled from.
    ///
    /// # Errors
    /// The stream is another one, or has lost rounds that the files have.
    pub fn verify_stream(
        &mut self,
        table_stream: &TableStream,
        last: u64,
    ) -> Result<(), PullError> {
        let Self { position, stream, .. } = self;
        let before = position.stream.as_ref().unwrap_or(stream);
        if *before != table_stream.created {
            let problem = format!(
                "the stream at the hub was created at {}, and the files here were pulled from one created at {before}: pull into an empty directory",
                table_stream.created
            );
            return Err(HubError::Mismatch(problem).into());
        }
        if last < position.seq {
            let problem = format!(
                "the stream ends at message {last}, but the files here already have message {}: the hub has lost rounds; pull into an empty directory",
                position.seq
            );
            return Err(HubError::Mismatch(problem).into());
        }
        if position.orphans.is_empty() {
            self.begin()?;
        }
        Ok(())
    }

    /// Returns the sequence number of the last message processed.
    pub fn seq(&self) -> u64 {
        self.position.seq
    }

    /// Returns the number of rows in the files.
    pub fn rounds(&self) -> u64 {
        self.position.rounds
    }

    /// Writes a message, unless its row is already in the files, and advances the position.
    ///
    /// # Errors
    /// The message was not written; it may be passed again.
    pub fn apply(&mut self, seq: u64, message: &RoundMessage) -> Result<(), PullError> {
        if seq <= self.position.seq {
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
        self.position.seq = seq;
        Ok(())
    }

    /// Advances past a message that is not a round.
    pub fn skip(&mut self, seq: u64) {
        self.position.seq = self.position.seq.max(seq);
    }

    /// Advances past a message that may be a round but cannot be read, and records a gap in its place.
    ///
    /// # Errors
    /// The gap was not written; the message may be passed again.
    pub fn mark_unreadable(&mut self, seq: u64) -> Result<(), PullError> {
        if seq <= self.position.seq {
            return Ok(());
        }
        self.begin()?;
        let mut event = Event::new(EventKind::Gap, "bridge");
        event.detail = Some(serde_json::json!({ "unreadable_message": seq }));
        self.log.note(clock::wall(), &event)?;
        self.skip(seq);
        Ok(())
    }

    fn write(&mut self, seq: u64, message: &RoundMessage) -> Result<(), PullError> {
        let round = message.round;
        match self.position.orphans.front() {
            Some(orphan) if orphan.to_row() == round.to_row() => {
                self.position.orphans.pop_front();
                self.push_recent(message);
                if self.position.orphans.is_empty() {
                    self.position.seq = seq;
                    self.begin()?;
                }
                return Ok(());
            }
            Some(orphan) => {
                let problem = format!(
                    "message {seq} is the round {}, but the next row without a position in the stream is {}: the files were changed; pull into an empty directory",
                    round.to_row().trim_end(),
                    orphan.to_row().trim_end()
                );
                return Err(HubError::Mismatch(problem).into());
            }
            None => {}
        }
        for discontinuity in &message.discontinuities {
            let time = chrono::DateTime::from_timestamp_millis(discontinuity.unix_ms)
                .unwrap_or(round.time);
            // Without a sequence number: the position advances only with the row.
            self.log.note(time, &discontinuity.event)?;
        }
        self.log.append(&round, &message.event_from(seq))?;
        self.position.rounds += 1;
        self.push_recent(message);
        Ok(())
    }

    fn push_recent(&mut self, message: &RoundMessage) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let has_id = message.event.round_id.is_some();
        self.recent.push_back(RecentRow { round: message.round, has_id });
        if !has_id {
            self.position.site = Some(message.site.clone());
        }
    }

    /// Returns whether the files already hold the round with an id where the message has none, or
    /// the other way round. This happens when a recorder loses the id of a row.
    fn is_known(&self, message: &RoundMessage) -> bool {
        let has_id = message.event.round_id.is_some();
        self.recent
            .iter()
            .any(|other| other.has_id != has_id && is_same(&other.round, &message.round))
    }

    /// Rejects rows without ids from a second site: every round would be written twice.
    fn check_site(&self, message: &RoundMessage) -> Result<(), HubError> {
        let is_named = message.event.round_id.is_some() || self.recent.iter().any(|row| row.has_id);
        let Some(site) = self.position.site.as_ref().filter(|site| **site != message.site) else {
            return Ok(());
        };
        if is_named || self.accepts_several_sites {
            return Ok(());
        }
        Err(HubError::Mismatch(format!(
            "the rounds of this table have no ids and come from two sites, {site} and {}: pull each with --only-site into a directory of its own and join them with `bridge merge`",
            message.site
        )))
    }

    /// Writes the start event of this run, which records the last message that is in the earlier
    /// files.
    fn begin(&mut self) -> Result<(), PullError> {
        if self.has_begun {
            return Ok(());
        }
        let mut event = Event::new(EventKind::Start, "bridge");
        event.detail = Some(stream_position::start_detail(&self.stream, self.position.seq));
        self.log.note(clock::wall(), &event)?;
        self.has_begun = true;
        Ok(())
    }

    /// Writes the stop event.
    pub fn close(&mut self) {
        if !self.has_begun {
            return;
        }
        let mut event = Event::new(EventKind::Stop, "bridge");
        event.detail = Some(with_hub(None, self.position.seq, "bridge"));
        if let Err(error) = self.log.note(clock::wall(), &event) {
            tracing::warn!(%error, "Cannot write the stop event.");
        }
    }
}

fn is_same(a: &Round, b: &Round) -> bool {
    a.multiplier.cents() == b.multiplier.cents() && (a.time - b.time).abs() <= SAME_ROUND
}
