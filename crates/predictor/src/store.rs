//! State on disk: the forecast ledger and the checkpoint.

pub(crate) mod checkpoint;
pub(crate) mod checkpoint_file;
pub(crate) mod ledger_csv;
pub(crate) mod ledger_file;
pub(crate) mod ledger_store;
