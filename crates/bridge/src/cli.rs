//! The command line.

use clap::{Parser, Subcommand};
use daemon::manual::ManualCommand;

use crate::config::{InitOptions, KeyOptions, LogOptions, MergeOptions, PullOptions, PushOptions};

/// Carries rounds between machines through a NATS server.
#[derive(Parser, Debug)]
#[command(name = "bridge", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogOptions,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Send the rows of a collector's files to the hub, each once, and keep sending new ones
    Push(PushOptions),
    /// Write the hub's rounds into a directory, each once, and keep writing new ones
    Pull(PullOptions),
    /// Merge recordings of one table without round ids: rounds that one missed are taken from another
    Merge(MergeOptions),
    /// Create the stream of a table at the hub, with limits that you choose
    Init(InitOptions),
    /// Create a key for --nkey and print its public half for the hub's configuration
    Key(KeyOptions),
    /// Completions and manual pages.
    #[command(flatten)]
    Manual(ManualCommand),
}

const EXAMPLES: &str = "\
Examples:
  bridge push --data-dir data --table spribe --site attic --hub nats://hub.example:4222 --nkey attic.nk --ca-file ca.pem
  bridge pull --data-dir pulled/spribe --table spribe --hub nats://hub.example:4222 --nkey reader.nk --ca-file ca.pem
  bridge merge --from attic=pulled/attic --from cellar=pulled/cellar --data-dir data --follow
  bridge key attic.nk

docs/how-to/use-many-machines.md explains when you need the bridge and how to set up the hub.
Most options can also be set in the environment (AVIATOR_HUB for --hub).
Exit codes: 0 done or stopped, 1 failed, 2 bad usage, configuration, credentials or stream, 3 the directory is in use by another program.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
