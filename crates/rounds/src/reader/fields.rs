//! Splits a line into its fields.

use crate::reader::RejectReason;

/// The fields of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The fields, without empty ones at the end of the line.
    pub(crate) texts: Vec<String>,
    /// Number of fields including the empty ones at the end.
    pub(crate) written: usize,
}

/// Splits a line, which comes without its line end.
pub(crate) fn fields(line: &[u8], delimiter: u8) -> Result<Fields, RejectReason> {
    let line = std::str::from_utf8(line).map_err(|_| RejectReason::NotText)?;
    let mut texts: Vec<String> = if line.contains('"') {
        quoted_fields(line, delimiter)?
    } else {
        line.split(char::from(delimiter)).map(str::to_owned).collect()
    };
    let written = texts.len();
    while texts.last().is_some_and(|field| field.trim().is_empty()) {
        texts.pop();
    }
    Ok(Fields { texts, written })
}

fn quoted_fields(line: &str, delimiter: u8) -> Result<Vec<String>, RejectReason> {
    // A record never spans lines here: one stray quotation mark must not swallow the rest of a file.
    if !line.matches('"').count().is_multiple_of(2) {
        return Err(RejectReason::Quote);
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(_) => Ok(record.iter().map(str::to_owned).collect()),
        Err(_) => Err(RejectReason::NotText),
    }
}
