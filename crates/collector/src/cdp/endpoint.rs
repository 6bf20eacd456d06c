//! Finds the debugging socket of a browser by its port, its socket address or its profile directory.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rounds::read_regular_text;
use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

use crate::tls;

/// Timeout for asking a browser for its socket address.
const DISCOVERY_MAX: Duration = Duration::from_secs(5);
/// Largest size of the port file, which has two short lines.
const PORT_FILE_BYTES_MAX: u64 = 4096;
/// The file in a profile directory where a browser writes its port and socket path.
pub const PORT_FILE: &str = "DevToolsActivePort";

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

/// Returns instructions for starting a browser with remote debugging, for each system.
pub fn how_to_start() -> String {
    format!(
        "start Chrome with a profile of its own (Chrome 136 and later open no port on your usual one), log in there, and leave \
         the game's tab open:\n  Linux    {LINUX}\n  macOS    {MACOS}\n  Windows  {WINDOWS}"
    )
}

/// The address of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrowserAddress {
    /// The URL of its debugging port, which answers with the socket address.
    Port(Url),
    /// The URL of its debugging socket.
    Socket(Url),
    /// Its profile directory, which holds the port file.
    Profile(PathBuf),
}

/// Why a browser cannot be found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is not an address.
    #[error(
        "`{0}` is not an address such as http://127.0.0.1:9222 or ws://127.0.0.1:9222/devtools/browser/…"
    )]
    NotAnAddress(String),
    /// The browser is on another machine. Anyone who can reach its debugging port controls it.
    #[error(
        "{0} is not this machine; whoever reaches a browser's debugging port controls the browser, so another machine's needs --allow-remote-cdp"
    )]
    NotThisMachine(String),
    /// Nothing listens at the address.
    #[error("no browser answers at {0} (--cdp); start Chrome with a profile of its own: {HERE}")]
    NoAnswer(String),
    /// A server listens at the address but does not answer: the browser hangs, or the machine is
    /// overloaded.
    #[error("something listens at {0} (--cdp) but does not answer")]
    Silent(String),
    /// The server at the address is not a browser with remote debugging.
    #[error(
        "what answers at {0} is not a browser with remote debugging ({1}); is --cdp the port that Chrome was started with?"
    )]
    NotABrowser(String, String),
    /// The profile has no port file.
    #[error("{} does not exist: no browser with remote debugging uses that profile (--profile); turn it on at chrome://inspect/#remote-debugging, or start Chrome with a profile of its own: {HERE}", .0.display())]
    NoPortFile(PathBuf),
    /// The profile's port file cannot be read or parsed.
    #[error("{} cannot be read ({reason}); is --profile a profile directory of Chrome?", path.display())]
    PortFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The profile's port file is left over from a browser that has exited.
    #[error("{} names {browser}, but nothing answers there: the file is left over from a browser that has exited; start it again, or see --profile", path.display())]
    StalePortFile {
        /// The file.
        path: PathBuf,
        /// The address in the file.
        browser: String,
    },
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "webSocketDebuggerUrl")]
    socket: String,
}

impl BrowserAddress {
    /// Parses an address: `http://…` for a port, `ws://…` for a socket.
    ///
    /// # Errors
    ///
    /// The text is neither, or names another machine while `remote` is [`Remote::Refused`].
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

    /// Returns the URL of the debugging socket. For a socket or a profile the browser is not
    /// contacted, so it may not be running.
    ///
    /// # Errors
    ///
    /// Nothing answers at the port, or what answers is not a browser; or the profile has no valid
    /// port file.
    pub async fn socket(&self) -> Result<Url, EndpointError> {
        match self {
            Self::Socket(url) => Ok(url.clone()),
            Self::Port(url) => discover(url).await,
            Self::Profile(directory) => Self::port_file_socket(directory),
        }
    }

    /// Returns the URL of the debugging socket that the port file of a profile names. The file has two lines: the port, and
    /// the path of the socket.
    ///
    /// # Errors
    ///
    /// The profile has no valid port file.
    pub fn port_file_socket(profile: &Path) -> Result<Url, EndpointError> {
        let path = profile.join(PORT_FILE);
        let text = match read_regular_text(&path, PORT_FILE_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(EndpointError::NoPortFile(path));
            }
            Err(error) => return Err(EndpointError::PortFile { path, reason: error.to_string() }),
        };
        let mut lines = text.lines();
        let port = lines.next().and_then(|line| line.trim().parse::<u16>().ok());
        let route = lines.next().map(str::trim).filter(|line| line.starts_with('/'));
        let (Some(port), Some(route)) = (port, route) else {
            return Err(EndpointError::PortFile {
                path,
                reason: "it is not a port and a path".to_owned(),
            });
        };
        Url::parse(&format!("ws://127.0.0.1:{port}{route}"))
            .map_err(|error| EndpointError::PortFile { path, reason: error.to_string() })
    }

    /// Returns the error for this address if nothing answers at its `socket`.
    pub fn unreachable(&self, socket: &Url) -> EndpointError {
        match self {
            Self::Profile(directory) => EndpointError::StalePortFile {
                path: directory.join(PORT_FILE),
                browser: host_and_port(socket),
            },
            Self::Port(_) | Self::Socket(_) => EndpointError::NoAnswer(host_and_port(socket)),
        }
    }
}

impl fmt::Display for BrowserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(url) | Self::Socket(url) => f.write_str(&host_and_port(url)),
            Self::Profile(directory) => write!(f, "{}", directory.join(PORT_FILE).display()),
        }
    }
}

/// Whether a browser on another machine may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// It may, because the user set `--allow-remote-cdp`.
    Allowed,
    /// It may not; the default.
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

/// Returns host and port, for messages.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn discover(port: &Url) -> Result<Url, EndpointError> {
    let not_a_browser = |what: String| EndpointError::NotABrowser(host_and_port(port), what);
    // The HTTP client needs a provider even for unencrypted addresses.
    tls::install();
    // Loopback requests must not go through the system's proxy.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DISCOVERY_MAX)
        .build();
    let http = http.map_err(|error| not_a_browser(error.to_string()))?;
    let url = port.join("/json/version").map_err(|error| not_a_browser(error.to_string()))?;
    let unanswered = |error: reqwest::Error| match error {
        error if error.is_timeout() => EndpointError::Silent(host_and_port(port)),
        error if error.is_connect() => EndpointError::NoAnswer(host_and_port(port)),
        error => not_a_browser(root_cause(&error)),
    };
    let response = http.get(url).send().await.map_err(unanswered)?;
    if !response.status().is_success() {
        return Err(not_a_browser(format!("it answers {}", response.status())));
    }
    let body = response.text().await.map_err(unanswered)?;
    let version: Version = serde_json::from_str(&body)
        .map_err(|_| not_a_browser("its /json/version names no socket".to_owned()))?;
    let mut socket: Url =
        version.socket.parse().map_err(|_| not_a_browser(version.socket.clone()))?;
    // The browser reports the address it listens on; through a tunnel or from a container, only the user's address works.
    if socket.set_host(port.host_str()).is_err() || socket.set_port(port.port()).is_err() {
        return Err(not_a_browser(version.socket));
    }
    Ok(socket)
}

/// Returns the innermost cause; the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
