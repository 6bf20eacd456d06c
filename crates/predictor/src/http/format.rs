//! The form of times in the answers that clients of the Python original read.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Local, TimeZone};
use serde::Serialize;
use serde_json::Value;

use crate::api_json;
use crate::config::ApiFormat;

/// Times of the original: what its wall clock showed.
const LEGACY: &str = "%Y-%m-%d %H:%M:%S";
/// Routes below this prefix are newer than the original, and their form is not configured.
const VERSIONED: &str = "/api/v1/";

/// Returns the form of an answer: that of the query, or the configured one for the paths of the original.
pub(super) fn chosen(request: &HttpRequest, asked: Option<ApiFormat>) -> ApiFormat {
    let configured = request.app_data::<web::Data<ApiFormat>>().map(|format| ***format);
    let configured = configured.filter(|_| !request.path().starts_with(VERSIONED));
    asked.or(configured).unwrap_or_default()
}

/// Answers with JSON in the form that [`chosen`] returns.
pub(super) fn json(
    request: &HttpRequest,
    asked: Option<ApiFormat>,
    value: &impl Serialize,
) -> HttpResponse {
    let body = in_format(chosen(request, asked), api_json::to_vec(value));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(body)
}

/// Rewrites the times of a JSON text if the form is the original's.
pub(super) fn in_format(format: ApiFormat, text: Vec<u8>) -> Vec<u8> {
    match format {
        ApiFormat::Rfc3339 => text,
        ApiFormat::Legacy => {
            let mut value = serde_json::from_slice(&text).expect("JSON that was just written");
            rewrite(&mut value, &Local);
            api_json::to_vec(&value)
        }
    }
}

/// Rewrites each text that is a time to what a wall clock of this time zone shows.
fn rewrite<Z: TimeZone>(value: &mut Value, zone: &Z)
where
    Z::Offset: std::fmt::Display,
{
    match value {
        Value::String(text) => {
            // `parse_from_rfc3339` also accepts a space for the T, which no time of ours has.
            if let Some(time) =
                DateTime::parse_from_rfc3339(text).ok().filter(|_| text.contains('T'))
            {
                *text = time.with_timezone(zone).format(LEGACY).to_string();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rewrite(value, zone)),
        Value::Object(fields) => fields.values_mut().for_each(|value| rewrite(value, zone)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;
    use serde_json::json;

    use super::*;

    #[test]
    fn times_become_those_of_a_wall_clock_and_nothing_else_changes() {
        let mut value = json!({
            "trained_at": "2026-01-31T22:30:00.123+00:00",
            "history": [{ "predicted_at": "2026-01-31T18:30:00Z" }, null, 1.5, "1.07 - 9.70"],
            "csv_file": "aviator_payouts_20260131_183000.csv",
        });
        rewrite(&mut value, &FixedOffset::east_opt(3 * 3600).unwrap());
        let expected = json!({
            "trained_at": "2026-02-01 01:30:00",
            "history": [{ "predicted_at": "2026-01-31 21:30:00" }, null, 1.5, "1.07 - 9.70"],
            "csv_file": "aviator_payouts_20260131_183000.csv",
        });
        assert_eq!(value, expected);
    }
}
