//! The token that clients authenticate with.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Minimum length; a shorter token can be guessed.
const LENGTH_MIN: usize = 16;
/// Prefix of the token in the digest that is the session cookie: a stolen cookie does not reveal
/// the token.
const COOKIE_OF: &[u8] = b"aviator predictor login\n";

/// Why a token cannot be read from a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// The file could not be read.
    #[error("cannot read the token file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The text is too short, or has characters that a header cannot carry.
    #[error(
        "{0} holds no token: one line of at least {LENGTH_MIN} printable characters without spaces, \
         such as the output of `head -c 24 /dev/urandom | base64`"
    )]
    Unfit(PathBuf),
}

/// A token, stored as digests.
#[derive(Clone)]
pub(crate) struct Token {
    digest: [u8; 32],
    cookie: String,
}

impl Token {
    /// Reads a token from a file, without surrounding blanks.
    pub(crate) fn read(path: &Path) -> Result<Self, TokenError> {
        let text = fs::read_to_string(path)
            .map_err(|source| TokenError::Unreadable { path: path.to_owned(), source })?;
        Self::of(text.trim()).ok_or_else(|| TokenError::Unfit(path.to_owned()))
    }

    fn of(text: &str) -> Option<Self> {
        let is_fit = text.len() >= LENGTH_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_fit.then(|| {
            let digest = Sha256::new().chain_update(COOKIE_OF).chain_update(text).finalize();
            let mut cookie = String::new();
            for byte in digest {
                write!(cookie, "{byte:02x}").expect("writing to a string cannot fail");
            }
            Self { digest: sha256(text), cookie }
        })
    }

    /// Returns whether `offered` is the token, in constant time.
    pub(crate) fn is(&self, offered: &str) -> bool {
        sha256(offered).ct_eq(&self.digest).into()
    }

    /// Returns whether `offered` is the session cookie of the token.
    pub(crate) fn is_cookie(&self, offered: &str) -> bool {
        offered.as_bytes().ct_eq(self.cookie.as_bytes()).into()
    }

    /// Returns the value of the session cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Token, TokenError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Token::read(file.path())
    }

    #[test]
    fn only_the_token_itself_is_the_token() {
        let token = read("  correct-horse-battery\n").unwrap();
        assert!(token.is("correct-horse-battery"));
        for other in ["", "correct-horse-batter", "correct-horse-battery ", token.cookie()] {
            assert!(!token.is(other), "{other:?}");
        }
        assert!(token.is_cookie(token.cookie()) && !token.is_cookie("correct-horse-battery"));
    }

    #[test]
    fn sixteen_characters_are_enough() {
        assert!(read("sixteen-signs-16").unwrap().is("sixteen-signs-16"));
    }

    /// An upgrade must not end sessions, so the digest is fixed:
    /// `printf 'aviator predictor login\nTOKEN' | sha256sum`.
    #[test]
    fn the_cookie_is_a_digest_in_hexadecimal() {
        let cookie = read("correct-horse-battery").unwrap().cookie().to_owned();
        assert_eq!(cookie, "985f9e67f8be2aa5a57c62574e51d1ef41c1d8f4c43dc0072423a821e93be830");
    }

    #[test]
    fn another_token_has_another_cookie_and_neither_shows_the_token() {
        let (a, b) =
            (read("correct-horse-battery").unwrap(), read("correct-horse-batterz").unwrap());
        assert_ne!(a.cookie(), b.cookie());
        assert!(!a.cookie().contains("horse"));
        assert_eq!(format!("{a:?}"), "Token");
    }

    #[test]
    fn a_text_that_is_short_or_cannot_be_sent_is_refused() {
        for text in
            ["", "short", "fifteen-signs-1", "two words of some length", "drei\u{e4}hnundzwanzig"]
        {
            assert!(matches!(read(text), Err(TokenError::Unfit(_))), "{text:?}");
        }
        let missing = Token::read(Path::new("/no/such/token"));
        assert!(matches!(missing, Err(TokenError::Unreadable { .. })));
    }
}
