//! NATS keys with which a bridge authenticates to the hub.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use nkeys::KeyPair;

/// Creates a key, writes its secret half to a new file that only the owner can read, and returns the public half for
/// the configuration of the hub.
///
/// # Errors
/// The file exists already, or cannot be written.
pub fn create(file: &Path) -> io::Result<String> {
    let pair = KeyPair::new_user();
    let seed = pair.seed().map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut out = options.open(file)?;
    out.write_all(format!("{seed}\n").as_bytes())?;
    out.sync_all()?;
    Ok(pair.public_key())
}
