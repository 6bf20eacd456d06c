//! References to secrets, `file:PATH` or `env:NAME`: settings never hold the secret itself.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use rounds::referenced_text;
use serde::{Deserialize, Serialize, Serializer};

/// Maximum length of a file with a secret, which is one line.
const FILE_BYTES_MAX: u64 = 4096;

/// A reference to a secret, `file:PATH` or `env:NAME`. It never holds the secret itself, so it may be shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(String);

impl SecretRef {
    /// Returns whether it is a reference; anything else may be a secret and is never shown.
    pub(crate) fn is_reference(&self) -> bool {
        self.0.starts_with("env:") || self.0.starts_with("file:")
    }

    /// Returns the secret, without surrounding blanks.
    ///
    /// # Errors
    /// The secret cannot be read; the message names the reference, never the contents.
    pub(crate) fn reveal(&self) -> Result<String, String> {
        let text =
            referenced_text(&self.0, FILE_BYTES_MAX).ok_or("not a reference to a secret")??;
        Ok(text.trim().to_owned())
    }
}

impl FromStr for SecretRef {
    type Err = Infallible;

    /// Accepts any text: clap repeats a refused value in its error, and the value may be a secret.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_reference() { &self.0 } else { "(not shown)" })
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
    use std::{env, fs};

    use super::*;

    fn reference(text: &str) -> SecretRef {
        let Ok(reference) = text.parse();
        reference
    }

    #[test]
    fn a_secret_is_in_a_file_or_in_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hook");
        fs::write(&path, "https://example.com/x\r\n").unwrap();
        let there = reference(&format!("file:{}", path.display()));
        assert_eq!(there.reveal().unwrap(), "https://example.com/x");
        fs::write(&path, [b'x'; 5000]).unwrap();
        assert!(there.reveal().unwrap_err().contains("longer than 4096 bytes"));
        // A variable that is set on every machine.
        assert_eq!(
            reference("env:PATH").reveal().ok(),
            env::var("PATH").ok().map(|it| it.trim().to_owned())
        );
        assert!(reference("env:NO_SUCH_VARIABLE_IS_SET").reveal().is_err());
        assert!(
            reference("file:/no/such/hook").reveal().unwrap_err().starts_with("/no/such/hook: ")
        );
    }

    #[test]
    fn text_that_is_not_a_reference_is_not_shown() {
        let secret = reference("https://example.com/secret");
        assert!(!secret.is_reference());
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("example"), "{shown}");
        assert!(!secret.reveal().unwrap_err().contains("example"));
        assert_eq!(reference("env:HOOK").to_string(), "env:HOOK");
    }
}
