//! Starts the user's installed browser for `collector browser`, with a profile of its own and a debugging port on the
//! loopback interface that the browser chooses.
//!
//! The browser is started and nothing more: the user opens the game and logs in. It is left open when the collector ends,
//! because he may be playing.

pub mod installed;

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rounds::read_regular_text;
use thiserror::Error;

use crate::cdp::{BrowserAddress, PORT_FILE};
use installed::{InstalledBrowser, Machine, SystemKind};

/// How long a browser may take to open its port: the first start of a new profile on a slow disk.
const START_MAX: Duration = Duration::from_mins(1);
/// Pause between two checks of the port file.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const START_PAGE: &str = include_str!("browser_launch/start_page.html");
const START_PAGE_FILE: &str = "aviator-collector.html";
/// File that receives the browser's standard error.
const LOG_FILE: &str = "aviator-collector.log";
const LOG_BYTES_MAX: u64 = 1 << 20;
/// Maximum number of characters of the browser's words in a message.
const QUOTED_MAX: usize = 200;
/// The exit code of a browser whose profile another one uses.
const PROFILE_IN_USE: i32 = 21;

/// A browser could not be found or started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// There is none.
    #[error(
        "no browser was found (Chrome, Edge, Brave or Chromium); install one of them, or name the program with --browser"
    )]
    NoBrowser,
    /// The program cannot be started.
    #[error("{} cannot be started: {error}; name another with --browser", program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The profile directory cannot be prepared.
    #[error("the profile directory {} cannot be used: {error}; choose another with --profile", path.display())]
    Profile {
        /// The directory or file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A browser without a debugging port uses the profile.
    #[error("another browser without a debugging port uses the profile {}; close all of its windows and run this again, or choose another directory with --profile", .0.display())]
    ProfileInUse(PathBuf),
    /// The browser ended at once.
    #[error("{name} ended before it opened its debugging port{words}")]
    Ended {
        /// The browser.
        name: &'static str,
        /// Its exit code and last words.
        words: String,
    },
    /// The browser runs, but opens no port.
    #[error(
        "{name} opened no debugging port within {} s; a policy of this machine may forbid it (chrome://policy)", START_MAX.as_secs()
    )]
    NoPort {
        /// The browser.
        name: &'static str,
    },
}

/// The browser that `collector browser` starts, and how.
#[derive(Clone, Debug)]
pub struct BrowserLauncher {
    browser: InstalledBrowser,
    arguments: Vec<String>,
    /// The page to open; the start page without one.
    page: Option<String>,
}

/// How a browser came to be open.
#[derive(Debug)]
pub enum Launched {
    /// It was started.
    Started(Child),
    /// One with this profile and a debugging port was open already.
    AlreadyOpen,
}

impl BrowserLauncher {
    /// Finds the browser, or takes the one that the user named, with his profile directory if he named one.
    ///
    /// # Errors
    ///
    /// No browser is installed where browsers are.
    pub fn new(
        program: Option<&Path>,
        profile: Option<&Path>,
        arguments: Vec<String>,
        page: Option<String>,
    ) -> Result<Self, LaunchError> {
        let variable = |name: &str| env::var_os(name);
        let machine =
            Machine { kind: SystemKind::HERE, variable: &variable, is_program: &Path::is_file };
        let found = match program {
            Some(program) => Some(machine.named(program)),
            None => machine.browser(),
        };
        let mut browser = found.ok_or(LaunchError::NoBrowser)?;
        if let Some(profile) = profile {
            profile.clone_into(&mut browser.profile);
        }
        Ok(Self { browser, arguments, page })
    }

    /// Returns the profile directory.
    pub fn profile(&self) -> &Path {
        &self.browser.profile
    }

    /// Returns the browser's name, for messages.
    pub fn name(&self) -> &'static str {
        self.browser.name
    }

    /// Opens the browser, unless it is open, and waits until its debugging port answers.
    ///
    /// # Errors
    ///
    /// The browser cannot be started, or another one uses its profile.
    pub fn open(&self) -> Result<Launched, LaunchError> {
        let profile = &self.browser.profile;
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |error| LaunchError::Profile { path, error }
        };
        if is_listening(profile) {
            return Ok(Launched::AlreadyOpen);
        }
        create_private(profile).map_err(unusable(profile))?;
        let port_file = profile.join(PORT_FILE);
        // One that is left over would be taken for that of the new browser.
        if let Err(error) = fs::remove_file(&port_file)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(unusable(&port_file)(error));
        }
        let page = self.page_url().map_err(unusable(profile))?;
        let log = File::create(profile.join(LOG_FILE)).map_err(unusable(profile))?;
        let mut child = self.command(&page, log).spawn().map_err(|error| {
            LaunchError::NotStarted { program: self.browser.program.clone(), error }
        })?;
        let began = Instant::now();
        while began.elapsed() < START_MAX {
            if is_listening(profile) {
                return Ok(Launched::Started(child));
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.ended(status.code()));
            }
            sleep(LOOK_EVERY);
        }
        Err(LaunchError::NoPort { name: self.browser.name })
    }

    fn command(&self, page: &str, log: File) -> Command {
        let mut command = Command::new(&self.browser.program);
        // Ctrl-C in the terminal ends the collector and not the browser.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .arg(format!("--user-data-dir={}", self.browser.profile.display()))
            // The browser listens on the loopback interface only.
            .args(["--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check"])
            // A covered window keeps drawing the game.
            .args(["--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"])
            .args(&self.arguments)
            .arg(page)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    /// Returns the address of the page to open; writes the start page if that is it.
    fn page_url(&self) -> io::Result<String> {
        if let Some(page) = &self.page {
            return Ok(page.clone());
        }
        let path = fs::canonicalize(&self.browser.profile)?.join(START_PAGE_FILE);
        fs::write(&path, START_PAGE)?;
        let url = url::Url::from_file_path(&path);
        url.map(String::from).map_err(|()| io::Error::other("its path has no address"))
    }

    /// Returns the error for a browser that exited with `code`. If another one uses its profile, it either opens its page
    /// there and exits without an error, or refuses to start.
    fn ended(&self, code: Option<i32>) -> LaunchError {
        if matches!(code, Some(0 | PROFILE_IN_USE)) {
            return LaunchError::ProfileInUse(self.browser.profile.clone());
        }
        let log = read_regular_text(&self.browser.profile.join(LOG_FILE), LOG_BYTES_MAX);
        let log = log.unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let last: String = last.chars().filter(|c| !c.is_control()).take(QUOTED_MAX).collect();
        let code = code.map_or_else(String::new, |code| format!(" with code {code}"));
        let words = if last.is_empty() { code } else { format!("{code}: {last}") };
        LaunchError::Ended { name: self.browser.name, words }
    }
}

/// Returns whether a browser with this profile listens at the port of its port file.
fn is_listening(profile: &Path) -> bool {
    let Ok(socket) = BrowserAddress::port_file_socket(profile) else { return false };
    let addresses = socket.socket_addrs(|| None).unwrap_or_default();
    addresses
        .iter()
        .any(|address| std::net::TcpStream::connect_timeout(address, LOOK_EVERY).is_ok())
}

/// Creates the directory, readable by this user only: it will hold his login.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
