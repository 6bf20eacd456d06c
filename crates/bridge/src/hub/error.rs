//! Errors of the hub: which are permanent, and which may pass.

use std::io;
use std::path::PathBuf;

/// An error of the hub or of the local files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The credentials file cannot be used, or the hub rejects its contents.
    #[error(
        "the credentials in {} are refused: {problem}; docs/how-to/use-many-machines.md explains how to create them",
        file.display()
    )]
    Credentials {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: String,
    },
    /// The hub requires credentials.
    #[error("the hub at {address} requires credentials: give --creds FILE or --nkey FILE")]
    NoCredentials {
        /// The hub's address.
        address: String,
    },
    /// The hub's certificate is not trusted.
    #[error(
        "the hub at {address} cannot be trusted: {problem}; if its certificate is signed by your own authority, give the authority's certificate with --ca-file"
    )]
    Certificate {
        /// The hub's address.
        address: String,
        /// Why.
        problem: String,
    },
    /// The hub does not speak TLS, which is required.
    #[error(
        "the hub at {address} does not speak TLS, which a hub on another machine must: give it a certificate (docs/how-to/use-many-machines.md), or use --plain if you trust the network in between"
    )]
    NoTls {
        /// The hub's address.
        address: String,
    },
    /// JetStream is off, or this bridge may not use it.
    #[error("the hub cannot store rounds: {problem}; see scripts/ops/nats/nats-server.conf")]
    NoJetStream {
        /// The hub's error.
        problem: String,
    },
    /// The credentials lack a permission.
    #[error(
        "the hub denies a permission that the bridge needs: {problem}; see scripts/ops/nats/others.conf"
    )]
    Forbidden {
        /// The hub's error.
        problem: String,
    },
    /// The stream has settings with which the bridge cannot work.
    #[error("the stream {stream} cannot be used: {problem}")]
    Settings {
        /// Its name.
        stream: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The stream at the hub and the files do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// Nobody has pushed the table yet.
    #[error("the hub has no stream {stream} yet; the first push or `bridge init` creates it")]
    NoStream {
        /// Its name.
        stream: String,
    },
    /// The stream, or the disk or account of the hub, has no room for another row.
    #[error(
        "the hub is full ({problem}): raise the limit of the stream (`bridge init --max-mib`), of the account or of max_file_store; the rows stay in their files until then"
    )]
    Full {
        /// The hub's error.
        problem: String,
    },
    /// The hub accepts rows but does not acknowledge them.
    #[error(
        "the hub acknowledges no rows ({problem}); if its log reports a full disk, free some space and restart it; the rows stay in their files until then"
    )]
    Unacknowledged {
        /// The client's error.
        problem: String,
    },
    /// The hub does not answer, or cannot serve the request now.
    #[error("{problem}")]
    Unavailable {
        /// The last error.
        problem: String,
    },
    /// A local file cannot be read or written at the moment.
    #[error("{0}")]
    Files(String),
    /// The runtime cannot be created.
    #[error("starting a runtime: {0}")]
    Runtime(io::Error),
}

impl HubError {
    /// Returns the error of a broken connection.
    pub fn disconnected() -> Self {
        Self::Unavailable { problem: "the connection was lost".to_owned() }
    }

    /// Returns the error of a failed request.
    pub fn unavailable(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Unavailable { problem: format!("{what}: {error}") }
    }

    /// Returns whether retrying is pointless until an operator intervenes.
    pub fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::Credentials { .. }
                | Self::NoCredentials { .. }
                | Self::Certificate { .. }
                | Self::NoTls { .. }
                | Self::NoJetStream { .. }
                | Self::Forbidden { .. }
                | Self::Settings { .. }
                | Self::Mismatch(_)
                | Self::Runtime(_)
        )
    }

    /// Returns whether the error may pass by itself at a hub that worked before, for example while its certificate is
    /// renewed or its accounts are loaded.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Credentials { .. }
                | Self::NoCredentials { .. }
                | Self::Certificate { .. }
                | Self::NoJetStream { .. }
                | Self::Forbidden { .. }
        )
    }
}
