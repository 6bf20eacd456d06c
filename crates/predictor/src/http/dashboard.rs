//! The dashboard, embedded in the program: the browser receives the files of `src/web` byte for byte,
//! under `/assets/`.

use actix_web::http::header::{self, CacheControl, CacheDirective, ETag, EntityTag, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{Embed, EmbeddedFile};

use super::etag::knows;

/// A debug build reads these files for every request, so a change needs no build.
#[derive(Embed)]
#[folder = "src/web"]
struct Assets;

/// Adds `/` and its files, all below one path, so that any prefix of a proxy works.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").get(page).head(page))
        .service(web::resource("/favicon.ico").get(icon).head(icon))
        .service(web::resource("/assets/{path:.+}").get(asset).head(asset));
}

async fn page(request: HttpRequest) -> HttpResponse {
    serve(&request, "index.html")
}

/// Serves the icon at the root, where a browser looks for it when it shows another page than the
/// dashboard, such as `/api/status`.
async fn icon(request: HttpRequest) -> HttpResponse {
    serve(&request, "favicon.svg")
}

async fn asset(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    serve(&request, &path)
}

/// Serves an embedded file. File names have no version, so the browser asks each time and mostly
/// gets 304.
fn serve(request: &HttpRequest, path: &str) -> HttpResponse {
    let Some(file) = Assets::get(path) else {
        return HttpResponse::NotFound().finish();
    };
    let tag = entity_tag(&file);
    let mut response =
        if knows(request, &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header(ETag(tag.clone()))
        .insert_header(CacheControl(vec![CacheDirective::NoCache]));
    if knows(request, &tag) {
        return response.finish();
    }
    response.insert_header((header::CONTENT_TYPE, content_type(&file))).body(file.data)
}

/// Returns a weak tag, because the same file is sent with and without compression.
fn entity_tag(file: &EmbeddedFile) -> EntityTag {
    let hash = file.metadata.sha256_hash();
    let start = hash.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    EntityTag::new_weak(format!("{start:032x}"))
}

fn content_type(file: &EmbeddedFile) -> HeaderValue {
    let kind = file.metadata.mimetype();
    let text = if kind.starts_with("text/") || kind == "image/svg+xml" {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::dev::ServiceResponse;
    use actix_web::{App, test as client};

    use super::*;

    async fn ask(request: client::TestRequest) -> ServiceResponse {
        let app = client::init_service(App::new().configure(routes)).await;
        client::call_service(&app, request.to_request()).await
    }

    fn header_of(response: &ServiceResponse, name: header::HeaderName) -> String {
        response.headers().get(name).unwrap().to_str().unwrap().to_owned()
    }

    fn text_of(path: &str) -> String {
        String::from_utf8(Assets::get(path).unwrap().data.into_owned()).unwrap()
    }

    #[actix_web::test]
    async fn the_page_and_its_files_come_with_their_types() {
        for (path, kind) in [
            ("/", "text/html; charset=utf-8"),
            ("/favicon.ico", "image/svg+xml; charset=utf-8"),
            ("/assets/js/app.js", "text/javascript; charset=utf-8"),
            ("/assets/style/layout.css", "text/css; charset=utf-8"),
            ("/assets/vendor/uplot/uPlot.iife.min.js", "text/javascript; charset=utf-8"),
        ] {
            let response = ask(client::TestRequest::get().uri(path)).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(header_of(&response, header::CONTENT_TYPE), kind, "{path}");
            assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache", "{path}");
        }
    }

    #[actix_web::test]
    async fn a_browser_that_has_a_file_gets_304() {
        let first = ask(client::TestRequest::get().uri("/assets/js/app.js")).await;
        let tag = header_of(&first, header::ETAG);
        for known in [tag.as_str(), "*", &format!("\"other\", {tag}")] {
            let request = client::TestRequest::get()
                .uri("/assets/js/app.js")
                .insert_header((header::IF_NONE_MATCH, known));
            let again = ask(request).await;
            assert_eq!(again.status(), 304, "{known}");
            assert!(client::read_body(again).await.is_empty());
        }
        let changed = client::TestRequest::get()
            .uri("/assets/js/app.js")
            .insert_header((header::IF_NONE_MATCH, "W/\"other\""));
        assert_eq!(ask(changed).await.status(), 200);
    }

    #[actix_web::test]
    async fn head_requests_are_answered() {
        let response =
            ask(client::TestRequest::with_uri("/").method(actix_web::http::Method::HEAD)).await;
        assert_eq!(response.status(), 200);
        assert!(response.headers().contains_key(header::ETAG));
    }

    #[actix_web::test]
    async fn nothing_outside_the_embedded_files_is_served() {
        for path in
            ["/assets/nothing.js", "/assets/../http.rs", "/assets/%2e%2e/http.rs", "/assets/js"]
        {
            assert_eq!(ask(client::TestRequest::get().uri(path)).await.status(), 404, "{path}");
        }
    }

    /// The content security policy forbids inline scripts and styles, and a reverse proxy may add
    /// any prefix.
    #[test]
    fn the_page_has_relative_addresses_and_nothing_inline() {
        let page = text_of("index.html");
        for forbidden in
            [" style=", "<style", " onclick=", "href=\"/", "src=\"/", "http://", "https://"]
        {
            assert!(!page.contains(forbidden), "index.html has {forbidden:?}");
        }
        for (at, _) in page.match_indices("<script") {
            assert!(page[at..].split('>').next().unwrap().contains(" src="), "an inline script");
        }
    }

    #[test]
    fn every_string_of_the_page_exists_in_every_language() {
        let keys = |path: &str| -> BTreeSet<String> {
            let text = text_of(path);
            let names = text.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(':'));
            let keys = names.map(|(key, _)| key.to_owned());
            keys.filter(|key| key.chars().all(|c| c.is_alphanumeric() || c == '_')).collect()
        };
        let english = keys("js/strings/en.js");
        for path in Assets::iter().filter(|path| path.starts_with("js/strings/")) {
            assert_eq!(keys(&path), english, "{path}");
        }
        let page = text_of("index.html");
        for attribute in ["data-i18n=\"", "data-i18n-title=\"", "data-i18n-label=\""] {
            for (at, _) in page.match_indices(attribute) {
                let key = page[at + attribute.len()..].split('"').next().unwrap();
                assert!(english.contains(key), "the page asks for {key:?}");
            }
        }
        for path in Assets::iter().filter(|path| path.starts_with("js/")) {
            let text = text_of(&path);
            let is_name = |c: char| c.is_alphanumeric() || c == '.';
            let calls =
                text.match_indices("t(\"").filter(|(at, _)| !text[..*at].ends_with(is_name));
            for (at, _) in calls {
                let key = text[at + 3..].split('"').next().unwrap();
                assert!(english.contains(key), "{path} asks for {key:?}");
            }
        }
    }

    /// Without preloading, a browser finds each module only after loading the one that imports it,
    /// a round trip each.
    #[test]
    fn every_module_is_preloaded_by_the_page() {
        let page = text_of("index.html");
        let modules = Assets::iter().filter(|path| path.starts_with("js/"));
        for path in modules.filter(|path| !path.ends_with("/api_types.js")) {
            assert!(page.contains(&format!("=\"assets/{path}\"")), "{path}");
        }
    }

    /// A browser would report a missing module only at run time.
    #[test]
    fn every_import_names_a_file_that_exists() {
        for path in Assets::iter().filter(|path| path.starts_with("js/")) {
            let text = text_of(&path);
            for (at, _) in text.match_indices("from \"") {
                let name = text[at + 6..].split('"').next().unwrap();
                let folder = path.rsplit_once('/').unwrap().0;
                let file = match name.strip_prefix("../") {
                    Some(rest) => format!("{}/{rest}", folder.rsplit_once('/').unwrap().0),
                    None => format!("{folder}/{}", name.trim_start_matches("./")),
                };
                assert!(Assets::get(&file).is_some(), "{path} imports {name}");
            }
        }
    }
}
