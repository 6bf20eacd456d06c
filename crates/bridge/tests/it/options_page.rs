//! `docs/reference/bridge-options.md` matches the command line.
//!
//! `UPDATE_DOCS=1 cargo test -p bridge options_page` rewrites the page.

use std::path::Path;

use clap::CommandFactory as _;

#[test]
fn the_page_lists_every_command_and_option() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/bridge-options.md");
    test_support::options_page::check(bridge::cli::Cli::command(), &page);
}
