//! `collector doctor`: checks what could keep the collector from recording, and advises what to do. It changes nothing; the
//! file it creates to test the directory is removed.

use std::fs::{self, TryLockError};
use std::io;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use daemon::finding::{as_json, as_text};
use daemon::output::print;
use rounds::{LOCK_FILE, Origin, ReadSettings, last_rounds_with, open_regular, read_regular_text};
use tokio::runtime::Runtime;

use crate::app::SHUTDOWN_TIMEOUT;
use crate::cli::ConfigArgs;
use crate::clock;
use crate::config::Config;
use crate::feed::diagnostics;
use crate::finding::Finding;
use crate::observation::SourceKind;
use crate::sources::{browser, http, sse, websocket};

/// Free space in bytes below which the doctor warns. A round takes 40 bytes in the CSV file and a few hundred in the event
/// file, so this lasts for months.
const SPACE_COMFORTABLE: u64 = 200 << 20;
/// Free space in bytes below which the check fails: a few days of rounds.
const SPACE_MIN: u64 = 5 << 20;
/// A clock that shows an earlier time was never set.
const CLOCK_MIN: &str = "2025-01-01T00:00:00Z";
/// Largest size of a lock file, which holds a process number.
const LOCK_BYTES_MAX: u64 = 4096;
/// Tolerance for rounds in the future.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// Runs all checks, prints the findings, and returns whether none of them failed.
///
/// # Errors
///
/// The configuration cannot be used, or the findings cannot be printed.
pub fn run(args: &ConfigArgs, json: bool) -> anyhow::Result<bool> {
    let config = Config::load(&args.options, args.config.as_deref())?;
    let runtime = Runtime::new().context("starting the runtime")?;
    let findings = runtime.block_on(diagnose(&config));
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    let text = if json { as_json(&findings) } else { as_text(&findings) };
    print(text.as_bytes())?;
    Ok(!findings.iter().any(Finding::is_failed))
}

/// Runs all checks: configuration, directory, disk, clock, and the source.
pub async fn diagnose(config: &Config) -> Vec<Finding> {
    let now = clock::wall();
    let mut findings = vec![source(config)];
    let dir = config.directory();
    findings.extend(directory(&dir));
    findings.push(lock(&dir));
    findings.push(origin(&dir, config.source.origin()));
    findings.extend(space(&dir));
    findings.push(time(&dir, config.read, now));
    findings.extend(check_source(config).await);
    findings
}

/// Checks the connection to the source, if it is a live one.
pub async fn check_source(config: &Config) -> Vec<Finding> {
    match config.source {
        SourceKind::Demo | SourceKind::Replay | SourceKind::Har => Vec::new(),
        SourceKind::Browser => match config.browser_source() {
            Ok(source) => Box::pin(browser::diagnose(&source)).await,
            Err(error) => {
                vec![Finding::failed("browser", error.to_string(), "see collector --help")]
            }
        },
        SourceKind::WebSocket => match config.websocket_source() {
            Ok(source) => Box::pin(websocket::diagnose(source)).await,
            Err(error) => vec![diagnostics::unusable(&error)],
        },
        SourceKind::Sse => match config.sse_source() {
            Ok(source) => Box::pin(sse::diagnose(source)).await,
            Err(error) => vec![diagnostics::unusable(&error)],
        },
        SourceKind::Http => match config.http_source() {
            Ok(source) => Box::pin(http::diagnose(source)).await,
            Err(error) => vec![diagnostics::unusable(&error)],
        },
    }
}

/// Checks the options of the source, and that the file of a replay can be read.
fn source(config: &Config) -> Finding {
    match config.build_source() {
        Ok(_) => Finding::ok("source", format!("{} is configured", config.source.name())),
        Err(error) => Finding::failed("source", error.to_string(), "see collector --help"),
    }
}

/// Returns the directory, or its nearest ancestor that exists.
fn existing(dir: &Path) -> &Path {
    let is_there = |dir: &&Path| dir.as_os_str().is_empty() || dir.exists();
    let found = dir.ancestors().find(is_there).unwrap_or(dir);
    if found.as_os_str().is_empty() { Path::new(".") } else { found }
}

fn directory(dir: &Path) -> Vec<Finding> {
    let found = existing(dir);
    let trial = found.join(format!(".collector-doctor-{}", std::process::id()));
    let written = fs::write(&trial, b"may be deleted\n").and_then(|()| fs::remove_file(&trial));
    let name = dir.display();
    vec![match written {
        Err(error) => Finding::failed(
            "directory",
            format!("{} cannot be written: {error}", found.display()),
            "give this user write permission there, or choose another --data-dir",
        ),
        Ok(()) if found == dir => Finding::ok("directory", format!("{name} can be written")),
        Ok(()) => {
            Finding::ok("directory", format!("{name} does not exist yet and will be created"))
        }
    }]
}

fn lock(dir: &Path) -> Finding {
    let path = dir.join(LOCK_FILE);
    let file = match open_regular(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Finding::ok("lock", "no other collector is writing there");
        }
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            return Finding::failed("lock", message, "give this user read permission");
        }
    };
    match file.try_lock() {
        Ok(()) => Finding::ok("lock", "no other collector is writing there"),
        Err(TryLockError::WouldBlock) => {
            let holder = read_regular_text(&path, LOCK_BYTES_MAX).unwrap_or_default();
            let pid = holder.split_whitespace().next().unwrap_or("unknown").to_owned();
            Finding::failed(
                "lock",
                format!("another collector is writing there (process {pid})"),
                "if that is intended, nothing is wrong; a second collector needs another --data-dir",
            )
        }
        Err(TryLockError::Error(error)) => Finding::failed(
            "lock",
            format!("the file system cannot lock {}: {error}", path.display()),
            "choose a --data-dir on a local disk",
        ),
    }
}

