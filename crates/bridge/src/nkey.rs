//! Keys that a bridge shows the hub.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use nkeys::KeyPair;

/// Makes a key, writes its secret half to a new file that only its owner can read, and returns the public half, which goes
/// into the configuration of the hub.
///
/// # Errors
/// The file is there already, or the system refuses.
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

/// Whether others than the owner of a file can read it.
#[cfg(unix)]
pub fn is_readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.mode() & 0o004 != 0)
}

/// Not known here.
#[cfg(not(unix))]
pub fn is_readable_by_others(_: &Path) -> bool {
    false
}
