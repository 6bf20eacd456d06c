//! Where a secret is kept, `file:PATH` or `env:NAME`: settings never hold the secret itself.

use std::convert::Infallible;
use std::path::Path;
use std::str::FromStr;
use std::{env, fmt, fs};

use serde::{Deserialize, Serialize, Serializer};

/// A secret is a line.
const FILE_BYTES_MAX: u64 = 4096;

/// Where a secret is kept: `file:PATH` or `env:NAME`. Never the secret itself, so a place may be shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(String);

impl SecretRef {
    /// Whether it names a place; if not, it may be a secret and is shown to nobody.
    pub(crate) fn is_place(&self) -> bool {
        self.0.starts_with("env:") || self.0.starts_with("file:")
    }

    /// What is kept there, without the line feed at its end.
    ///
    /// # Errors
    /// When nothing is there; names the place, never what is in it.
    pub(crate) fn reveal(&self) -> Result<String, String> {
        if let Some(name) = self.0.strip_prefix("env:") {
            return env::var(name)
                .map_err(|_| format!("the environment variable {name} is not set, or not text"));
        }
        let path = Path::new(self.0.strip_prefix("file:").ok_or("names no place")?);
        let shown = path.display();
        let metadata = fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
        if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
            return Err(format!("{shown} is not a file of at most 4 KiB"));
        }
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        Ok(text.trim().to_owned())
    }
}

impl FromStr for SecretRef {
    type Err = Infallible;

    /// Takes anything: a complaint of the command line would repeat what it was given, and that may be a secret.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_place() { &self.0 } else { "(not shown)" })
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> SecretRef {
        let Ok(place) = text.parse();
        place
    }

    #[test]
    fn a_secret_is_in_a_file_or_in_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hook");
        fs::write(&path, "https://example.com/x\r\n").unwrap();
        let there = place(&format!("file:{}", path.display()));
        assert_eq!(there.reveal().unwrap(), "https://example.com/x");
        fs::write(&path, [b'x'; 5000]).unwrap();
        assert!(there.reveal().unwrap_err().contains("4 KiB"));
        // One that is set everywhere.
        assert_eq!(
            place("env:PATH").reveal().ok(),
            env::var("PATH").ok().map(|it| it.trim().to_owned())
        );
        assert!(place("env:NO_SUCH_VARIABLE_IS_SET").reveal().is_err());
        assert!(place("file:/no/such/hook").reveal().unwrap_err().starts_with("/no/such/hook: "));
    }

    #[test]
    fn what_is_no_place_is_not_shown() {
        let secret = place("https://example.com/secret");
        assert!(!secret.is_place());
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("example"), "{shown}");
        assert!(!secret.reveal().unwrap_err().contains("example"));
        assert_eq!(place("env:HOOK").to_string(), "env:HOOK");
    }
}
