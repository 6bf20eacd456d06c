//! Where the bytes of a recording come from: a file, or bytes in memory.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// A recording that can be read from its start as often as needed.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name shown to the user and kept beside the rounds.
    pub name: String,
    bytes: Bytes,
}

#[derive(Debug, Clone)]
enum Bytes {
    File { path: PathBuf, length: u64 },
    Memory(Arc<[u8]>),
}

impl Source {
    /// Returns a source that reads a file.
    ///
    /// # Errors
    /// The file cannot be opened, or is a directory.
    pub fn file(path: &Path) -> io::Result<Self> {
        let metadata = File::open(path)?.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        let name = path.display().to_string();
        Ok(Self { name, bytes: Bytes::File { path: path.to_owned(), length: metadata.len() } })
    }

    /// Returns a source of bytes in memory.
    pub fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes: Bytes::Memory(bytes.into()) }
    }

    /// Returns the length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "an empty source is refused with its reason")]
    pub fn len(&self) -> u64 {
        match &self.bytes {
            Bytes::File { length, .. } => *length,
            Bytes::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Returns a reader at the start of the source.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match &self.bytes {
            Bytes::File { path, .. } => Box::new(File::open(path)?),
            Bytes::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }

    /// Returns all bytes; for containers that cannot be read in one pass.
    pub(crate) fn read_all(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns the SHA-256 of the bytes, in hexadecimal digits.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn digest(&self) -> io::Result<String> {
        let mut hasher = Sha256::new();
        let mut reader = self.open()?;
        let mut chunk = vec![0; 1 << 16];
        loop {
            let count = reader.read(&mut chunk)?;
            if count == 0 {
                return Ok(data_encoding::HEXLOWER.encode(&hasher.finalize()));
            }
            hasher.update(&chunk[..count]);
        }
    }
}
