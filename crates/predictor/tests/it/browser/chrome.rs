//! A headless Chromium, driven over `WebDriver`.
#![expect(clippy::panic, reason = "a step that fails says what the page showed instead")]

use std::io::{BufRead as _, BufReader};
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// Trainings take seconds on a busy machine; a page that needs longer than this is broken.
const WITHIN: Duration = Duration::from_mins(1);
const PACKAGES: &str = "the browser tests need a browser; install the packages `chromium` and \
                        `chromium-driver` (Debian), or any chromium and chromedriver in the PATH";

/// The window: of a desk, or of a phone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Screen {
    Desk,
    Phone,
}

/// One tab of its own browser.
pub(super) struct Tab {
    client: Client,
}

/// Opens a browser, does `steps`, and closes it, however they end.
pub(super) async fn with_tab(screen: Screen, steps: impl AsyncFnOnce(&Tab)) {
    let driver = Driver::start();
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(screen))
        .connect(&format!("http://127.0.0.1:{}", driver.port))
        .await
        .unwrap_or_else(|error| panic!("{error}\n{PACKAGES}"));
    let tab = Tab { client: client.clone() };
    let outcome = AssertUnwindSafe(steps(&tab)).catch_unwind().await;
    client.close().await.unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn capabilities(screen: Screen) -> Capabilities {
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--no-first-run", "--window-size=1280,1000", "--lang=en-US",
        ],
        "prefs": { "intl.accept_languages": "en-US" },
    });
    if matches!(screen, Screen::Phone) {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    let wanted =
        json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
    match wanted {
        Value::Object(wanted) => wanted,
        _ => unreachable!("an object was written above"),
    }
}

impl Tab {
    pub(super) async fn open(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    pub(super) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Waits until an element matches.
    pub(super) async fn sees(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(WITHIN).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}\n{}", self.page_text().await),
        }
    }

    /// Waits until the element with this id says `words`.
    pub(super) async fn reads(&self, id: &str, words: &str) {
        let path = format!("//*[@id='{id}' and contains(normalize-space(.), \"{words}\")]");
        let found = self.client.wait().at_most(WITHIN).for_element(Locator::XPath(&path)).await;
        if let Err(error) = found {
            panic!("#{id} does not say {words:?}: {error}\n{}", self.page_text().await);
        }
    }

    pub(super) async fn text(&self, id: &str) -> String {
        self.sees(&format!("#{id}")).await.text().await.unwrap()
    }

    pub(super) async fn click(&self, css: &str) {
        self.sees(css).await.click().await.unwrap();
    }

    /// Scrolls until the element is in the window.
    pub(super) async fn scroll_to(&self, id: &str) {
        self.value(&format!("document.getElementById('{id}').scrollIntoView()")).await;
    }

    /// The value of a script's expression.
    pub(super) async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return ({expression});"), Vec::new()).await.unwrap()
    }

    /// Runs a script in every document from now on, before the page's own.
    pub(super) async fn prepare(&self, script: &str) {
        let source = json!({ "source": script });
        self.client
            .issue_cmd(DevTools("Page.addScriptToEvaluateOnNewDocument", source))
            .await
            .unwrap();
    }

    /// Presses a key, wherever the focus is.
    pub(super) async fn press(&self, key: &str) {
        let mut keys = KeyActions::new("keys".to_owned());
        for value in key.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.unwrap();
    }

    pub(super) async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.client
            .issue_cmd(DevTools("Emulation.setDeviceMetricsOverride", metrics))
            .await
            .unwrap();
    }

    /// What a person has told the system, such as `prefers-reduced-motion`.
    pub(super) async fn prefers(&self, name: &str, value: &str) {
        let features = json!({ "features": [{ "name": name, "value": value }] });
        self.client.issue_cmd(DevTools("Emulation.setEmulatedMedia", features)).await.unwrap();
    }

    pub(super) async fn at_zone(&self, zone: &str) {
        let zone = json!({ "timezoneId": zone });
        self.client.issue_cmd(DevTools("Emulation.setTimezoneOverride", zone)).await.unwrap();
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What the console has said since the last call: errors, warnings and broken policies.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let entries = self.client.issue_cmd(Log).await.unwrap();
        let entries = entries.as_array().unwrap();
        entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Lets nothing through to addresses that match, such as `*/events*`.
    pub(super) async fn block(&self, pattern: &str) {
        self.client.issue_cmd(DevTools("Network.enable", json!({}))).await.unwrap();
        let blocked = json!({ "urls": [pattern] });
        self.client.issue_cmd(DevTools("Network.setBlockedURLs", blocked)).await.unwrap();
    }

    async fn page_text(&self) -> String {
        self.value("document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }
}

/// What the console said; chromedriver's own addition to the protocol.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// A command of the browser's own protocol; also an addition of chromedriver.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

/// The program between us and the browser, on a port that it chose.
struct Driver {
    process: Child,
    port: u16,
    /// Where it and its browsers keep what they need for a while; gone with it.
    _scratch: TempDir,
}

impl Driver {
    fn start() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", scratch.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}\n{PACKAGES}"));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("chromedriver names its port");
        Self { process, port, _scratch: scratch }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
