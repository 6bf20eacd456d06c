//! The token that clients authenticate with.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use data_encoding::HEXLOWER;
use rounds::{grants, read_limited};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Largest size of a token file.
const BYTES_MAX: u64 = 1 << 16;
/// How soon a changed file is noticed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
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
        source: io::Error,
    },
    /// The text is too short, or has characters that a header cannot carry.
    #[error(
        "{0} holds no token: one line of at least {LENGTH_MIN} printable characters without spaces, \
         such as the output of `head -c 24 /dev/urandom | base64`"
    )]
    Unfit(PathBuf),
}

/// A token file, read again when it changes: a leaked token is replaced without a restart.
#[derive(Debug, Clone)]
pub(crate) struct TokenFile {
    path: PathBuf,
    state: Arc<Mutex<FileState>>,
}

#[derive(Debug)]
struct FileState {
    token: Arc<Token>,
    stamp: Option<Stamp>,
    checked: Instant,
}

/// What tells one state of the file from another.
type Stamp = (u64, SystemTime);

impl TokenFile {
    /// Reads the file; warns if other users can read it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, TokenError> {
        let stamp = stamp(&path);
        let token = Arc::new(Token::read(&path)?);
        if is_exposed(&path) {
            let path = path.display();
            tracing::warn!(%path, "Other users can read the token file: chmod 600.");
        }
        let state = FileState { token, stamp, checked: Instant::now() };
        Ok(Self { path, state: Arc::new(Mutex::new(state)) })
    }

    /// Returns the token that the file holds now, looking at most once a second. The last token stays while the file is
    /// away or holds none.
    pub(crate) fn current(&self) -> Arc<Token> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.checked.elapsed() >= CHECK_INTERVAL {
            state.checked = Instant::now();
            self.refresh(&mut state);
        }
        Arc::clone(&state.token)
    }

    fn refresh(&self, state: &mut FileState) {
        let stamp = stamp(&self.path);
        if stamp == state.stamp {
            return;
        }
        state.stamp = stamp;
        match Token::read(&self.path) {
            Ok(token) => {
                state.token = Arc::new(token);
                tracing::info!("The token file has changed; earlier sessions are over.");
            }
            Err(error) => tracing::warn!(%error, "The earlier token stays in use."),
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Returns whether other users of this machine can read the file.
pub(crate) fn is_exposed(path: &Path) -> bool {
    grants(path, 0o077)
}

/// A token, stored as digests.
pub(crate) struct Token {
    digest: [u8; 32],
    cookie: String,
}

impl Token {
    /// Reads a token from a file, without surrounding blanks.
    pub(crate) fn read(path: &Path) -> Result<Self, TokenError> {
        let text = File::open(path)
            .and_then(|file| read_limited(file, BYTES_MAX))
            .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
            .map_err(|source| TokenError::Unreadable { path: path.to_owned(), source })?;
        Self::of(text.trim()).ok_or_else(|| TokenError::Unfit(path.to_owned()))
    }

    fn of(text: &str) -> Option<Self> {
        let is_fit = text.len() >= LENGTH_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_fit.then(|| {
            let digest = Sha256::new().chain_update(COOKIE_OF).chain_update(text).finalize();
            Self { digest: sha256(text), cookie: HEXLOWER.encode(&digest) }
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
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Token, TokenError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Token::read(file.path())
    }

    #[test]
    fn a_changed_file_replaces_the_token_and_a_missing_one_leaves_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "a-token-of-many-letters").unwrap();
        let file = TokenFile::open(path.clone()).unwrap();
        let look = || {
            let mut state = file.state.lock().unwrap();
            file.refresh(&mut state);
            Arc::clone(&state.token)
        };
        let before = look();
        assert!(before.is("a-token-of-many-letters"));
        fs::write(&path, "another-token-of-more-letters").unwrap();
        let after = look();
        assert!(after.is("another-token-of-more-letters") && !after.is_cookie(before.cookie()));
        fs::remove_file(&path).unwrap();
        assert!(look().is("another-token-of-more-letters"));
        fs::write(&path, "short").unwrap();
        assert!(look().is("another-token-of-more-letters"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(file.path()), exposed, "{mode:o}");
        }
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
