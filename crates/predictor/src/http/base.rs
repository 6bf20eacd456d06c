//! A path in front of everything, for a proxy that hands it on.
//!
//! All addresses of the page are relative, so a proxy that takes its prefix off needs nothing from
//! us. One that leaves it on is served too when `--base-path` names it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

/// Nothing, or `/…` without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
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
    fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.0).filter(|_| !self.0.is_empty())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

/// Takes the base path off. Requests without it are served as well: a proxy may have done so.
pub(crate) async fn strip(
    base: web::Data<Base>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match base.rest(request.path()) {
        None => {}
        Some("") => {
            let last = base.prefix().rsplit('/').next().unwrap_or_default();
            let slash = (header::LOCATION, format!("{last}/"));
            let moved = HttpResponse::PermanentRedirect().insert_header(slash).finish();
            return Ok(request.into_response(moved));
        }
        Some(rest) => {
            if let Some(uri) = with_path(request.uri(), rest) {
                request.match_info_mut().get_mut().update(&uri);
                request.head_mut().uri = uri;
            }
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_plain_path() {
        for (text, prefix) in [("", ""), ("/", ""), ("/aviator", "/aviator"), ("/a/b.c/", "/a/b.c")]
        {
            assert_eq!(Base::parse(text), Some(Base(prefix.to_owned())), "{text:?}");
        }
        for text in
            ["aviator", "//", "/a//b", "/..", "/a/../b", "/a b", "/a?b", "/%41", "http://x/"]
        {
            assert_eq!(Base::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_whole_segments_are_taken_off() {
        let base = Base::parse("/aviator").unwrap();
        assert_eq!(base.rest("/aviator"), Some(""));
        assert_eq!(base.rest("/aviator/"), Some("/"));
        assert_eq!(base.rest("/aviator/api/status"), Some("/api/status"));
        assert_eq!(base.rest("/aviators/api"), None);
        assert_eq!(base.rest("/api/status"), None);
        assert_eq!(Base::parse("/").unwrap().rest("/api"), None);
    }

    #[test]
    fn the_query_stays() {
        let uri: Uri = "/aviator/api/rounds?limit=2".parse().unwrap();
        assert_eq!(with_path(&uri, "/api/rounds").unwrap(), "/api/rounds?limit=2");
    }
}
