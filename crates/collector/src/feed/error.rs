//! What a failed request to a feed means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_tungstenite::tungstenite::http::header::{DATE, LOCATION, RETRY_AFTER};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};

use crate::source_error::SourceError;

/// The longest pause a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// The pause after "too many requests" without a Retry-After header.
const TOO_OFTEN_PAUSE: Duration = Duration::from_mins(1);
/// The pause after an unusable answer of a feed that has worked before.
const UNUSABLE_PAUSE: Duration = Duration::from_mins(1);
/// Characters of a server's text that are shown.
const EXCERPT_MAX: usize = 120;

/// Returns what an HTTP status other than 2xx and 304 means. `from` names the server; `now` is used when the server gives
/// the pause as a date and sends no date of its own.
pub fn from_status(
    status: StatusCode,
    headers: &HeaderMap,
    from: &str,
    now: DateTime<Utc>,
) -> SourceError {
    let text = format!("{from} answered {status}");
    let asked = retry_after(headers, now);
    match (status.as_u16(), asked) {
        (401 | 403, _) => SourceError::Refused(format!(
            "{text}: it refuses this client; check feed.headers (a token, a cookie, an Origin)"
        )),
        (429, asked) => {
            SourceError::Busy { answer: text, retry_after: asked.unwrap_or(TOO_OFTEN_PAUSE) }
        }
        (408 | 425 | 500..=599, None) => SourceError::Disconnected(text),
        (408 | 425 | 500..=599, Some(retry_after)) => {
            SourceError::Busy { answer: text, retry_after }
        }
        (300..=399, _) => {
            SourceError::Unusable(format!("{text}{}: check feed.url", redirect_target(headers)))
        }
        _ => SourceError::Unusable(format!("{text}: check feed.url")),
    }
}

/// Turns an unusable answer into a pause if the feed `has_worked` before: it is the server that has
/// changed, and it may change back.
pub fn tolerate(error: SourceError, has_worked: bool) -> SourceError {
    match error {
        SourceError::Unusable(text) if has_worked => {
            SourceError::Busy { answer: text, retry_after: UNUSABLE_PAUSE }
        }
        error => error,
    }
}

/// Returns the start of a server's text without control characters, for messages.
pub fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(EXCERPT_MAX).collect()
}

/// Returns the host a redirect points to, as a clause; the rest of the address may hold a token.
fn redirect_target(headers: &HeaderMap) -> String {
    let host = headers
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| url::Url::parse(location).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    host.map(|host| format!(", which points to {host}")).unwrap_or_default()
}

/// Returns the pause of a Retry-After header: seconds, or a date, relative to the server's own Date header if there is one.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = DateTime::parse_from_rfc2822(text).ok()?;
        let from = headers
            .get(DATE)
            .and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok())
            .map_or(now, |date| date.to_utc());
        (until.to_utc() - from).to_std().unwrap_or_default()
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, headers: &[(&'static str, &str)]) -> SourceError {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        from_status(StatusCode::from_u16(code).unwrap(), &headers, "the feed", now)
    }

    #[test]
    fn a_refusal_says_what_to_check() {
        for code in [401, 403] {
            let SourceError::Refused(text) = status(code, &[]) else { panic!("{code}") };
            assert!(text.contains("feed.headers"), "{text}");
        }
    }

    #[test]
    fn a_missing_page_is_unusable() {
        for code in [400, 404, 410, 418, 200] {
            assert!(matches!(status(code, &[]), SourceError::Unusable(_)), "{code}");
        }
        let moved = status(302, &[("location", "https://login.example/?token=secret")]);
        let SourceError::Unusable(text) = moved else { panic!("{moved:?}") };
        assert_eq!(
            text,
            "the feed answered 302 Found, which points to login.example: check feed.url"
        );
    }

    #[test]
    fn a_failing_server_is_asked_again_after_its_pause() {
        for code in [408, 500, 502, 503, 504] {
            assert!(matches!(status(code, &[]), SourceError::Disconnected(_)), "{code}");
        }
        let pause = |code, headers: &[(&'static str, &str)]| match status(code, headers) {
            SourceError::Busy { retry_after, .. } => retry_after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pause(429, &[]), 60);
        assert_eq!(pause(429, &[("retry-after", "7")]), 7);
        assert_eq!(pause(503, &[("retry-after", "120")]), 120);
        assert_eq!(pause(503, &[("retry-after", "999999999999")]), 3600);
        assert_eq!(pause(429, &[("retry-after", "soon")]), 60);
    }

    #[test]
    fn a_retry_date_counts_from_the_clock_of_the_server() {
        let until = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(
            matches!(status(503, &[until]), SourceError::Busy { retry_after: pause, .. } if pause.as_secs() == 37)
        );
        let date = ("date", "Sun, 06 Nov 1994 08:49:30 GMT");
        assert!(
            matches!(status(503, &[until, date]), SourceError::Busy { retry_after: pause, .. } if pause.as_secs() == 7)
        );
        let late = ("date", "Sun, 06 Nov 1994 09:00:00 GMT");
        assert!(
            matches!(status(503, &[until, late]), SourceError::Busy { retry_after: pause, .. } if pause.is_zero())
        );
    }

    #[test]
    fn an_unusable_answer_ends_only_a_feed_that_never_worked() {
        let unusable = || SourceError::Unusable("odd".to_owned());
        assert!(tolerate(unusable(), false).is_suspect());
        assert_eq!(tolerate(unusable(), true).retry_after(), Some(UNUSABLE_PAUSE));
        assert!(!tolerate(unusable(), true).is_permanent());
    }
}
