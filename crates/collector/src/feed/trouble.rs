//! What can go wrong with a feed, before it is known whether that means "not connected" or "connected no longer".

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_tungstenite::tungstenite::http::header::{DATE, LOCATION, RETRY_AFTER};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};

use crate::source::{ConnectError, SessionError};

/// The longest pause a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// The pause where a server says that we ask too often, and not how long to wait.
const TOO_OFTEN_PAUSE: Duration = Duration::from_mins(1);
/// The pause before a feed that has worked is asked again after an answer that cannot be right. It does not end the
/// process: what has changed is the server, and it may change back.
const ODD_PAUSE: Duration = Duration::from_mins(1);
/// Characters of a server's own words that are shown.
const WORDS_MAX: usize = 120;

/// Why a feed cannot be heard. Texts are lower case, without a final dot, and show no address beyond its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Only another configuration helps.
    Configuration(String),
    /// Nothing answers, or the line went dead.
    Lost(String),
    /// It says no.
    Refused(String),
    /// It asks us to come back later.
    Busy(String, Duration),
    /// It answers with what cannot be right.
    Unusable(String),
    /// No answer in time, or nothing at all for too long.
    Silent(String, Duration),
}

impl Trouble {
    /// What an answer with a status other than 2xx and 304 means. `from` names who answered; `now` is for a pause that is
    /// told as a date.
    pub fn status(status: StatusCode, headers: &HeaderMap, from: &str, now: DateTime<Utc>) -> Self {
        let what = format!("{from} answered {status}");
        let asked = retry_after(headers, now);
        match (status.as_u16(), asked) {
            (401 | 403, _) => Self::Refused(format!(
                "{what}: it refuses this client; look at feed.headers (a token, a cookie, an Origin)"
            )),
            (429, asked) => Self::Busy(what, asked.unwrap_or(TOO_OFTEN_PAUSE)),
            (408 | 425 | 500..=599, None) => Self::Lost(what),
            (408 | 425 | 500..=599, Some(asked)) => Self::Busy(what, asked),
            (300..=399, _) => {
                Self::Unusable(format!("{what}{}: look at feed.url", elsewhere(headers)))
            }
            _ => Self::Unusable(format!("{what}: look at feed.url")),
        }
    }

    /// As a reason for not being connected; `has_worked`: the feed gave rounds before.
    pub fn into_connect(self, has_worked: bool) -> ConnectError {
        match self {
            Self::Configuration(what) => ConnectError::Configuration(what),
            Self::Lost(what) => ConnectError::Unreachable(what),
            Self::Refused(what) => ConnectError::Refused(what),
            Self::Busy(what, retry_after) => ConnectError::Busy { what, retry_after },
            Self::Unusable(what) if has_worked => {
                ConnectError::Busy { what, retry_after: ODD_PAUSE }
            }
            Self::Unusable(what) => ConnectError::Unusable(what),
            Self::Silent(what, after) => ConnectError::TimedOut { what, after },
        }
    }

    /// As a reason for being connected no longer; `has_worked`: the feed gave rounds before.
    pub fn into_session(self, has_worked: bool) -> SessionError {
        match self {
            Self::Configuration(what) => SessionError::Permanent(what),
            Self::Lost(what) => SessionError::Closed(what),
            Self::Refused(what) => SessionError::Refused(what),
            Self::Busy(what, retry_after) => SessionError::Busy { what, retry_after },
            Self::Unusable(what) if has_worked => {
                SessionError::Busy { what, retry_after: ODD_PAUSE }
            }
            Self::Unusable(what) => SessionError::Unusable(what),
            Self::Silent(what, after) => SessionError::Silent { what, after },
        }
    }
}

/// A server's own words, fit to be shown.
pub fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect()
}

/// The host a redirect points to; nothing more, for the rest may be a token.
fn elsewhere(headers: &HeaderMap) -> String {
    let host = headers
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| url::Url::parse(location).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    host.map(|host| format!(", which points to {host}")).unwrap_or_default()
}

/// The pause of a Retry-After header: seconds, or a date, which counts from the server's own Date where it has one.
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

    fn status(code: u16, headers: &[(&'static str, &str)]) -> Trouble {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        Trouble::status(StatusCode::from_u16(code).unwrap(), &headers, "the feed", now)
    }

    #[test]
    fn a_refusal_says_where_to_look() {
        for code in [401, 403] {
            let Trouble::Refused(what) = status(code, &[]) else { panic!("{code}") };
            assert!(what.contains("feed.headers"), "{what}");
        }
    }

    #[test]
    fn a_page_that_is_not_there_cannot_be_right() {
        for code in [400, 404, 410, 418, 200] {
            assert!(matches!(status(code, &[]), Trouble::Unusable(_)), "{code}");
        }
        let moved = status(302, &[("location", "https://login.example/?token=secret")]);
        let Trouble::Unusable(what) = moved else { panic!("{moved:?}") };
        assert_eq!(
            what,
            "the feed answered 302 Found, which points to login.example: look at feed.url"
        );
    }

    #[test]
    fn a_failing_server_is_asked_again_when_it_says() {
        for code in [408, 500, 502, 503, 504] {
            assert!(matches!(status(code, &[]), Trouble::Lost(_)), "{code}");
        }
        let pause = |code, headers: &[(&'static str, &str)]| match status(code, headers) {
            Trouble::Busy(_, pause) => pause.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pause(429, &[]), 60);
        assert_eq!(pause(429, &[("retry-after", "7")]), 7);
        assert_eq!(pause(503, &[("retry-after", "120")]), 120);
        assert_eq!(pause(503, &[("retry-after", "999999999999")]), 3600);
        assert_eq!(pause(429, &[("retry-after", "soon")]), 60);
    }

    #[test]
    fn a_date_to_come_back_at_counts_from_the_servers_own_clock() {
        let until = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(matches!(status(503, &[until]), Trouble::Busy(_, pause) if pause.as_secs() == 37));
        let date = ("date", "Sun, 06 Nov 1994 08:49:30 GMT");
        assert!(
            matches!(status(503, &[until, date]), Trouble::Busy(_, pause) if pause.as_secs() == 7)
        );
        let late = ("date", "Sun, 06 Nov 1994 09:00:00 GMT");
        assert!(matches!(status(503, &[until, late]), Trouble::Busy(_, pause) if pause.is_zero()));
    }

    #[test]
    fn an_answer_that_cannot_be_right_ends_only_a_feed_that_never_worked() {
        let odd = || Trouble::Unusable("odd".to_owned());
        assert!(odd().into_connect(false).is_suspect());
        assert!(odd().into_session(false).is_suspect());
        assert_eq!(odd().into_connect(true).retry_after(), Some(ODD_PAUSE));
        assert_eq!(odd().into_session(true).retry_after(), Some(ODD_PAUSE));
        assert!(!odd().into_session(true).is_permanent());
    }
}
