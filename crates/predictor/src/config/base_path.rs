//! The path prefix that a proxy leaves on every request.
//!
//! All addresses of the page are relative, so a proxy that strips its prefix needs no setting. A
//! prefix that the proxy leaves on every request is set with `--base-path`.

/// A path prefix: empty, or `/…` without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BasePath(String);

impl BasePath {
    /// Parses a prefix such as `/aviator`, `/aviator/`, `/` or an empty text; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = text.strip_suffix('/').unwrap_or(text);
        let is_segment = |part: &str| {
            let is_plain = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
            };
            !matches!(part, "" | "." | "..") && part.bytes().all(is_plain)
        };
        let is_fit = match plain.strip_prefix('/') {
            None => plain.is_empty(),
            Some(rest) => rest.split('/').all(is_segment),
        };
        is_fit.then(|| Self(plain.to_owned()))
    }

    /// Returns the prefix.
    pub(crate) fn prefix(&self) -> &str {
        &self.0
    }

    /// Returns `path` without the prefix; `None` if the prefix is empty or `path` does not start with it.
    pub(crate) fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.0).filter(|_| !self.0.is_empty())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_plain_path() {
        for (text, prefix) in [("", ""), ("/", ""), ("/aviator", "/aviator"), ("/a/b.c/", "/a/b.c")]
        {
            assert_eq!(BasePath::parse(text), Some(BasePath(prefix.to_owned())), "{text:?}");
        }
        for text in
            ["aviator", "//", "/a//b", "/..", "/a/../b", "/a b", "/a?b", "/%41", "http://x/"]
        {
            assert_eq!(BasePath::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_whole_segments_are_stripped() {
        let base = BasePath::parse("/aviator").unwrap();
        assert_eq!(base.rest("/aviator"), Some(""));
        assert_eq!(base.rest("/aviator/"), Some("/"));
        assert_eq!(base.rest("/aviator/api/status"), Some("/api/status"));
        assert_eq!(base.rest("/aviators/api"), None);
        assert_eq!(base.rest("/api/status"), None);
        assert_eq!(BasePath::parse("/").unwrap().rest("/api"), None);
    }
}
