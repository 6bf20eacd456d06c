use serde::Deserialize;
use serde_json::{Value, json};

use crate::history_list::ListScript;

/// A tab or an out-of-process frame, as the browser names it.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(transparent)]
pub struct TargetId(pub String);

/// A connection to one target.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(transparent)]
pub struct SessionId(pub String);

/// A frame within a target.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct FrameId(pub String);

/// A world of scripts within a frame; gone when the frame loads another page.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct ContextId(pub i64);

/// Everything that can be asked of the browser. Adding to this list needs a reason that its user would accept.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// Are you there?
    Version,
    /// Say which tabs and frames there are, now and later.
    DiscoverTargets,
    /// Let me ask this target.
    Attach(&'a TargetId),
    /// I am done with this target.
    Detach(&'a SessionId),
    /// Tell me what arrives over this target's sockets; keep no copies.
    WatchNetwork,
    /// Which frames are in this target?
    FrameTree,
    /// A world for our script beside the page's own, which cannot see it.
    IsolatedWorld(&'a FrameId),
    /// Read the history list.
    Read(ContextId, &'a ListScript),
}

/// The name of our worlds. The page cannot see it; the user's developer tools can.
const WORLD: &str = "aviator-collector";

impl Command<'_> {
    /// The protocol's name.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Version => "Browser.getVersion",
            Self::DiscoverTargets => "Target.setDiscoverTargets",
            Self::Attach(_) => "Target.attachToTarget",
            Self::Detach(_) => "Target.detachFromTarget",
            Self::WatchNetwork => "Network.enable",
            Self::FrameTree => "Page.getFrameTree",
            Self::IsolatedWorld(_) => "Page.createIsolatedWorld",
            Self::Read(..) => "Runtime.evaluate",
        }
    }

    /// The protocol's parameters.
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
            Self::IsolatedWorld(frame) => json!({ "frameId": frame.0, "worldName": WORLD }),
            // By value: a reference would keep the object alive in the page.
            Self::Read(context, script) => json!({
                "expression": script.as_str(), "contextId": context.0,
                "returnByValue": true, "silent": true, "timeout": 1000,
            }),
        }
    }
}
