//! Settings that may hold a token, given in the configuration or by reference.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use rounds::referenced_text;
use serde::{Deserialize, Serialize};

/// Maximum size of a secret's file in bytes.
const FILE_BYTES_MAX: u64 = 65_536;

/// A text that is never shown: given directly, as `env:NAME` for an environment variable, or as `file:PATH` for a
/// file's content.
#[derive(Serialize, Deserialize, Clone, Default, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret text without a trailing line feed.
    ///
    /// # Errors
    ///
    /// The variable is not set or the file cannot be read; the error names it, never its content.
    pub fn reveal(&self) -> Result<String, String> {
        match referenced_text(&self.0, FILE_BYTES_MAX) {
            Some(text) => Ok(text?.trim_end_matches(['\r', '\n']).to_owned()),
            None => Ok(self.0.clone()),
        }
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once(':') {
            Some((place @ ("env" | "file"), _)) => write!(f, "Secret({place}:…)"),
            _ => f.write_str("Secret(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    fn secret(text: &str) -> Secret {
        let Ok(secret) = text.parse();
        secret
    }

    #[test]
    fn a_secret_is_given_directly_or_in_a_file() {
        assert_eq!(secret("Bearer abc").reveal().unwrap(), "Bearer abc");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "Bearer from a file\r\n").unwrap();
        let named = secret(&format!("file:{}", path.display()));
        assert_eq!(named.reveal().unwrap(), "Bearer from a file");
        fs::write(&path, vec![b'x'; 65_537]).unwrap();
        assert!(named.reveal().unwrap_err().contains("longer than 65536 bytes"));
    }

    #[test]
    fn a_secret_is_read_from_the_environment() {
        // A variable that is always set.
        assert_eq!(
            secret("env:PATH").reveal(),
            env::var("PATH").map_err(|error| error.to_string())
        );
        let error = secret("env:NO_SUCH_VARIABLE_IS_SET").reveal().unwrap_err();
        assert_eq!(
            error,
            "the environment variable NO_SUCH_VARIABLE_IS_SET is not set or is not valid Unicode"
        );
    }

    #[test]
    fn a_missing_file_is_reported_by_name() {
        let error = secret("file:/no/such/token").reveal().unwrap_err();
        assert!(error.starts_with("/no/such/token: "), "{error}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", secret("Bearer abc")), "Secret(…)");
        assert_eq!(format!("{:?}", secret("env:TOKEN")), "Secret(env:…)");
    }
}
