//! A read-only client of the Chrome DevTools Protocol.
//!
//! The browser belongs to the user, who is logged in there. Only the [`Command`]s defined here can be sent, and none of them
//! clicks, types, navigates, closes a tab, reads cookies, or runs any script but that of [`crate::history_list`].

mod client;
mod command;
mod endpoint;
mod event;

pub use client::{CallError, Client, Events};
pub use command::{Command, ContextId, FrameId, SessionId, TargetId};
pub use endpoint::{BrowserAddress, EndpointError, PORT_FILE, Remote, how_to_start};
pub use event::Event;
