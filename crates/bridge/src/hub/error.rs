use std::io;
use std::path::PathBuf;

/// Why the hub cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The file of the credentials cannot be used, or the hub refuses what is in it.
    #[error(
        "the credentials in {} are refused: {problem}; see docs/how-to/use-many-machines.md for how to make some",
        file.display()
    )]
    Credentials {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: String,
    },
    /// The hub asks for credentials.
    #[error("the hub at {address} asks who this is: give --creds FILE or --nkey FILE")]
    Unnamed {
        /// Where it is.
        address: String,
    },
    /// The hub's certificate is not trusted.
    #[error(
        "the hub at {address} cannot be trusted: {problem}; if its authority is your own, name the authority's certificate with --ca-file"
    )]
    Certificate {
        /// Where it is.
        address: String,
        /// Why.
        problem: String,
    },
    /// The hub speaks no TLS, and it must.
    #[error(
        "the hub at {address} speaks no TLS, and it is not on this machine: give it a certificate (docs/how-to/use-many-machines.md), or say --plain if the network between is your own"
    )]
    NoTls {
        /// Where it is.
        address: String,
    },
    /// JetStream is off, or this bridge may not use it.
    #[error("the hub keeps nothing: {problem}; see scripts/nats/nats-server.conf")]
    NoJetStream {
        /// What it says.
        problem: String,
    },
    /// These credentials are not enough.
    #[error("the hub forbids what the bridge needs: {problem}; see scripts/nats/others.conf")]
    Forbidden {
        /// What it says.
        problem: String,
    },
    /// The stream is not what the bridge needs.
    #[error("the stream {stream} cannot be used: {problem}")]
    Settings {
        /// Its name.
        stream: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// What the hub has and what the files have do not belong together.
    #[error("{0}")]
    Strangers(String),
    /// Nobody has pushed the table yet.
    #[error(
        "the hub has no stream {stream} yet; it comes with the first push, or with `bridge init`"
    )]
    NoStream {
        /// Its name.
        stream: String,
    },
    /// It does not answer, or not now.
    #[error("{problem}")]
    Away {
        /// What was heard last.
        problem: String,
    },
    /// A file here cannot be read or written just now.
    #[error("{0}")]
    Files(String),
    /// The system gives no runtime.
    #[error("starting a runtime: {0}")]
    Runtime(io::Error),
}

impl HubError {
    /// The connection broke.
    pub fn lost() -> Self {
        Self::Away { problem: "the connection is lost".to_owned() }
    }

    /// Something that went wrong between here and the hub.
    pub fn away(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Away { problem: format!("{what}: {error}") }
    }

    /// Whether trying again cannot help as long as nobody changes anything.
    pub fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::Credentials { .. }
                | Self::Unnamed { .. }
                | Self::Certificate { .. }
                | Self::NoTls { .. }
                | Self::NoJetStream { .. }
                | Self::Forbidden { .. }
                | Self::Settings { .. }
                | Self::Strangers(_)
                | Self::Runtime(_)
        )
    }

    /// Whether it may pass by itself at a hub that was used before: a certificate that is being renewed, accounts that are
    /// being loaded.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Credentials { .. }
                | Self::Unnamed { .. }
                | Self::Certificate { .. }
                | Self::NoJetStream { .. }
                | Self::Forbidden { .. }
        )
    }
}
