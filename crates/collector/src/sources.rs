//! The seven sources of rounds. A source is pulled: [`Source::connect`], then [`Source::next`] until it ends or fails.
//! Closing, staleness, back-off and shutdown are the session's job.

pub mod browser;
pub mod demo;
pub mod har;
pub mod http;
pub mod pacing;
pub mod replay;
pub mod sse;
#[cfg(test)]
pub mod tests;
pub mod websocket;

use crate::observation::Observation;
use crate::source_error::SourceError;

/// One of the seven sources.
#[derive(Debug)]
pub enum Source {
    /// Provably-fair simulated rounds.
    Demo(Box<demo::Demo>),
    /// Recorded rounds, as if live.
    Replay(Box<replay::Replay>),
    /// The history list of a browser.
    Browser(Box<browser::Browser>),
    /// JSON over a WebSocket.
    WebSocket(Box<websocket::WebSocket>),
    /// JSON or HTML over HTTP.
    Http(Box<http::Http>),
    /// JSON in server-sent events.
    Sse(Box<sse::Sse>),
    /// The network log of a browser.
    Har(Box<har::Har>),
    /// A script for tests.
    #[cfg(test)]
    Scripted(tests::ScriptedSource),
}

impl Source {
    /// Connects, for the first time or again.
    ///
    /// # Errors
    ///
    /// The connection failed; the error says why and whether another attempt can help.
    pub async fn connect(&mut self) -> Result<(), SourceError> {
        match self {
            Self::Demo(demo) => demo.connect(),
            Self::Replay(_) | Self::Har(_) => Ok(()),
            Self::Browser(browser) => Box::pin(browser.connect()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.connect()).await,
            Self::Http(http) => Box::pin(http.connect()).await,
            Self::Sse(sse) => Box::pin(sse.connect()).await,
            #[cfg(test)]
            Self::Scripted(script) => script.connect().await,
        }
    }

    /// Waits for the next observation. The session drops this future only to give up the connection, so it need not
    /// be cancel-safe.
    ///
    /// # Errors
    ///
    /// The connection can no longer be used; the error says why.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        match self {
            Self::Demo(demo) => demo.next().await,
            Self::Replay(replay) => replay.next().await,
            Self::Har(har) => Ok(har.next_observation()),
            Self::Browser(browser) => Box::pin(browser.next()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.next()).await,
            Self::Http(http) => Box::pin(http.next()).await,
            Self::Sse(sse) => Box::pin(sse.next()).await,
            #[cfg(test)]
            Self::Scripted(script) => script.next().await,
        }
    }

    /// Closes the connection; the session waits at most a second.
    pub async fn close(&mut self) {
        match self {
            // There is no connection to an HTTP server between two requests.
            Self::Demo(_) | Self::Replay(_) | Self::Har(_) | Self::Http(_) => {}
            Self::Browser(browser) => Box::pin(browser.close()).await,
            Self::WebSocket(websocket) => Box::pin(websocket.close()).await,
            Self::Sse(sse) => sse.close(),
            #[cfg(test)]
            Self::Scripted(_) => {}
        }
    }
}