fn origin(dir: &Path, wanted: Origin) -> Finding {
    if !dir.exists() {
        return Finding::ok("origin", format!("will hold {wanted} rounds"));
    }
    match Origin::of(dir) {
        Ok(None) => Finding::ok("origin", format!("will hold {wanted} rounds")),
        Ok(Some(found)) if found == wanted => {
            Finding::ok("origin", format!("holds {found} rounds"))
        }
        Ok(Some(found)) => Finding::failed(
            "origin",
            format!("holds {found} rounds, which must not be mixed with {wanted} ones"),
            "choose another --data-dir",
        ),
        Err(error) => Finding::failed("origin", error.to_string(), "choose another --data-dir"),
    }
}

fn space(dir: &Path) -> Vec<Finding> {
    let found = existing(dir);
    match daemon::disk_space::free(found) {
        Ok(free) => vec![room(free)],
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => vec![Finding::warning(
            "disk",
            format!("cannot determine the free space of {}: {error}", found.display()),
            "check the free space yourself",
        )],
    }
}

fn room(free: u64) -> Finding {
    let message = format!("{} MiB free", free >> 20);
    if free >= SPACE_COMFORTABLE {
        Finding::ok("disk", message)
    } else if free >= SPACE_MIN {
        Finding::warning(
            "disk",
            message,
            "free some space soon: rounds that cannot be written wait in memory",
        )
    } else {
        Finding::failed("disk", message, "free some space, or choose a --data-dir on another disk")
    }
}

fn time(dir: &Path, read: ReadSettings, now: DateTime<Utc>) -> Finding {
    let least: DateTime<Utc> = CLOCK_MIN.parse().expect("a constant in RFC 3339");
    let shown = now.format("%Y-%m-%d %H:%M:%S UTC");
    if now < least {
        return Finding::failed(
            "clock",
            format!("it shows {shown}"),
            "set the clock of this machine",
        );
    }
    let newest = last_rounds_with(dir, 1, read)
        .ok()
        .and_then(|rounds| rounds.last().map(|round| round.time));
    match newest.filter(|newest| *newest > now + AHEAD_MAX) {
        Some(newest) => Finding::warning(
            "clock",
            format!("it shows {shown}, but the newest round is from {newest}"),
            "check that the clock is right: rounds are sorted by time",
        ),
        None => Finding::ok("clock", format!("it shows {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use rounds::{Event, EventKind, Multiplier, Round, RoundLog};

    use super::*;
    use crate::config::Options;
    use crate::finding::FindingState;

    fn config(dir: &Path) -> Config {
        Config::from(Options { data_dir: Some(dir.to_owned()), ..Options::default() })
    }

    #[track_caller]
    fn check(finding: &Finding, state: FindingState, says: &str) {
        assert_eq!(finding.state, state, "{finding:?}");
        assert!(finding.message.contains(says), "{finding:?}");
    }

    #[tokio::test]
    async fn a_new_directory_passes_all_checks_and_is_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        for place in [dir.path().to_owned(), dir.path().join("not/there")] {
            let findings = diagnose(&config(&place)).await;
            assert!(
                findings.iter().all(|finding| finding.state == FindingState::Ok),
                "{findings:?}"
            );
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_directory_that_another_collector_holds_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let log = RoundLog::open(dir.path(), Origin::Simulated, clock::wall()).unwrap();
        check(&lock(dir.path()), FindingState::Failed, &std::process::id().to_string());
        drop(log);
        check(&lock(dir.path()), FindingState::Ok, "no other");
    }

    #[test]
    fn rounds_of_another_origin_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        drop(RoundLog::open(dir.path(), Origin::Simulated, clock::wall()).unwrap());
        check(&origin(dir.path(), Origin::Recorded), FindingState::Failed, "simulated");
        check(&origin(dir.path(), Origin::Simulated), FindingState::Ok, "simulated");
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data");
        fs::write(&file, "").unwrap();
        check(&directory(&file)[0], FindingState::Failed, "cannot be written");
    }

    #[test]
    fn free_space_is_judged_by_the_days_it_lasts() {
        check(&room(1 << 40), FindingState::Ok, "1048576 MiB");
        check(&room(100 << 20), FindingState::Warning, "100 MiB");
        check(&room(1 << 20), FindingState::Failed, "1 MiB");
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        check(
            &time(dir.path(), ReadSettings::default(), at("1970-01-01T00:00:09Z")),
            FindingState::Failed,
            "1970",
        );
        check(
            &time(dir.path(), ReadSettings::default(), at("2026-01-01T00:00:00Z")),
            FindingState::Ok,
            "2026",
        );
        let later = at("2026-03-01T00:00:00Z");
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, later).unwrap();
        let round = Round { time: later, multiplier: Multiplier::from_cents(231).unwrap() };
        log.append(&round, &Event::new(EventKind::Live, "test")).unwrap();
        check(
            &time(dir.path(), ReadSettings::default(), at("2026-01-01T00:00:00Z")),
            FindingState::Warning,
            "2026-03-01",
        );
        check(
            &time(dir.path(), ReadSettings::default(), at("2026-03-01T00:00:01Z")),
            FindingState::Ok,
            "2026-03-01",
        );
    }

    #[test]
    fn a_replay_without_its_file_is_reported() {
        let mut options = Options { source: Some(SourceKind::Replay), ..Options::default() };
        check(&source(&Config::from(options.clone())), FindingState::Failed, "--file");
        options.replay.file = Some("no/such.csv".into());
        check(&source(&Config::from(options)), FindingState::Failed, "--file: no/such.csv");
    }
}
