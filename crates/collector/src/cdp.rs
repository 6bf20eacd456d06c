//! A client of the Chrome DevTools Protocol that can only look.
//!
//! The browser is the user's own, with the user logged in. So the [`Command`]s that exist here are all that can be sent, and
//! none of them clicks, types, navigates, closes, reads cookies or runs anything but the script of [`crate::history_list`].

mod client;
mod command;
mod endpoint;
mod event;

pub use client::{CallError, Client, Events};
pub use command::{Command, ContextId, FrameId, SessionId, TargetId};
pub use endpoint::{BrowserAddress, EndpointError, Remote, how_to_start};
pub use event::Event;
