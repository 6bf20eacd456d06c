//! A separate NATS server for each test, on its own port.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Timeout for any step; far longer than it takes even on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// Returns the server program: from the environment, from `scripts/dev/nats/install.sh`, or from the system.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("AVIATOR_NATS_SERVER") {
        return named.into();
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nats/bin/nats-server");
    let known = [
        ours,
        "/usr/sbin/nats-server".into(),
        "/usr/bin/nats-server".into(),
        "/usr/local/bin/nats-server".into(),
    ];
    let found = known.into_iter().find(|path| path.is_file());
    found.expect("these tests need a NATS server: run scripts/dev/nats/install.sh, or set AVIATOR_NATS_SERVER to yours")
}

/// Returns whether the server supports `sync_interval`; Debian's 2.9 does not.
fn knows_sync_interval() -> bool {
    let output = Command::new(program()).arg("--version").output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let version = output.rsplit('v').next().unwrap();
    let mut numbers = version.trim().split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (2, 10)
}

/// Creates a directory in memory where possible. The tests kill processes, not machines, and on a shared disk they would
/// take minutes.
fn fast_dir() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) struct Server {
    child: Child,
    dir: TempDir,
    config: String,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server that syncs every message before it acknowledges it, as in production.
    pub(crate) fn start() -> Self {
        Self::with(if knows_sync_interval() { "sync_interval: always" } else { "" }, "")
    }

    /// Starts a server with its default syncs, for tests that kill no server.
    pub(crate) fn quick() -> Self {
        Self::with("", "")
    }

    /// Starts a server with additions to its configuration.
    pub(crate) fn with(jetstream: &str, more: &str) -> Self {
        let dir = fast_dir();
        let store = dir.path().join("store");
        let config = format!(
            "listen: 127.0.0.1:-1\njetstream {{ store_dir: '{}', {jetstream} }}\n{more}\n",
            store.display()
        );
        let (child, address) = launch(dir.path(), &config);
        Self { child, dir, config, address }
    }

    /// Starts a server with a configuration from `scripts/ops/nats`, but on a free port and in a temporary directory.
    pub(crate) fn with_shipped_config(config: &str) -> Self {
        let dir = fast_dir();
        let store = dir.path().join("store");
        let mut config = config
            .replace("listen: 127.0.0.1:4222", "listen: 127.0.0.1:-1")
            .replace("/var/lib/nats", store.to_str().unwrap());
        if !knows_sync_interval() {
            config = config.replace("sync_interval: always", "");
        }
        let (child, address) = launch(dir.path(), &config);
        Self { child, dir, config, address }
    }

    /// Kills the server, so that it cannot shut down cleanly.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again with the same store, on another port.
    pub(crate) fn restart(&mut self) {
        (self.child, self.address) = launch(self.dir.path(), &self.config);
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn launch(dir: &Path, config: &str) -> (Child, SocketAddr) {
    let file = dir.join("nats.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program());
    command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = lines_of(child.stderr.take().unwrap());
    let mut output = Vec::new();
    while !output.last().is_some_and(|line: &String| line.contains("Server is ready")) {
        let Ok(line) = lines.recv_timeout(TIMEOUT) else { break };
        output.push(line);
    }
    let address = output.iter().find_map(|line| {
        let (_, address) = line.split_once("Listening for client connections on ")?;
        address.trim().parse().ok()
    });
    (child, address.unwrap_or_else(|| unreachable!("the NATS server does not start: {output:#?}")))
}

/// Returns the lines of a pipe. The pipe is drained even if nobody receives them.
pub(crate) fn lines_of(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // The receiver may be gone.
            drop(send.send(line));
        }
    });
    receive
}
