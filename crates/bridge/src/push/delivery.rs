//! Sends rows to the hub and handles its acknowledgements.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use rounds::{Event, EventKind, Round, TableName};
use serde_json::json;

use crate::hub::stream::TableStream;
use crate::hub::{Hub, HubError};
use crate::message::{RoundMessage, VERSION};
use crate::subject::Row;

/// The destination of rows.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub(super) hub: &'a Hub,
    pub(super) table_stream: &'a TableStream,
    pub(super) site: &'a TableName,
}

/// A row sent but not yet acknowledged.
pub(super) struct PendingRow {
    number: u64,
    round: Round,
    id: Option<String>,
    subject: String,
    ack: PublishAckFuture,
}

impl PendingRow {
    /// Returns the number of the row.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Delivery<'_> {
    /// Sends a row; [`Delivery::wait_for_ack`] waits for its acknowledgement.
    pub(super) async fn send(&self, body: RoundMessage) -> Result<PendingRow, HubError> {
        let table = &self.table_stream.table;
        let row = Row { file: &body.file, number: body.row, round: &body.round };
        let by_id = body.event.round_id.as_deref().and_then(|id| table.round(id));
        let id = by_id.is_some().then(|| body.event.round_id.clone()).flatten();
        let subject = by_id.or_else(|| table.row(self.site, &row)).ok_or_else(|| {
            HubError::Mismatch(format!(
                "{}: the file name is too long for the hub; shorten it",
                body.file
            ))
        })?;
        let message = PublishMessage::build().payload(body.to_bytes().into()).message_id(&subject);
        let ack = self.hub.jetstream.send_publish(subject.clone(), message).await;
        let ack = ack.map_err(|error| HubError::unavailable("sending a row", &error))?;
        Ok(PendingRow { number: body.row, round: body.round, id, subject, ack })
    }

    /// Waits for the acknowledgement and returns whether the row is new to the hub.
    pub(super) async fn wait_for_ack(&self, sent: PendingRow) -> Result<bool, HubError> {
        let PendingRow { round, id, subject, ack, .. } = sent;
        let is_new = match ack.await {
            Ok(ack) => !ack.duplicate,
            Err(error) if is_stored_already(&error) => false,
            Err(error) => return Err(store_error(&error)),
        };
        if let Some(id) = id.filter(|_| !is_new) {
            self.compare((&id, &subject), &round).await?;
        }
        Ok(is_new)
    }

    /// Compares a round with the one stored under its id, and reports a conflict to the hub.
    async fn compare(&self, (id, subject): (&str, &str), round: &Round) -> Result<(), HubError> {
        let stored = self
            .table_stream
            .stream
            .direct_get_last_for_subject(subject)
            .await
            .map_err(|error| HubError::unavailable("reading a stored round", &error))?;
        let Ok(stored) = RoundMessage::from_bytes(&stored.payload) else { return Ok(()) };
        let (first, now) = (stored.round.multiplier.cents(), round.multiplier.cents());
        if first == now {
            return Ok(());
        }
        tracing::warn!(id, first_site = stored.site, first = %stored.round.multiplier, here = %round.multiplier,
            "Two recorders disagree on a round; the one stored first is kept.");
        let Some(subject) = self.table_stream.table.conflict(id, self.site, now) else {
            return Ok(());
        };
        let mut event = Event::new(EventKind::Conflict, "bridge");
        event.round_id = Some(id.to_owned());
        event.detail =
            Some(json!({ "first_cents": first, "now_cents": now, "first_site": stored.site }));
        let body = RoundMessage {
            v: VERSION,
            site: self.site.to_string(),
            file: String::new(),
            row: 0,
            round: *round,
            event,
            discontinuities: Vec::new(),
        };
        let message = PublishMessage::build().payload(body.to_bytes().into()).message_id(&subject);
        let reported = self.hub.jetstream.send_publish(subject, message).await;
        let reported =
            reported.map_err(|error| HubError::unavailable("reporting a conflict", &error))?;
        match reported.await {
            Err(error) if !is_stored_already(&error) => Err(store_error(&error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Returns whether the hub already has the message. The error code says only that it was not stored; the text says why.
fn is_stored_already(error: &PublishError) -> bool {
    jetstream(error).is_some_and(|why| {
        why.error_code() == ErrorCode::STREAM_STORE_FAILED
            && why.to_string().contains("maximum messages per subject")
    })
}

fn store_error(error: &PublishError) -> HubError {
    match jetstream(error) {
        Some(why) if is_full(why) => HubError::Full { problem: why.to_string() },
        Some(why) => HubError::unavailable("the hub does not store a row", why),
        // Once its disk has been full, a NATS server acknowledges no rows until it is restarted.
        None if error.kind() == PublishErrorKind::TimedOut => {
            HubError::Unacknowledged { problem: error.to_string() }
        }
        None => HubError::unavailable("no acknowledgement", error),
    }
}

/// Returns whether a limit is reached: of the stream ("maximum bytes exceeded"), or of the server or account (error 10023,
/// "insufficient resources").
fn is_full(error: &async_nats::jetstream::Error) -> bool {
    let text = error.to_string();
    text.contains("maximum") || text.contains("insufficient") || text.contains("resource limits")
}

fn jetstream(error: &PublishError) -> Option<&async_nats::jetstream::Error> {
    std::error::Error::source(error)?.downcast_ref()
}
