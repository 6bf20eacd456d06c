use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use tokio::fs::read_to_string;
use url::{Host, Url};

use crate::tls;

/// How long a browser may take to say where its socket is.
const DISCOVERY_MAX: Duration = Duration::from_secs(5);
/// The file in a profile directory in which a browser says where it listens.
const PORT_FILE: &str = "DevToolsActivePort";

const LINUX: &str =
    "google-chrome --remote-debugging-port=9222 --user-data-dir=\"$HOME/.aviator-chrome\"";
const MACOS: &str = "\"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome\" --remote-debugging-port=9222 --user-data-dir=\"$HOME/.aviator-chrome\"";
const WINDOWS: &str = "\"%ProgramFiles%\\Google\\Chrome\\Application\\chrome.exe\" --remote-debugging-port=9222 --user-data-dir=\"%LOCALAPPDATA%\\aviator-chrome\"";
const HERE: &str = if cfg!(windows) {
    WINDOWS
} else if cfg!(target_os = "macos") {
    MACOS
} else {
    LINUX
};

/// How to start a browser that can be read, on each system.
pub fn how_to_start() -> String {
    format!(
        "start Chrome with a profile of its own (Chrome 136 and later open no port on your usual one), log in there, and leave \
         the game's tab open:\n  Linux    {LINUX}\n  macOS    {MACOS}\n  Windows  {WINDOWS}"
    )
}

/// Where a browser listens for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrowserAddress {
    /// Its debugging port, by http; it says itself where the socket is.
    Port(Url),
    /// The socket itself.
    Socket(Url),
    /// Its profile directory, in which it wrote where the socket is.
    Profile(PathBuf),
}

/// Why there is no address of a browser, or no browser at it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not an address.
    #[error(
        "`{0}` is not an address such as http://127.0.0.1:9222 or ws://127.0.0.1:9222/devtools/browser/…"
    )]
    NotAnAddress(String),
    /// On another machine: whoever can write to that port can use the browser.
    #[error(
        "{0} is not this machine; a browser's debugging port gives full power over it, so only --allow-remote-cdp lets the collector use one elsewhere"
    )]
    NotThisMachine(String),
    /// Nothing listens there.
    #[error("no browser answers at {0} (--cdp); start Chrome with a profile of its own: {HERE}")]
    Nobody(String),
    /// Something listens there and says nothing: a browser that hangs, or a machine that is very busy.
    #[error("what listens at {0} (--cdp) does not answer")]
    Silent(String),
    /// Something listens there that is no browser.
    #[error(
        "what answers at {0} is no browser with remote debugging ({1}); is --cdp the port that Chrome was started with?"
    )]
    NoBrowser(String, String),
    /// The profile has no port file.
    #[error("{} does not exist: no browser with remote debugging uses that profile (--profile); turn it on at chrome://inspect/#remote-debugging, or start Chrome with a profile of its own: {HERE}", .0.display())]
    NoPortFile(PathBuf),
    /// The profile's port file cannot be read or understood.
    #[error("{} cannot be read ({why}); is --profile a profile directory of Chrome?", path.display())]
    PortFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The profile's port file is from a browser that is gone.
    #[error("{} names {browser}, but nobody answers there: the file is left from a browser that has ended; start it again, or see --profile", path.display())]
    StalePortFile {
        /// The file.
        path: PathBuf,
        /// Whom it names.
        browser: String,
    },
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "webSocketDebuggerUrl")]
    socket: String,
}

impl BrowserAddress {
    /// The address in a text: `http://…` for a port, `ws://…` for a socket.
    ///
    /// # Errors
    ///
    /// It is neither, or it is on another machine.
    pub fn parse(text: &str, remote: Remote) -> Result<Self, EndpointError> {
        let url: Url = text.parse().map_err(|_| EndpointError::NotAnAddress(text.to_owned()))?;
        if remote == Remote::Refused && !is_this_machine(&url) {
            return Err(EndpointError::NotThisMachine(text.to_owned()));
        }
        match url.scheme() {
            "http" | "https" => Ok(Self::Port(url)),
            "ws" | "wss" => Ok(Self::Socket(url)),
            _ => Err(EndpointError::NotAnAddress(text.to_owned())),
        }
    }

