//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{InitOptions, KeyOptions, LogOptions, MergeOptions, PullOptions, PushOptions};

/// Carries rounds between machines through a NATS server.
#[derive(Parser, Debug)]
#[command(name = "bridge", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What is logged and how.
    #[command(flatten)]
    pub log: LogOptions,
}

/// What the program can do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Send the rows of a collector's files to the hub, each once, and go on with new ones
    Push(PushOptions),
    /// Write the rounds at the hub into the files of a directory, each once, and go on with new ones
    Pull(PullOptions),
    /// Join recordings of one table without ids: what one has missed is taken from another
    Merge(MergeOptions),
    /// Make the stream of a table at the hub, with limits of your own
    Init(InitOptions),
    /// Make a key for --nkey, and print its public half for the hub's configuration
    Key(KeyOptions),
    /// Print what lets a shell complete the command line
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write `bridge.1` and a page for each command here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

const EXAMPLES: &str = "\
Examples:
  bridge push --data-dir data --table spribe --site attic --hub nats://hub.example:4222 --nkey attic.nk --ca-file ca.pem
  bridge pull --data-dir pulled/spribe --table spribe --hub nats://hub.example:4222 --nkey reader.nk --ca-file ca.pem
  bridge merge --from attic=pulled/attic --from cellar=pulled/cellar --data-dir data --follow
  bridge key attic.nk

docs/how-to/use-many-machines.md tells when you need this, and how to set the hub up.
Every option but --once can also stand in the environment (AVIATOR_HUB for --hub).
Exit codes: 0 asked to stop or done, 1 failed, 2 bad usage, configuration, credentials or stream, 3 another program holds the directory.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  bridge completions bash > ~/.local/share/bash-completion/completions/bridge
  bridge completions zsh > ~/.zfunc/_bridge
  bridge completions fish > ~/.config/fish/completions/bridge.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  bridge man | man -l -
  bridge man --dir /usr/local/share/man/man1";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
