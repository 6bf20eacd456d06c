//! Rounds and forecasts as CSV downloads, streamed chunk by chunk as the client reads,
//! so that a million rounds cost no more memory than a thousand.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, web};
use chrono::{SecondsFormat, Timelike as _};
use futures_util::{Stream, stream};
use rounds::Round;

use super::problem::Problem;
use crate::http::query::ExportQuery;
use crate::snapshot::Snapshot;
use crate::store::ledger_csv::{self, CsvFilter, LedgerCsv};
use crate::table::TableHandle;

/// Rows in a chunk: some tens of kilobytes, made in well under a millisecond.
const CHUNK_ROWS: usize = 1024;

/// `GET /api/rounds.csv`: rounds in the form of the collector's files.
pub(crate) async fn rounds(
    handle: web::Data<TableHandle>,
    query: web::Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let snapshot = handle.snapshot.load_full();
    let range = query.span()?.of(&snapshot.round_history);
    let rows = stream::unfold((snapshot, range), async |(snapshot, mut range)| {
        let chunk = range.start..range.end.min(range.start + CHUNK_ROWS);
        range.start = chunk.end;
        let rows = snapshot.round_history.range(chunk);
        let text = rows.fold(String::new(), |text, row| with_row(text, &row.round));
        (!text.is_empty()).then(|| (Ok(Bytes::from(text)), (snapshot, range)))
    });
    Ok(csv_response("rounds.csv", "timestamp,multiplier\n", rows))
}

fn with_row(mut text: String, round: &Round) -> String {
    let is_exact = round.time.nanosecond().is_multiple_of(1_000_000);
    let format = if is_exact { SecondsFormat::Millis } else { SecondsFormat::AutoSi };
    let time = round.time.to_rfc3339_opts(format, true);
    writeln!(text, "{time},{}", round.multiplier).expect("writing to a string cannot fail");
    text
}

/// `GET /api/predictions.csv`: the ledger of forecasts, read on a thread for blocking work.
pub(crate) async fn predictions(
    handle: web::Data<TableHandle>,
    query: web::Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let filter = CsvFilter { from: span.from, to: span.to, limit: span.limit };
    let snapshot = handle.snapshot.load_full();
    let Some(path) = ledger_path(&snapshot) else {
        let detail = "forecasts are kept in memory only; choose a directory with --state-dir";
        return Err(Problem::new("no-ledger", StatusCode::NOT_FOUND, detail));
    };
    let opened = web::block(move || LedgerCsv::open(&path, filter)).await;
    let opened = opened.map_err(|_| Problem::stopping())?;
    let predictions = opened.map_err(|error| {
        let detail = format!("the ledger cannot be read: {error}");
        Problem::new("no-ledger", StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let rows = stream::unfold(predictions, async |mut predictions| {
        let read = web::block(move || {
            let chunk = predictions.next_chunk();
            (chunk, predictions)
        });
        match read.await {
            Ok((Ok(chunk), predictions)) => chunk.map(|text| (Ok(text.into()), predictions)),
            // The error aborts the transfer, so that the client does not mistake a part for the
            // whole.
            Ok((Err(error), predictions)) => Some((Err(error.into()), predictions)),
            Err(_) => None,
        }
    });
    Ok(csv_response("predictions.csv", ledger_csv::HEADER, rows))
}

fn ledger_path(snapshot: &Arc<Snapshot>) -> Option<PathBuf> {
    snapshot.forecasts.kept_in.as_ref().map(PathBuf::from)
}

fn csv_response(
    name: &str,
    columns: &'static str,
    rows: impl Stream<Item = Result<Bytes, Error>> + 'static,
) -> HttpResponse {
    let header = stream::once(async move { Ok(Bytes::from_static(columns.as_bytes())) });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(Box::pin(futures_util::StreamExt::chain(header, rows)))
}