    /// The address of the socket. Whether a browser is still there only connecting can tell.
    ///
    /// # Errors
    ///
    /// Nobody there, or no browser.
    pub async fn socket(&self) -> Result<Url, EndpointError> {
        match self {
            Self::Socket(url) => Ok(url.clone()),
            Self::Port(url) => discover(url).await,
            Self::Profile(directory) => port_file(directory).await,
        }
    }

    /// What it means that nobody answers at the address's `socket`.
    pub fn nobody_at(&self, socket: &Url) -> EndpointError {
        match self {
            Self::Profile(directory) => EndpointError::StalePortFile {
                path: directory.join(PORT_FILE),
                browser: place(socket),
            },
            Self::Port(_) | Self::Socket(_) => EndpointError::Nobody(place(socket)),
        }
    }
}

impl fmt::Display for BrowserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(url) | Self::Socket(url) => f.write_str(&place(url)),
            Self::Profile(directory) => write!(f, "{}", directory.join(PORT_FILE).display()),
        }
    }
}

/// Whether a browser on another machine may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// The user asked for it.
    Allowed,
    /// The default.
    Refused,
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Host and port, for messages.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn discover(port: &Url) -> Result<Url, EndpointError> {
    let no_browser = |what: String| EndpointError::NoBrowser(place(port), what);
    // What the address is decides whether it is used; the client wants it in any case.
    tls::install();
    // A proxy of the system must not come between us and this machine.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DISCOVERY_MAX)
        .build();
    let http = http.map_err(|error| no_browser(error.to_string()))?;
    let url = port.join("/json/version").map_err(|error| no_browser(error.to_string()))?;
    let unanswered = |error: reqwest::Error| match error {
        error if error.is_timeout() => EndpointError::Silent(place(port)),
        error if error.is_connect() => EndpointError::Nobody(place(port)),
        error => no_browser(plain(&error)),
    };
    let response = http.get(url).send().await.map_err(unanswered)?;
    if !response.status().is_success() {
        return Err(no_browser(format!("it answers {}", response.status())));
    }
    let body = response.text().await.map_err(unanswered)?;
    let version: Version = serde_json::from_str(&body)
        .map_err(|_| no_browser("its /json/version names no socket".to_owned()))?;
    let mut socket: Url = version.socket.parse().map_err(|_| no_browser(version.socket.clone()))?;
    // The browser names itself as it sees itself; through a tunnel or a container it is reached as the user wrote.
    if socket.set_host(port.host_str()).is_err() || socket.set_port(port.port()).is_err() {
        return Err(no_browser(version.socket));
    }
    Ok(socket)
}

/// The innermost reason: the outer ones repeat the address.
fn plain(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Two lines: the port, and the path of the socket.
async fn port_file(directory: &Path) -> Result<Url, EndpointError> {
    let path = directory.join(PORT_FILE);
    let text = match read_to_string(&path).await {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(EndpointError::NoPortFile(path));
        }
        Err(error) => return Err(EndpointError::PortFile { path, why: error.to_string() }),
    };
    let mut lines = text.lines();
    let port = lines.next().and_then(|line| line.trim().parse::<u16>().ok());
    let route = lines.next().map(str::trim).filter(|line| line.starts_with('/'));
    let (Some(port), Some(route)) = (port, route) else {
        return Err(EndpointError::PortFile {
            path,
            why: "it is not a port and a path".to_owned(),
        });
    };
    Url::parse(&format!("ws://127.0.0.1:{port}{route}"))
        .map_err(|error| EndpointError::PortFile { path, why: error.to_string() })
}
