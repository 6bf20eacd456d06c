//! A Chromium process for a test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// Names of the program on different systems.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A running browser; killed when dropped.
#[derive(Debug)]
pub(crate) struct Chromium {
    process: Child,
    /// URL of its debugging socket.
    pub(crate) socket: String,
    is_killed: bool,
}

impl Chromium {
    /// Starts a browser with this profile on a free port.
    pub(crate) fn start(profile: &Path) -> Self {
        let process = NAMES
            .iter()
            .find_map(|name| Self::command(name, profile).spawn().ok())
            .expect("these tests drive a real browser: install the package chromium (apt-get install chromium)");
        Self::listening(process)
    }

    fn command(name: &str, profile: &Path) -> Command {
        let mut command = Command::new(name);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--disable-dev-shm-usage", "--site-per-process", "--window-size=1100,620"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.display()))
            // The browser is killed, and would leave behind what it keeps outside its profile.
            .env("TMPDIR", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Returns the URL of its debugging port.
    pub(crate) fn http(&self) -> String {
        let port = self.socket.trim_start_matches("ws://").split('/').next().unwrap();
        format!("http://{port}")
    }

    /// Kills the browser, as a crash or a power failure would, and the processes it has started, which would otherwise write
    /// to the profile for a while.
    pub(crate) fn kill(&mut self) {
        // Once the browser is reaped, its id and its process group may be gone or belong to another process.
        if std::mem::replace(&mut self.is_killed, true) {
            return;
        }
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            kill_process_group(Pid::from_child(&self.process), Signal::KILL).unwrap();
        }
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn listening(mut process: Child) -> Self {
        let mut complaints = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut report = String::new();
        for line in complaints.by_ref().map_while(Result::ok) {
            if let Some((_, socket)) = line.split_once("DevTools listening on ") {
                let socket = socket.trim().to_owned();
                // A browser that cannot write to stderr would block. The thread ends with the browser.
                thread::spawn(move || complaints.for_each(drop));
                return Self { process, socket, is_killed: false };
            }
            report.push_str(&line);
            report.push('\n');
        }
        unreachable!("the browser ended before it listened:\n{report}");
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.kill();
    }
}
