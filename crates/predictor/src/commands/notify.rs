//! `predictor notify`: where alerts go, and with `--test` whether they arrive.

use chrono::{DateTime, Utc};
use clap::Args;

use rounds::counted;

use crate::alerts;
use crate::commands::output::print;
use crate::commands::serve::ServeArgs;
use crate::config::{ConfigError, SettingsError};

/// Flags of `notify`.
#[derive(Debug, Clone, Args)]
pub struct NotifyArgs {
    /// The settings.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Send a test alert to each service now
    #[arg(long)]
    pub test: bool,
}

/// Prints where alerts go; with `--test` sends one to each service.
///
/// # Errors
/// A service does not accept the alert, or none is configured.
pub(crate) fn run(args: &NotifyArgs, now: DateTime<Utc>) -> anyhow::Result<()> {
    let settings = args.serve.config()?.notify;
    let names = alerts::service_names(&settings).map_err(ConfigError::from)?;
    let names = names.ok_or(ConfigError::from(SettingsError::NoService))?;
    if !args.test {
        return print(&format!("Alerts go to {names}.\n"));
    }
    let mut failed = 0;
    for (name, outcome) in alerts::send_test(&settings, now)? {
        match outcome {
            Ok(()) => print(&format!("ok       {name}\n"))?,
            Err(problem) => {
                failed += 1;
                print(&format!("FAILED   {name}: {problem}\n"))?;
            }
        }
    }
    anyhow::ensure!(failed == 0, "{} did not accept the alert", counted(failed, "service"));
    Ok(())
}
