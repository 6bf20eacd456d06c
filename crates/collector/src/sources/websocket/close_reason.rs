//! Maps the end of a connection to an error.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::clock;
use crate::feed::error::{excerpt, from_status};
use crate::source_error::SourceError;
use crate::tls;

/// Pause after close code 4429 (too many requests).
const TOO_OFTEN_PAUSE: std::time::Duration = std::time::Duration::from_mins(1);

/// Returns the error for a close frame, or for a stream that ended without one.
pub(super) fn closed(frame: Option<&CloseFrame>, peer: &str) -> SourceError {
    let Some(frame) = frame else {
        return SourceError::Disconnected(format!("{peer} closed the connection"));
    };
    let code = u16::from(frame.code);
    let reason = match excerpt(&frame.reason) {
        reason if reason.is_empty() => String::new(),
        reason => format!(" ({reason})"),
    };
    let text = format!("{peer} closed the connection with {code}{reason}");
    match code {
        1008 | 4001 | 4003 | 4401 | 4403 => SourceError::Refused(format!(
            "{text}: it refuses this client; check feed.headers and websocket.on_connect (a token, a cookie, an Origin)"
        )),
        1002 | 1003 | 1007 | 1009 | 1010 | 4400 | 4406 => SourceError::Unusable(format!(
            "{text}: it does not understand this client; check websocket.framing, .subprotocol and .on_connect"
        )),
        4429 => SourceError::Busy { answer: text, retry_after: TOO_OFTEN_PAUSE },
        _ => SourceError::Disconnected(text),
    }
}

/// Returns the error for a failed connection or handshake.
pub(super) fn failed(error: &Error, peer: &str) -> SourceError {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            SourceError::Disconnected(format!("{peer} ended the connection without a close frame"))
        }
        Error::Io(error) => SourceError::Disconnected(tls::explained(format!("{peer}: {error}"))),
        Error::Tls(error) => SourceError::Disconnected(format!("{peer}: {error}")),
        Error::Http(response) => {
            from_status(response.status(), response.headers(), peer, clock::wall())
        }
        Error::Capacity(error) => {
            SourceError::Unusable(format!("{peer}: {error}; check feed.max_message_bytes"))
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(error)) => {
            SourceError::Unusable(format!("{peer}: {error}; check websocket.subprotocol"))
        }
        Error::Protocol(error) => {
            SourceError::Unusable(format!("{peer} does not speak WebSocket: {error}"))
        }
        Error::Utf8(_) => SourceError::Unusable(format!("{peer} sent text that is not UTF-8")),
        other => SourceError::Unusable(format!("{peer}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{Discriminant, discriminant};

    use super::*;

    fn class(code: u16) -> Discriminant<SourceError> {
        let frame = CloseFrame { code: code.into(), reason: "se\u{7}e\ndocs".into() };
        let error = closed(Some(&frame), "the feed");
        assert!(format!("{error:?}").contains(&format!("with {code} (seedocs)")), "{error:?}");
        discriminant(&error)
    }

    #[test]
    fn close_codes_are_mapped_to_errors() {
        let nothing = String::new;
        for code in [1000, 1001, 1011, 1012, 1013, 3000, 4000, 4999] {
            assert_eq!(class(code), discriminant(&SourceError::Disconnected(nothing())), "{code}");
        }
        for code in [1008, 4001, 4003, 4401, 4403] {
            assert_eq!(class(code), discriminant(&SourceError::Refused(nothing())), "{code}");
        }
        for code in [1002, 1003, 1007, 1009, 1010, 4400, 4406] {
            assert_eq!(class(code), discriminant(&SourceError::Unusable(nothing())), "{code}");
        }
        assert_eq!(
            class(4429),
            discriminant(&SourceError::Busy { answer: nothing(), retry_after: TOO_OFTEN_PAUSE })
        );
        assert_eq!(
            closed(None, "the feed"),
            SourceError::Disconnected("the feed closed the connection".to_owned())
        );
    }
}
