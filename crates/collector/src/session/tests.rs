use std::future::Future;
use std::path::Path;
use std::pin::pin;

use rounds::EventKind::{Gap, Live, Reconnect, Start, Stop};
use rounds::{EventKind, EventLine, Multiplier, Origin, RoundLog, last_rounds};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::clock;
use crate::config::Options;
use crate::dedup::WINDOW;
use crate::observation::SourceKind;
use crate::sources::tests::{ScriptedSource, Step};

/// A session with a scripted source in its own directory, on a paused clock.
struct TestSession {
    dir: TempDir,
    config: Config,
    shutdown: CancellationToken,
}

fn test_session(kind: SourceKind) -> TestSession {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        source: Some(kind),
        data_dir: Some(dir.path().to_owned()),
        quiet: Some(true),
        ..Options::default()
    };
    TestSession { dir, config: Config::from(options), shutdown: CancellationToken::new() }
}

impl TestSession {
    fn run(&self, steps: Vec<Step>) -> impl Future<Output = anyhow::Result<()>> {
        let source = Source::Scripted(ScriptedSource(steps.into()));
        let config = self.config.clone();
        let shutdown = self.shutdown.clone();
        async move { record(source, &config, &shutdown, StatusWatch::default()).await }
    }

    /// Returns the status after `run` has gone on for `second` seconds.
    async fn status_at(
        &self,
        run: std::pin::Pin<&mut impl Future<Output = anyhow::Result<()>>>,
        second: u64,
    ) -> Value {
        let ended = timeout(Duration::from_secs(second), run).await;
        assert!(ended.is_err(), "{ended:?}");
        self.status()
    }

