//! The `OpenAPI` description as plain HTML without scripts, readable in a text browser.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The whole page.
pub(super) fn page(document: &Value) -> String {
    let mut html = String::from(HEAD);
    let info = &document["info"];
    let title = text(&info["title"]);
    push(&mut html, format_args!("<h1>{title}: API</h1>\n<p>{}</p>\n", text(&info["summary"])));
    let description = text(&info["description"]);
    push(
        &mut html,
        format_args!("<p>{description} <a href=\"openapi.json\">openapi.json</a></p>\n"),
    );
    html.push_str("<nav><ul>\n");
    for (path, _) in entries(&document["paths"]) {
        push(&mut html, format_args!("<li><a href=\"#{}\">{path}</a></li>\n", anchor(path)));
    }
    html.push_str("</ul></nav>\n<main>\n");
    for (path, methods) in entries(&document["paths"]) {
        for (method, operation) in entries(methods).filter(|(method, _)| *method != "head") {
            push(&mut html, format_args!("<section id=\"{}\">\n", anchor(path)));
            push(&mut html, format_args!("<h2><b>{}</b> {path}</h2>\n", method.to_uppercase()));
            of_operation(&mut html, operation);
            html.push_str("</section>\n");
        }
    }
    html.push_str("<h2>Objects</h2>\n");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        of_schema(&mut html, name, schema);
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n<title>Aviator forecast: API</title>\n\
    <link rel=\"stylesheet\" href=\"docs.css\">\n</head>\n<body>\n";

fn of_operation(html: &mut String, operation: &Value) {
    push(html, format_args!("<p>{}</p>\n", text(&operation["summary"])));
    if operation["description"].is_string() {
        push(html, format_args!("<p>{}</p>\n", text(&operation["description"])));
    }
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        html.push_str("<table><caption>Parameters</caption>\n");
        for it in parameters {
            let (name, location) = (text(&it["name"]), text(&it["in"]));
            row(html, &[&name, &location, &kind(&it["schema"]), &text(&it["description"])]);
        }
        html.push_str("</table>\n");
    }
    html.push_str("<table><caption>Answers</caption>\n");
    for (status, answer) in entries(&operation["responses"]) {
        let reference = answer["$ref"].as_str().map(last).unwrap_or_default();
        let description = text(&answer["description"]);
        let content = entries(&answer["content"]).next();
        let content =
            content.map(|(media, it)| format!("{} {}", escape(media), kind(&it["schema"])));
        let what = if reference.is_empty() { description } else { escape(reference) };
        row(html, &[&escape(status), &what, &content.unwrap_or_default()]);
    }
    html.push_str("</table>\n");
}

fn of_schema(html: &mut String, name: &str, schema: &Value) {
    push(html, format_args!("<section id=\"{name}\">\n<h3>{name}</h3>\n"));
    push(html, format_args!("<p>{}</p>\n<table>\n", text(&schema["description"])));
    for (key, it) in entries(&schema["properties"]) {
        row(
            html,
            &[&format!("<code>{}</code>", escape(key)), &kind(it), &text(&it["description"])],
        );
    }
    html.push_str("</table>\n</section>\n");
}

/// Describes the type of a schema.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().map(last) {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(any) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(fixed) = schema.get("const") {
        return escape(&fixed.to_string());
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|it| escape(&it.to_string())).collect::<Vec<_>>().join(", ");
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut names: Vec<String> = types.iter().map(|&it| it.to_owned()).collect();
    if names.first().is_some_and(|it| it == "array") {
        names[0] = format!("list of {}", kind(&schema["items"]));
    }
    if names.first().is_some_and(|it| it == "object") && schema["properties"].is_object() {
        let keys = entries(&schema["properties"]);
        let keys: Vec<String> =
            keys.map(|(key, it)| format!("<code>{}</code> {}", escape(key), kind(it))).collect();
        names[0] = format!("object of {}", keys.join(", "));
    }
    names.join(" or ")
}

fn row(html: &mut String, cells: &[&str]) {
    html.push_str("<tr>");
    for cell in cells {
        push(html, format_args!("<td>{cell}</td>"));
    }
    html.push_str("</tr>\n");
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE).iter().map(|(key, it)| (key.as_str(), it))
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

fn anchor(path: &str) -> String {
    path.trim_matches('/').replace(['/', '.'], "-")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn push(html: &mut String, what: std::fmt::Arguments<'_>) {
    html.write_fmt(what).expect("a text can be written to");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_and_every_object_is_on_the_page_and_every_link_leads_somewhere() {
        let document: Value = serde_json::from_str(super::super::DOCUMENT).unwrap();
        let page = page(&document);
        for (path, _) in entries(&document["paths"]) {
            assert!(page.contains(&format!("id=\"{}\"", anchor(path))), "{path}");
        }
        for (at, _) in page.match_indices("href=\"#") {
            let name = page[at + 7..].split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        }
    }

    /// The content security policy forbids inline scripts and styles.
    #[test]
    fn nothing_is_inline() {
        let page = page(&serde_json::from_str(super::super::DOCUMENT).unwrap());
        for forbidden in ["<script", "<style", " style=", "http://", "https://"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn text_is_text() {
        let document = serde_json::json!({ "info": { "title": "<b>&\"" }, "paths": {} });
        assert!(page(&document).contains("<h1>&lt;b&gt;&amp;&quot;: API</h1>"));
    }
}
