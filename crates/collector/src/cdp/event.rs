//! The events of a browser that the collector uses.

use std::borrow::Cow;

use serde::Deserialize;

use super::{SessionId, TargetId};

/// An event of the browser that the collector uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A tab or frame was opened, or its URL changed.
    Target {
        /// The tab or frame.
        target: TargetId,
        /// Its full URL; the query may hold secrets.
        url: String,
    },
    /// A tab or frame was closed.
    TargetGone(TargetId),
    /// The process of a tab or frame crashed.
    TargetCrashed(TargetId),
    /// A session with this target was opened.
    Attached(SessionId, TargetId),
    /// A session with a worker of a page was opened.
    WorkerAttached {
        /// The session of the page.
        page: SessionId,
        /// That of the worker.
        worker: SessionId,
    },
    /// A session ended.
    Detached(SessionId),
    /// A page opened a WebSocket.
    SocketOpened {
        /// The session of its page.
        session: SessionId,
        /// The browser's id of the WebSocket.
        socket: String,
        /// Its URL; the query may hold secrets.
        url: String,
    },
    /// A complete binary message arrived on a WebSocket.
    SocketMessage {
        /// The session of its page.
        session: SessionId,
        /// The browser's id of the WebSocket.
        socket: String,
        /// The message in base64.
        base64: String,
    },
    /// A WebSocket was closed.
    SocketClosed {
        /// The session of its page.
        session: SessionId,
        /// The browser's id of the WebSocket.
        socket: String,
    },
}

/// The fields that distinguish the kinds of messages: an answer has an id, an event has a method.
#[derive(Deserialize, Debug)]
pub(super) struct Head<'a> {
    pub(super) id: Option<u64>,
    #[serde(borrow)]
    pub(super) method: Option<Cow<'a, str>>,
    #[serde(rename = "sessionId")]
    pub(super) session: Option<SessionId>,
}

#[derive(Deserialize)]
struct EventBody<P> {
    params: P,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetInfo {
    target_id: TargetId,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetParams {
    target_info: TargetInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetIdParams {
    target_id: TargetId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttachedParams {
    session_id: SessionId,
    target_info: TargetInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionIdParams {
    session_id: SessionId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SocketParams {
    request_id: String,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebSocketFrame {
    request_id: String,
    response: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    opcode: f64,
    payload_data: String,
}

const BINARY: f64 = 2.0;

impl Event {
    /// Parses a message; `None` if it is not an event that the collector uses.
    pub fn parse(message: &str) -> Option<Self> {
        Self::from_message(serde_json::from_str(message).ok()?, message)
    }

    /// Parses a message whose head is known; `None` if it is not an event that the collector uses.
    pub(super) fn from_message(head: Head<'_>, message: &str) -> Option<Self> {
        let method = head.method?;
        let session = head.session;
        Some(match &*method {
            "Target.targetCreated" | "Target.targetInfoChanged" => {
                let changed: TargetParams = params(message)?;
                Self::Target { target: changed.target_info.target_id, url: changed.target_info.url }
            }
            "Target.targetDestroyed" => {
                Self::TargetGone(params::<TargetIdParams>(message)?.target_id)
            }
            "Target.targetCrashed" => {
                Self::TargetCrashed(params::<TargetIdParams>(message)?.target_id)
            }
            "Target.attachedToTarget" => {
                let attached: AttachedParams = params(message)?;
                match session {
                    Some(page) => Self::WorkerAttached { page, worker: attached.session_id },
                    None => Self::Attached(attached.session_id, attached.target_info.target_id),
                }
            }
            "Target.detachedFromTarget" => {
                Self::Detached(params::<SessionIdParams>(message)?.session_id)
            }
            "Network.webSocketCreated" => {
                let SocketParams { request_id, url } = params(message)?;
                Self::SocketOpened { session: session?, socket: request_id, url }
            }
            "Network.webSocketFrameReceived" => {
                let frame: WebSocketFrame = params(message)?;
                if frame.response.opcode.to_bits() != BINARY.to_bits() {
                    return None;
                }
                let base64 = frame.response.payload_data;
                Self::SocketMessage { session: session?, socket: frame.request_id, base64 }
            }
            "Network.webSocketClosed" => Self::SocketClosed {
                session: session?,
                socket: params::<SocketParams>(message)?.request_id,
            },
            _ => return None,
        })
    }
}

fn params<P: for<'de> Deserialize<'de>>(message: &str) -> Option<P> {
    serde_json::from_str::<EventBody<P>>(message).ok().map(|body| body.params)
}