    fn status(&self) -> Value {
        let text = std::fs::read(self.dir.path().join(crate::output::status::STATUS_FILE)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn cents(&self) -> Vec<u64> {
        let rows = last_rounds(self.dir.path(), WINDOW).unwrap();
        rows.iter().map(|round| round.multiplier.cents()).collect()
    }

    fn kinds(&self) -> Vec<EventKind> {
        events(self.dir.path()).into_iter().map(|line| line.event.kind).collect()
    }
}

fn events(dir: &Path) -> Vec<EventLine> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn round(after: u64, cents: u64) -> Step {
    let multiplier = Multiplier::from_cents(cents).unwrap();
    let report =
        Report::Round { id: None, multiplier, ended_at: None, backfill: false, detail: None };
    Step::Say(Duration::from_secs(after), report)
}

fn end() -> Step {
    Step::Say(Duration::ZERO, Report::End)
}

fn connected() -> Step {
    Step::Connect(Ok(()))
}

fn refused_connection() -> Step {
    Step::Connect(Err(SourceError::Disconnected("nobody answers at 127.0.0.1:9".to_owned())))
}

#[tokio::test(start_paused = true)]
async fn rounds_are_written_and_the_stop_is_recorded() {
    let session = test_session(SourceKind::WebSocket);
    session.run(vec![connected(), round(1, 231), round(9, 100), end()]).await.unwrap();
    assert_eq!(session.cents(), [231, 100]);
    let status = session.status();
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["rounds_written"], 2);
    assert_eq!(status["last_round"]["multiplier"], 1.0);
    assert_eq!(status["queued_rows"], 0);
    assert_eq!(session.kinds(), [Start, Live, Live, Stop]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_retried_with_growing_pauses() {
    let session = test_session(SourceKind::WebSocket);
    let began = Instant::now();
    let closed = Step::Fail(SourceError::Disconnected("closed with code 1006".to_owned()));
    let steps = vec![
        connected(),
        round(1, 231),
        closed,
        refused_connection(),
        refused_connection(),
        connected(),
        round(1, 100),
        end(),
    ];
    session.run(steps).await.unwrap();
    // Pauses of 1 + 2 + 4 s with jitter up to the same again, and two seconds for the rounds.
    let seconds = began.elapsed().as_secs_f64();
    assert!((9.0..=16.5).contains(&seconds), "{seconds}");
    assert_eq!(session.cents(), [231, 100]);
    assert_eq!(session.kinds(), [Start, Live, Reconnect, Gap, Live, Stop]);
    assert_eq!(session.status()["reconnects"], 1);
    let reconnect = &events(session.dir.path())[2].event;
    let detail = reconnect.detail.as_ref().unwrap();
    assert_eq!(detail["error"], "nobody answers at 127.0.0.1:9");
    assert_eq!(detail["attempts"], 3);
}

#[tokio::test(start_paused = true)]
async fn after_a_minute_of_connection_the_pauses_are_short_again() {
    let session = test_session(SourceKind::WebSocket);
    let closed = || Step::Fail(SourceError::Disconnected("closed".to_owned()));
    let mut steps: Vec<Step> = (0..6).map(|_| refused_connection()).collect();
    steps.extend([connected(), round(1, 231), round(61, 100), closed(), connected(), end()]);
    let began = Instant::now();
    session.run(steps).await.unwrap();
    let last_pause = began.elapsed().as_secs_f64() - 62.0;
    // Six pauses of 1, 2, 4, 8, 16 and 30 s, with jitter up to 30 s each, then one of 1 to 2 s.
    assert!((62.0..=94.0).contains(&last_pause), "{last_pause}");
}

/// A minute after a loss every failed attempt counted as a connection that had lasted, so the pauses
/// began again at one second.
#[tokio::test(start_paused = true)]
async fn over_an_hour_without_a_connection_the_pauses_stay_long() {
    let session = test_session(SourceKind::WebSocket);
    let closed = Step::Fail(SourceError::Disconnected("closed".to_owned()));
    let refused = (0..120).map(|_| refused_connection());
    let steps = [connected(), round(1, 231), closed].into_iter().chain(refused);
    let began = Instant::now();
    session.run(steps.chain([connected(), end()]).collect()).await.unwrap();
    // Pauses of 1, 2, 4, 8 and 16 s, then 116 of 30 s; jitter adds up to 31 s to the first five.
    let seconds = began.elapsed().as_secs();
    assert!((3_511..=3_545).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn unusable_answers_end_the_process_also_after_a_long_outage() {
    let session = test_session(SourceKind::Http);
    let closed = Step::Fail(SourceError::Disconnected("closed".to_owned()));
    let refused = (0..10).map(|_| refused_connection());
    let unusable =
        (0..5).map(|_| Step::Connect(Err(SourceError::Unusable("404 Not Found".to_owned()))));
    let steps = [connected(), round(1, 231), closed].into_iter().chain(refused).chain(unusable);
    let error = session.run(steps.chain([connected(), end()]).collect()).await.unwrap_err();
    assert_eq!(error.to_string(), "404 Not Found");
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_the_process() {
    let session = test_session(SourceKind::WebSocket);
    let invalid = SourceError::Configuration("--url: not a WebSocket".to_owned());
    let began = Instant::now();
    let error = session.run(vec![Step::Connect(Err(invalid))]).await.unwrap_err();
    assert_eq!(error.to_string(), "--url: not a WebSocket");
    assert!(began.elapsed() <= Duration::from_secs(1));
    assert_eq!(session.status()["state"], "stopped");
    assert_eq!(session.status()["last_error"], "--url: not a WebSocket");
}

#[tokio::test(start_paused = true)]
async fn five_unusable_answers_in_a_row_end_the_process() {
    let session = test_session(SourceKind::Http);
    let unusable = || Step::Connect(Err(SourceError::Unusable("404 Not Found".to_owned())));
    let steps = (0..4).map(|_| unusable()).chain([unusable(), connected(), end()]);
    let error = session.run(steps.collect()).await.unwrap_err();
    assert_eq!(error.to_string(), "404 Not Found");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_retried_at_once() {
    let session = test_session(SourceKind::WebSocket);
    let refused = Step::Connect(Err(SourceError::Refused("401 Unauthorized".to_owned())));
    let busy = Step::Connect(Err(SourceError::Busy {
        answer: "429 Too Many Requests".to_owned(),
        retry_after: Duration::from_secs(77),
    }));
    let began = Instant::now();
    session.run(vec![refused, busy, connected(), end()]).await.unwrap();
    assert!((377..=378).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_game_without_new_rounds_is_stalled_after_three_minutes_and_reconnected_after_five() {
    let session = test_session(SourceKind::Browser);
    let alive = |count| (0..count).map(|_| Step::Say(Duration::from_secs(10), Report::Alive));
    let steps = std::iter::once(connected()).chain(alive(40)).chain([connected(), Step::Hang]);
    let mut run = pin!(session.run(steps.collect()));
    assert_eq!(session.status_at(run.as_mut(), 178).await["state"], "connected");
    assert_eq!(session.status_at(run.as_mut(), 4).await["state"], "stalled");
    assert_eq!(session.status_at(run.as_mut(), 115).await["state"], "stalled");
    assert_eq!(session.status_at(run.as_mut(), 4).await["state"], "reconnecting");
    let status = session.status_at(run.as_mut(), 5).await;
    assert_eq!(status["state"], "connected");
    assert_eq!(status["reconnects"], 1);
    session.shutdown.cancel();
    run.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_replay_with_long_pauses_is_not_stalled() {
    let session = test_session(SourceKind::Replay);
    let mut run = pin!(session.run(vec![connected(), round(4000, 231), end()]));
    assert_eq!(session.status_at(run.as_mut(), 3999).await["state"], "connected");
    run.await.unwrap();
    assert_eq!(session.cents(), [231]);
}

/// Checks that a session ends within a second of being asked to stop during these steps.
async fn check_stop(steps: Vec<Step>) {
    let session = test_session(SourceKind::WebSocket);
    let mut run = pin!(session.run(steps));
    session.status_at(run.as_mut(), 10).await;
    let asked = Instant::now();
    session.shutdown.cancel();
    run.await.unwrap();
    assert!(asked.elapsed() <= Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(session.status()["state"], "stopped");
    assert_eq!(session.kinds().last(), Some(&Stop));
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_stopped_while_connecting() {
    check_stop(vec![Step::Hang]).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_stopped_while_listening() {
    check_stop(vec![connected(), Step::Hang]).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_stopped_while_backing_off() {
    let refused = Step::Connect(Err(SourceError::Refused("403 Forbidden".to_owned())));
    check_stop(vec![refused]).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_attempt_without_an_answer_times_out_and_is_retried() {
    let session = test_session(SourceKind::WebSocket);
    let mut run = pin!(session.run(vec![Step::Hang, connected(), Step::Hang]));
    let status = session.status_at(run.as_mut(), 185).await;
    assert_eq!(status["state"], "connected");
    assert_eq!(status["reconnects"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_waits_for_the_history_is_written_at_the_end() {
    let session = test_session(SourceKind::Browser);
    session.run(vec![connected(), round(1, 231), end()]).await.unwrap();
    assert_eq!(session.cents(), [231]);
}

#[tokio::test(start_paused = true)]
async fn a_directory_with_rounds_of_another_origin_is_refused() {
    let session = test_session(SourceKind::WebSocket);
    RoundLog::open(session.dir.path(), Origin::Simulated, clock::wall()).unwrap();
    let error = session.run(vec![]).await.unwrap_err();
    assert!(error.to_string().contains("choose another directory"), "{error}");
}
