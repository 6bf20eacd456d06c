//! The path prefix that a proxy leaves on every request.
//!
//! All addresses of the page are relative, so a proxy that takes its prefix off needs nothing from
//! us. One that leaves it on is served too when `--base-path` names it.

/// Nothing, or `/…` without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BasePath(String);

impl BasePath {
    /// Takes `/aviator`, `/aviator/`, `/` and nothing; for anything else there is nothing.
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

    /// What stands in front of every path.
    pub(crate) fn prefix(&self) -> &str {
        &self.0
    }

    /// The path behind it; nothing where it does not stand in front.
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
    fn only_whole_segments_are_taken_off() {
        let base = BasePath::parse("/aviator").unwrap();
        assert_eq!(base.rest("/aviator"), Some(""));
        assert_eq!(base.rest("/aviator/"), Some("/"));
        assert_eq!(base.rest("/aviator/api/status"), Some("/api/status"));
        assert_eq!(base.rest("/aviators/api"), None);
        assert_eq!(base.rest("/api/status"), None);
        assert_eq!(BasePath::parse("/").unwrap().rest("/api"), None);
    }
}
