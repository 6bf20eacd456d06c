//! The commands that may be sent to a browser.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::history_list::ListScript;

/// The browser's id of a tab or of an out-of-process frame.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(transparent)]
pub struct TargetId(pub String);

/// The id of a debugging session with one target.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(transparent)]
pub struct SessionId(pub String);

/// The id of a frame within a target.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct FrameId(pub String);

/// The id of a JavaScript context in a frame; it ends when the frame loads another page.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct ContextId(pub i64);

/// The complete list of commands that may be sent. Extend it only for a reason that the user of the browser would accept.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// Asks for the version, to check that the browser answers.
    Version,
    /// Reports tabs and frames, existing and new.
    DiscoverTargets,
    /// Opens a session with this target.
    Attach(&'a TargetId),
    /// Ends a session.
    Detach(&'a SessionId),
    /// Reports the target's WebSocket messages, without buffering them in the browser.
    WatchNetwork,
    /// Opens sessions with the workers of the target, existing and new, which run on.
    AttachWorkers,
    /// Asks for the frames of the target.
    FrameTree,
    /// Creates a JavaScript context that is isolated from the page's scripts.
    IsolatedWorld(&'a FrameId),
    /// Runs the script that reads the history lists.
    Read(ContextId, &'a ListScript),
}

/// Name of the isolated contexts: visible in the user's developer tools, but not to the page.
const WORLD: &str = "aviator-collector";

impl Command<'_> {
    /// Returns the method name in the protocol.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Version => "Browser.getVersion",
            Self::DiscoverTargets => "Target.setDiscoverTargets",
            Self::Attach(_) => "Target.attachToTarget",
            Self::Detach(_) => "Target.detachFromTarget",
            Self::WatchNetwork => "Network.enable",
            Self::AttachWorkers => "Target.setAutoAttach",
            Self::FrameTree => "Page.getFrameTree",
            Self::IsolatedWorld(_) => "Page.createIsolatedWorld",
            Self::Read(..) => "Runtime.evaluate",
        }
    }

    /// Returns the parameters in the protocol.
    pub(super) fn parameters(&self) -> Value {
        match self {
            Self::Version | Self::FrameTree => json!({}),
            Self::DiscoverTargets => {
                json!({ "discover": true, "filter": [{ "type": "page" }, { "type": "iframe" }] })
            }
            Self::Attach(target) => json!({ "targetId": target.0, "flatten": true }),
            Self::Detach(session) => json!({ "sessionId": session.0 }),
            Self::WatchNetwork => json!({
                "maxTotalBufferSize": 0, "maxResourceBufferSize": 0, "maxPostDataSize": 0,
            }),
            Self::AttachWorkers => json!({
                "autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true, "filter": [{ "type": "worker" }],
            }),
            Self::IsolatedWorld(frame) => json!({ "frameId": frame.0, "worldName": WORLD }),
            // Return the result by value: a remote reference would keep the object alive in the
            // page.
            Self::Read(context, script) => json!({
                "expression": script.as_str(), "contextId": context.0,
                "returnByValue": true, "silent": true, "timeout": 1000,
            }),
        }
    }
}
