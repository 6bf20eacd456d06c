//! `docs/reference/collector-options.md` matches the command line.
//!
//! `UPDATE_DOCS=1 cargo test -p collector options_page` rewrites the page.

use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;

#[test]
fn the_page_lists_every_command_and_option() {
    let page =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/collector-options.md");
    test_support::options_page::check(collector::cli::Cli::command(), &page);
}

/// Every setting that `--print-config` shows has its key on the page of configuration files.
#[test]
fn the_page_of_configuration_files_lists_every_key() {
    let page = include_str!("../../../../docs/reference/configuration-files.md");
    let section = page.split("\n## Collector\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_collector")).arg("--print-config").output().unwrap();
    test_support::options_page::check_keys(section, &String::from_utf8(output.stdout).unwrap());
}
