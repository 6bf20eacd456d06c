//! A NATS server of a test's own, on a port of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Longer than anything here takes on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The program, of the environment, of `scripts/dev/nats/install.sh`, or of the system.
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
    found.expect("these tests need a NATS server: scripts/dev/nats/install.sh gets one, or name yours in AVIATOR_NATS_SERVER")
}

/// Debian's 2.9 does not know the key.
fn knows_sync_interval() -> bool {
    let said = Command::new(program()).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let version = said.rsplit('v').next().unwrap();
    let mut numbers = version.trim().split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (2, 10)
}

/// In memory where that can be had: processes are killed here, not machines, and a disk that others use takes minutes.
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
    /// A server that syncs every message before it acknowledges it, as ours should.
    pub(crate) fn start() -> Self {
        Self::with(if knows_sync_interval() { "sync_interval: always" } else { "" }, "")
    }

    /// A server that syncs when it likes: for what is not about crashes.
    pub(crate) fn quick() -> Self {
        Self::with("", "")
    }

    /// A server with more in its configuration.
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

    /// A server with a configuration of ours, but on a port and in a directory of the test's.
    pub(crate) fn handed_out(config: &str) -> Self {
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

    /// Ends it without a chance to put anything in order.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with the same store, on another port.
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
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains("Server is ready")) {
        let Ok(line) = lines.recv_timeout(PATIENCE) else { break };
        said.push(line);
    }
    let address = said.iter().find_map(|line| {
        let (_, address) = line.split_once("Listening for client connections on ")?;
        address.trim().parse().ok()
    });
    (child, address.unwrap_or_else(|| unreachable!("the NATS server does not start: {said:#?}")))
}

/// The lines of a pipe, which is emptied whether anyone asks for them or not.
pub(crate) fn lines_of(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody has to listen.
            drop(send.send(line));
        }
    });
    receive
}
