use std::borrow::Cow;

use serde::Deserialize;

use super::{SessionId, TargetId};

/// What the browser tells unasked, as far as it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A tab or frame exists, or is now elsewhere.
    Target {
        /// Which.
        target: TargetId,
        /// Its full address; may hold secrets in its query.
        url: String,
    },
    /// A tab or frame is gone.
    TargetGone(TargetId),
    /// The process of a tab or frame died.
    TargetCrashed(TargetId),
    /// We may now ask this target.
    Attached(SessionId, TargetId),
    /// We may no longer.
    Detached(SessionId),
    /// A page opens a socket.
    SocketOpened {
        /// Whose.
        session: SessionId,
        /// The browser's name of the socket.
        socket: String,
        /// To where; may hold secrets in its query.
        url: String,
    },
    /// A whole binary message arrived, still in base64.
    SocketMessage {
        /// Whose.
        session: SessionId,
        /// The browser's name of the socket.
        socket: String,
        /// The message.
        base64: String,
    },
    /// A socket is closed.
    SocketClosed {
        /// Whose.
        session: SessionId,
        /// The browser's name of the socket.
        socket: String,
    },
}

/// What every message of the browser has: an answer has an id, an event has a method.
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
    /// The event that a message of the browser tells, if it is one and concerns us.
    pub fn read(message: &str) -> Option<Self> {
        Self::of(serde_json::from_str(message).ok()?, message)
    }

    /// The event in a message whose head is known; nothing if it does not concern us or is not as expected.
    pub(super) fn of(head: Head<'_>, message: &str) -> Option<Self> {
        let method = head.method?;
        let session = head.session;
        Some(match &*method {
            "Target.targetCreated" | "Target.targetInfoChanged" => {
                let about: TargetParams = params(message)?;
                Self::Target { target: about.target_info.target_id, url: about.target_info.url }
            }
            "Target.targetDestroyed" => {
                Self::TargetGone(params::<TargetIdParams>(message)?.target_id)
            }
            "Target.targetCrashed" => {
                Self::TargetCrashed(params::<TargetIdParams>(message)?.target_id)
            }
            "Target.attachedToTarget" => {
                let attached: AttachedParams = params(message)?;
                Self::Attached(attached.session_id, attached.target_info.target_id)
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
