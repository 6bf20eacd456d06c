//! Reads recordings of any form and writes them as files of rounds.
//!
//! Bytes go in, rounds come out: [`Recording::read`] finds out what kind of file it is ([`Source`]), which columns hold
//! the time and the multiplier, and how both are written. It refuses anything ambiguous and names the command that
//! settles it ([`Refusal`]). [`import_all`] shows what was understood, asks, and writes one CSV; [`merge()`] does so with
//! files that are rounds already.
//!
//! The stages: container → text and lines → delimiter and header → columns → rows → timeline → checks.
//! The crate uses no runtime and no network; the current time comes in with [`Options`].

mod archive;
mod column_profile;
mod columns;
mod container;
mod content;
mod date_order;
mod delimiter;
mod dialogue;
mod discontinuities;
mod encoding;
mod har;
pub mod header_names;
mod import;
mod json;
mod key_values;
mod layout;
mod lines;
mod log_lines;
mod merge;
mod number_forms;
mod number_list;
mod options;
pub mod past_imports;
mod plausibility;
mod preview;
mod record;
mod recording;
mod refusal;
mod rejects;
mod rows;
mod source;
mod spreadsheet;
mod table;
mod time_forms;
mod timeline;
mod write;

pub use content::{BY_IMPORT, BY_MERGE, Content, SourceFile};
pub use dialogue::{Dialogue, ImportError, Outcome, Target};
pub use discontinuities::{Discontinuity, read_notes};
pub use import::{Imported, import, import_all};
pub use merge::{Part, describe_merge, merge};
pub use number_forms::{DecimalSign, Scale};
pub use options::{Filter, Options};
pub use recording::{Figures, Recording};
pub use refusal::{Refusal, RefusalKind};
pub use rejects::{Reason, Rejected};
pub use source::Source;
pub use time_forms::DateOrder;
pub use timeline::Order;
pub use write::write;
