use super::*;

fn feed(options: &FeedOptions) -> Result<Feed, String> {
    Feed::new(options, Order::NewestFirst, &["ws", "wss"]).map_err(|error| error.to_string())
}

fn options(toml: &str) -> FeedOptions {
    toml::from_str(toml).unwrap()
}

#[test]
fn omitted_settings_have_defaults() {
    let feed = feed(&options("url = 'wss://feed.example/'")).unwrap();
    assert_eq!(feed.timeout, TIMEOUT_DEFAULT);
    assert_eq!(feed.bytes_max, BYTES_MAX_DEFAULT);
    assert!(feed.authorities.is_empty() && feed.rules.is_empty());
}

#[track_caller]
fn refused(toml: &str, expected: &str) {
    assert_eq!(
        feed(&options(&format!("url = 'wss://feed.example/'\n{toml}"))).unwrap_err(),
        expected
    );
}

#[test]
fn each_unusable_setting_is_reported_by_name() {
    refused("timeout = '0s'", "--timeout: must be from 100ms to 5m");
    refused("timeout = '1h'", "--timeout: must be from 100ms to 5m");
    refused("max_message_bytes = 10", "feed.max_message_bytes: must be from 1024 to 67108864");
    refused("[headers]\nHost = 'x'", "feed.headers.Host: is set by the protocol; leave it out");
    refused(&"[[rounds]]\nvalue = ''\n".repeat(17), "feed.rounds: has more than 16 rules");
    refused(
        "[[rounds]]\nvalue = ''\n[[rounds]]\nvalue = ''\norder = 'oldest-first'",
        "feed.rounds[1].order: orders a list: give `list`, or leave it out",
    );
    assert!(feed(&options("")).unwrap_err().starts_with("--url: is missing"));
}

#[test]
fn a_certificate_file_must_hold_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let name = path.display();
    let line = format!("ca_file = '{name}'");
    let error = feed(&options(&line)).unwrap_err();
    assert!(error.starts_with(&format!("--ca-file: {name}: ")), "{error}");
    std::fs::write(&path, "hello").unwrap();
    refused(
        &line,
        &format!("--ca-file: {name}: has no certificate in PEM form (-----BEGIN CERTIFICATE-----)"),
    );
}

/// Flags and file are merged as JSON.
#[test]
fn options_survive_a_round_trip_through_json() {
    let options = options(
        "url = 'env:FEED_URL'\ntimeout = '1500ms'\nheaders = { Origin = 'https://a.example' }
        [[rounds]]
        event = 'crash'
        value = '/1'
        scale = 0.01
        below_one = 'count-as-one'
        filters = [{ pointer = '/a', equals = 1 }, { pointer = '/b', exists = false }]
        when_null = { event = 'tick', otherwise = 1.0 }
        detail = { hash = '/2' }",
    );
    let json = serde_json::to_value(&options).unwrap();
    assert_eq!(serde_json::from_value::<FeedOptions>(json).unwrap(), options);
}
