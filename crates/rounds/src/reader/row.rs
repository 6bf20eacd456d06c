//! Reads the round in a line.

use chrono::{DateTime, Utc};

use crate::multiplier::{NumberForm, number_form};
use crate::reader::fields::fields;
use crate::reader::file_format::{FileFormat, several_states};
use crate::reader::{Neighbour, ReadOptions, Refusal, RejectReason};
use crate::timestamp::{self, DateOrder, TimeError, Written};
use crate::{Multiplier, MultiplierError, Round};

/// The round of a row, and what distinguishes it from its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) round: Round,
    /// The game's own id of the round; empty if there is none.
    pub(crate) id: String,
}

/// Why a line gives no round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowError {
    /// The line is rejected.
    Rejected(RejectReason),
    /// The line shows that the file must be read again from its start, in another form.
    NewFormat(Box<Result<FileFormat, Refusal>>),
}

impl From<RejectReason> for RowError {
    fn from(reason: RejectReason) -> Self {
        Self::Rejected(reason)
    }
}

/// Reads the round in a line, which comes without its line end.
///
/// `before` is the row above it, which decides between the two passes of a repeated hour.
pub(crate) fn read_row(
    line: &[u8],
    format: &mut FileFormat,
    options: &ReadOptions,
    before: Option<Neighbour>,
) -> Result<Row, RowError> {
    let columns = &format.columns;
    let fields = fields(line, columns.delimiter)?;
    let (found, expected) = (fields.texts.len(), columns.count);
    if found > expected {
        return Err(RejectReason::TooManyFields { found, expected }.into());
    }
    let at = |column: usize| fields.texts.get(column).map(|text| text.trim());
    let too_few = RejectReason::TooFewFields { found, expected };
    let (Some(time), Some(multiplier)) = (at(columns.time), at(columns.multiplier)) else {
        return Err(too_few.into());
    };
    if fields.written < expected {
        return Err(too_few.into());
    }
    let id = columns.id.and_then(at).unwrap_or_default().to_owned();
    let state = columns.state.and_then(at).filter(|state| !state.is_empty());
    let written = read_time(time, format)?;
    let multiplier = read_multiplier(multiplier, format)?;
    if let (Some(known), Some(state)) = (&format.state, state)
        && state != known
    {
        let refusal = several_states(&format.columns, known, state);
        return Err(RowError::NewFormat(Box::new(Err(refusal))));
    }
    let time = instant(written, options, before)?;
    Ok(Row { round: within(Round { time, multiplier }, options)?, id })
}

fn read_time(text: &str, format: &mut FileFormat) -> Result<Written, RowError> {
    match timestamp::general(text, format.date_order) {
        Ok(written) => {
            if format.date_order == DateOrder::Open
                && let Some(order) = timestamp::settled_order(text)
            {
                let settled = FileFormat { date_order: order, ..format.clone() };
                return Err(RowError::NewFormat(Box::new(Ok(settled))));
            }
            Ok(written)
        }
        Err(TimeError::Ambiguous) => Err(RejectReason::AmbiguousDate.into()),
        Err(TimeError::NotATime) => Err(RejectReason::Time.into()),
    }
}

fn read_multiplier(text: &str, format: &mut FileFormat) -> Result<Multiplier, RowError> {
    let multiplier = text.parse::<Multiplier>().map_err(RejectReason::Multiplier)?;
    match number_form(text) {
        NumberForm::PointAndThree if format.has_decimal_commas => {
            Err(RejectReason::Multiplier(MultiplierError::AmbiguousPoint).into())
        }
        NumberForm::PointAndThree => {
            format.has_points_and_three = true;
            Ok(multiplier)
        }
        NumberForm::DecimalComma if !format.has_decimal_commas && format.has_points_and_three => {
            let commas = FileFormat { has_decimal_commas: true, ..format.clone() };
            Err(RowError::NewFormat(Box::new(Ok(commas))))
        }
        NumberForm::DecimalComma => {
            format.has_decimal_commas = true;
            Ok(multiplier)
        }
        NumberForm::Other => Ok(multiplier),
    }
}

/// Returns the instant of a time.
pub(crate) fn instant(
    written: Written,
    options: &ReadOptions,
    before: Option<Neighbour>,
) -> Result<DateTime<Utc>, RejectReason> {
    match written {
        Written::Instant(time) => Ok(time),
        Written::WallClock(reading) => {
            options.time_zone.instant(&reading, before).ok_or(RejectReason::SkippedTime)
        }
    }
}

/// Returns the round if it is within the limits.
pub(crate) fn within(round: Round, options: &ReadOptions) -> Result<Round, RejectReason> {
    if round.time < options.earliest || round.time > options.latest {
        return Err(RejectReason::TimeOutOfRange);
    }
    if round.multiplier.as_f64() > options.max_multiplier {
        return Err(RejectReason::AboveLimit);
    }
    Ok(round)
}
