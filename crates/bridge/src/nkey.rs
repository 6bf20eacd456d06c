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

/// Returns whether every user of this machine can read a file.
#[cfg(unix)]
pub fn is_readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.mode() & 0o004 != 0)
}

/// Returns false: other systems have no such permission bits.
#[cfg(not(unix))]
pub fn is_readable_by_others(_: &Path) -> bool {
    false
}
