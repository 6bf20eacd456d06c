//! The application as the program runs it, on its own port, driven by HTTP and files alone.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use features::FeatureRow;
use forecasting::dataset::DatasetSnapshot;
use forecasting::ensemble::{OutOfSample, PointErrors};
use forecasting::forecast::{Forecaster, Means};
use forecasting::learner::{Learned, Learner, Member};
use forecasting::models::{FitError, Progress};
use predictor::Application;
use predictor::config::{Config, Watch};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const GIVE_UP_AFTER: Duration = Duration::from_mins(1);

/// A running predictor; it is stopped when dropped.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    stop: CancellationToken,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl TestApp {
    /// Starts one with a learner that is done at once.
    pub(crate) fn start(config: Config) -> Self {
        Self::with_learner(config, Box::new(Steady))
    }

    pub(crate) fn with_learner(config: Config, learner: Box<dyn Learner>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let app = Application::with_learner(&config, learner)?;
                tell.send(app.address()).unwrap();
                app.run_until(stopped.cancelled_owned()).await
            })
        });
        let address = told.recv().unwrap();
        Self { address, client: Client::new(), stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn ask(&self, method: Method, path: &str) -> Response {
        self.client.request(method, self.url(path)).send().await.unwrap()
    }

    /// A `GET` that succeeds, as JSON.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path).await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    pub(crate) async fn status(&self) -> Value {
        self.get("/api/status").await
    }

    /// Has the directory looked at, and gives the status after that.
    pub(crate) async fn look(&self) -> Value {
        drop(self.ask(Method::GET, "/api/load_csv").await);
        self.status().await
    }

    pub(crate) async fn train(&self) -> Response {
        self.ask(Method::POST, "/api/train").await
    }

    pub(crate) async fn events(&self) -> Events {
        let response = self.ask(Method::GET, "/api/events").await;
        let mut events = Events { response, text: String::new() };
        assert_eq!(events.next().await.unwrap().0, "ready");
        events
    }

    /// Stops it and says how it ended.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// An open event stream.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    /// The next event and its data; nothing when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(event) = self.take() {
                return Some(event);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event among what has arrived; comments are passed over.
    fn take(&mut self) -> Option<(String, Value)> {
        loop {
            let end = self.text.find("\n\n")? + 2;
            let block: String = self.text.drain(..end).collect();
            if let Some(event) = parsed(&block) {
                return Some(event);
            }
        }
    }

    /// Waits for an event of this kind that satisfies the claim.
    pub(crate) async fn wait_for(&mut self, event: &str, claim: impl Fn(&Value) -> bool) -> Value {
        loop {
            // Only so that a test that would wait for ever fails instead.
            let next = tokio::time::timeout(GIVE_UP_AFTER, self.next()).await;
            let (kind, data) = next.expect("the event comes").expect("the stream goes on");
            if kind == event && claim(&data) {
                return data;
            }
        }
    }

    pub(crate) async fn training_ended(&mut self) {
        self.wait_for("training", |data| data["what"] == "ended").await;
    }
}

/// Nothing for a comment.
fn parsed(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data:")?).unwrap();
    Some((field("event:")?.trim().to_owned(), data))
}

/// A directory of CSV files.
pub(crate) struct Data {
    pub(crate) dir: TempDir,
}

pub(crate) const FILE: &str = "aviator_payouts_20260101_000000.csv";

impl Data {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With so many rounds in one file.
    pub(crate) fn with_rounds(count: u64) -> Self {
        let data = Self::empty();
        data.write(FILE, "timestamp,multiplier\n");
        data.append(FILE, 0..count);
        data
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), content).unwrap();
    }

    /// Adds rounds, each a second after the one before.
    pub(crate) fn append(&self, name: &str, numbers: std::ops::Range<u64>) {
        let rows: String = numbers.map(row).collect();
        self.append_text(name, &rows);
    }

    pub(crate) fn append_text(&self, name: &str, text: &str) {
        append_text(&self.file(name), text);
    }

    pub(crate) fn config(&self) -> Config {
        config(self.path())
    }

    /// The same, where nothing is trained until it is asked for.
    pub(crate) fn manual(&self) -> Config {
        Config { auto_train_enabled: false, ..self.config() }
    }

    pub(crate) fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file(".predictor/forecasts.jsonl"));
        let lines = text.unwrap_or_default();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn append_text(path: &Path, text: &str) {
    let mut file: File = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// For a directory, on any port, without notifications: what happens is asked for.
pub(crate) fn config(dir: &Path) -> Config {
    Config {
        data_dir: dir.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: Watch::Scan,
        ..Config::default()
    }
}

/// Round `number`, some seconds after the start of 2026; multipliers from 1.00 to 10.89.
pub(crate) fn row(number: u64) -> String {
    let time = chrono::DateTime::from_timestamp(1_767_225_600 + i64::try_from(number).unwrap(), 0);
    let time = time.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let cents = 100 + (number * 379) % 990;
    format!("{time},{}.{:02}\n", cents / 100, cents % 100)
}

/// Is done at once, and says something that depends on the features.
#[derive(Debug)]
pub(crate) struct Steady;

#[derive(Debug)]
struct SteadyModel;

impl Forecaster for SteadyModel {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.5 + 0.5 * row[4];
        Means { members: [mean, mean - 0.1, mean + 0.1], mean }
    }
}

impl Learner for Steady {
    fn learn(&self, rows: &DatasetSnapshot, _: Progress<'_>) -> Result<Learned, FitError> {
        let errors = PointErrors { mae: 9.0, rmse: 90.0, log_mae: 0.69 };
        Ok(Learned {
            model: Arc::new(SteadyModel),
            out_of_sample: OutOfSample {
                mae: 9.1,
                rmse: 90.1,
                cv_mae: 9.2,
                cv_std: 1.5,
                r2: -0.01,
                log_mae: 0.7,
                baseline: errors,
                samples_trained: rows.len() - rows.len() / 5,
                samples_tested: rows.len() / 5,
            },
            members: ["random_forest", "linear_regression"]
                .map(|name| Member { name, weight: 0.5, r2: Some(-0.02) })
                .to_vec(),
        })
    }
}

/// Says when it begins, and does not end before it is told to.
pub(crate) struct Held {
    begun: Sender<()>,
    go: std::sync::Mutex<Receiver<()>>,
}

impl Held {
    pub(crate) fn new() -> (Self, Receiver<()>, Sender<()>) {
        let (begun, has_begun) = channel();
        let (go_on, go) = channel();
        (Self { begun, go: std::sync::Mutex::new(go) }, has_begun, go_on)
    }
}

impl Learner for Held {
    fn learn(&self, rows: &DatasetSnapshot, progress: Progress<'_>) -> Result<Learned, FitError> {
        // Those who waited may have left.
        self.begun.send(()).unwrap_or_default();
        self.go.lock().unwrap().recv().unwrap_or_default();
        Steady.learn(rows, progress)
    }
}

/// Panics.
pub(crate) struct Broken;

impl Learner for Broken {
    fn learn(&self, _: &DatasetSnapshot, _: Progress<'_>) -> Result<Learned, FitError> {
        let trees: Vec<()> = Vec::new();
        trees.first().expect("the forest burns");
        Err(FitError::Cancelled)
    }
}
