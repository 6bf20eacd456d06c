//! `collector browser`: opens the installed browser and records the game that the user opens in it.

use std::io::{BufRead as _, IsTerminal as _, stdin};
use std::process::Child;
use std::thread;

use daemon::log;
use daemon::output::say;
use tracing::{info, warn};

use crate::app;
use crate::browser_launch::{BrowserLauncher, Launched};
use crate::cli::BrowserArgs;
use crate::config::{Config, Options};
use crate::config_error::ConfigError;
use crate::observation::SourceKind;

/// Opens the browser and records until a signal arrives.
///
/// # Errors
///
/// The configuration cannot be used, no browser can be started, or recording failed.
pub fn run(args: BrowserArgs) -> anyhow::Result<()> {
    let options = Options { source: Some(SourceKind::Browser), ..args.config.options };
    let mut config = Config::load(&options, args.config.config.as_deref())?;
    for (flag, is_given) in
        [("cdp", config.browser.cdp.is_some()), ("cdp-ws", config.browser.cdp_ws.is_some())]
    {
        if is_given {
            let problem = "names a browser that is open already; this command opens one: use --source browser instead";
            return Err(ConfigError::flag(flag, problem).into());
        }
    }
    log::start(&config.log, config.log_format)
        .map_err(|error| ConfigError::flag("log", error.to_string()))?;
    let launcher = BrowserLauncher::new(
        args.browser.as_deref(),
        config.browser.profile.as_deref(),
        args.browser_args,
        args.page,
    )?;
    config.browser.profile = Some(launcher.profile().to_owned());
    // A source that cannot be built is reported before a window opens.
    config.build_source()?;
    open(&launcher)?;
    say(
        "collector: open your game in the browser's window and log in as usual; recording begins with the next round",
    );
    if stdin().is_terminal() {
        reopen_on_enter(launcher);
    }
    app::record(config)
}

/// Opens the browser and says so; a thread reports its end.
fn open(launcher: &BrowserLauncher) -> anyhow::Result<()> {
    let profile = launcher.profile().display().to_string();
    match launcher.open()? {
        Launched::AlreadyOpen => info!(profile, "The browser is open already."),
        Launched::Started(child) => {
            info!(browser = launcher.name(), profile, "The browser was opened.");
            thread::spawn(move || report_end(child));
        }
    }
    Ok(())
}

fn report_end(mut child: Child) {
    if child.wait().is_ok() {
        warn!(
            advice = "press Enter here, or run collector browser in another terminal",
            "The browser was closed; recording goes on when it is open again."
        );
    }
}

/// Opens the browser again whenever the user presses Enter and it is closed.
fn reopen_on_enter(launcher: BrowserLauncher) {
    thread::spawn(move || {
        for _ in stdin().lock().lines().map_while(Result::ok) {
            if let Err(error) = open(&launcher) {
                warn!(%error, "The browser cannot be opened.");
            }
        }
    });
}
