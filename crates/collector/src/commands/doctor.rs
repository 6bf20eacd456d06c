//! `collector doctor`: what would keep the collector from recording, and what to do about it. Changes nothing: what it creates
//! to see whether it may, it takes away again.

use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use daemon::output::print;
use rounds::{LOCK_FILE, Origin, last_rounds};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::app::SHUTDOWN_TIMEOUT;
use crate::cli::ConfigArgs;
use crate::clock;
use crate::config::Config;
use crate::feed::diagnostics;
use crate::finding::{Finding, FindingState};
use crate::observation::SourceKind;
use crate::sources::{Source, browser, http, websocket};

/// A round is 40 bytes in the CSV and a few hundred in the events file: so much is room for years, and for the rest of the
/// machine to breathe.
const SPACE_COMFORTABLE: u64 = 200 << 20;
/// So much is gone in a day.
const SPACE_LEAST: u64 = 5 << 20;
/// A clock that shows an earlier year was never set.
const YEAR_LEAST: &str = "2025-01-01T00:00:00Z";
/// A file clock may be ahead by so much without anyone noticing.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Checks everything, prints the findings, and returns whether none of them failed.
///
/// # Errors
///
/// The configuration cannot be used, or the findings cannot be printed.
pub fn run(args: &ConfigArgs, json: bool) -> anyhow::Result<bool> {
    let config = Config::load(&args.options, args.config.as_deref())?;
    let runtime = Runtime::new().context("starting the runtime")?;
    let findings = runtime.block_on(examine(&config));
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    let text = if json { as_json(&findings) } else { as_text(&findings) };
    print(text.as_bytes())?;
    Ok(!findings.iter().any(Finding::is_failed))
}

/// Looks at everything: the configuration, the directory, the disk, the clock, then the source.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let now = clock::wall();
    let mut findings = vec![source(config)];
    let dir = config.directory();
    findings.extend(directory(&dir));
    findings.push(lock(&dir));
    findings.push(origin(&dir, config.source.origin()));
    findings.extend(space(&dir));
    findings.push(time(&dir, now));
    findings.extend(check_source(config).await);
    findings
}

/// Checks a source that other machines or programs provide.
pub async fn check_source(config: &Config) -> Vec<Finding> {
    match config.source {
        SourceKind::Demo | SourceKind::Replay => Vec::new(),
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
        SourceKind::Http => match config.http_source() {
            Ok(source) => Box::pin(http::diagnose(source)).await,
            Err(error) => vec![diagnostics::unusable(&error)],
        },
    }
}

/// The findings for people, a line each, and what to do below it.
pub fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            FindingState::Ok => "ok",
            FindingState::Warning => "warning",
            FindingState::Failed => "FAILED",
        };
        let advice = finding.advice.as_deref().unwrap_or_default();
        let advice: String =
            advice.lines().fold(String::new(), |all, line| all + "\n           " + line);
        writeln!(text, "{state:<8} {}: {}{advice}", finding.check, finding.message)
            .expect("a string takes everything");
    }
    text
}

/// The findings for programs.
pub fn as_json(findings: &[Finding]) -> String {
    let is_ok = !findings.iter().any(Finding::is_failed);
    format!("{:#}\n", json!({ "ok": is_ok, "findings": findings }))
}

/// Whether the source's options make sense, and the file of a replay can be read.
fn source(config: &Config) -> Finding {
    let checked = config.build_source().map_err(|error| error.to_string());
    let checked = checked.and_then(|mut source| match &mut source {
        Source::Replay(replay) => replay.connect().map_err(|error| error.to_string()),
        _ => Ok(()),
    });
    match checked {
        Ok(()) => Finding::ok("source", format!("{} is configured", config.source.name())),
        Err(error) => Finding::failed("source", error, "see collector --help"),
    }
}

/// The directory, or the nearest one above it that exists.
fn existing(dir: &Path) -> &Path {
    let is_there = |dir: &&Path| dir.as_os_str().is_empty() || dir.exists();
    let found = dir.ancestors().find(is_there).unwrap_or(dir);
    if found.as_os_str().is_empty() { Path::new(".") } else { found }
}

fn directory(dir: &Path) -> Vec<Finding> {
    let place = existing(dir);
    let trial = place.join(format!(".collector-doctor-{}", std::process::id()));
    let written = fs::write(&trial, b"may be deleted\n").and_then(|()| fs::remove_file(&trial));
    let name = dir.display();
    vec![match written {
        Err(error) => Finding::failed(
            "directory",
            format!("{} cannot be written: {error}", place.display()),
            "give this user the right to write there, or choose another --data-dir",
        ),
        Ok(()) if place == dir => Finding::ok("directory", format!("{name} can be written")),
        Ok(()) => Finding::ok("directory", format!("{name} is not there yet and will be created")),
    }]
}

fn lock(dir: &Path) -> Finding {
    let path = dir.join(LOCK_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Finding::ok("lock", "no other collector writes there");
        }
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            return Finding::failed("lock", message, "give this user the right to read it");
        }
    };
    match file.try_lock() {
        Ok(()) => Finding::ok("lock", "no other collector writes there"),
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let pid = holder.split_whitespace().next().unwrap_or("unknown").to_owned();
            Finding::failed(
                "lock",
                format!("another collector writes there (process {pid})"),
                "if it is yours all is well; a second one needs another --data-dir",
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
            format!("holds {found} rounds, and {wanted} ones must not mix with them"),
            "choose another --data-dir",
        ),
        Err(error) => Finding::failed("origin", error.to_string(), "choose another --data-dir"),
    }
}

#[cfg(unix)]
fn space(dir: &Path) -> Vec<Finding> {
    let place = existing(dir);
    vec![match rustix::fs::statvfs(place) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::warning(
            "disk",
            format!("the free space of {} is not known: {error}", place.display()),
            "look yourself",
        ),
    }]
}

/// Windows says so only to unsafe code.
#[cfg(not(unix))]
fn space(_: &Path) -> Vec<Finding> {
    Vec::new()
}

#[cfg_attr(not(unix), expect(dead_code, reason = "the free space is not known there"))]
fn room(free: u64) -> Finding {
    let message = format!("{} MiB free", free >> 20);
    if free >= SPACE_COMFORTABLE {
        Finding::ok("disk", message)
    } else if free >= SPACE_LEAST {
        Finding::warning("disk", message, "make room soon: what finds no place waits in memory")
    } else {
        Finding::failed("disk", message, "make room, or choose a --data-dir on another disk")
    }
}

fn time(dir: &Path, now: DateTime<Utc>) -> Finding {
    let least: DateTime<Utc> = YEAR_LEAST.parse().expect("a constant in RFC 3339");
    let shown = now.format("%Y-%m-%d %H:%M:%S UTC");
    if now < least {
        return Finding::failed(
            "clock",
            format!("it shows {shown}"),
            "set the clock of this machine",
        );
    }
    let newest = last_rounds(dir, 1).ok().and_then(|rounds| rounds.last().map(|round| round.time));
    match newest.filter(|newest| *newest > now + AHEAD) {
        Some(newest) => Finding::warning(
            "clock",
            format!("it shows {shown}, but the newest round is from {newest}"),
            "compare the clock with another one: rounds are sorted by time",
        ),
        None => Finding::ok("clock", format!("it shows {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use rounds::{Event, EventKind, Multiplier, Round, RoundLog};

    use super::*;
    use crate::config::Options;

    fn config(dir: &Path) -> Config {
        Config::from(Options { data_dir: Some(dir.to_owned()), ..Options::default() })
    }

    #[track_caller]
    fn check(finding: &Finding, state: FindingState, says: &str) {
        assert_eq!(finding.state, state, "{finding:?}");
        assert!(finding.message.contains(says), "{finding:?}");
    }

    #[tokio::test]
    async fn a_fresh_directory_is_all_right_and_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        for place in [dir.path().to_owned(), dir.path().join("not/there")] {
            let findings = examine(&config(&place)).await;
            assert!(
                findings.iter().all(|finding| finding.state == FindingState::Ok),
                "{findings:?}"
            );
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_directory_that_another_collector_holds_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let log = RoundLog::open(dir.path(), Origin::Simulated, clock::wall()).unwrap();
        check(&lock(dir.path()), FindingState::Failed, &std::process::id().to_string());
        drop(log);
        check(&lock(dir.path()), FindingState::Ok, "no other");
    }

    #[test]
    fn rounds_of_another_origin_are_told() {
        let dir = tempfile::tempdir().unwrap();
        drop(RoundLog::open(dir.path(), Origin::Simulated, clock::wall()).unwrap());
        check(&origin(dir.path(), Origin::Recorded), FindingState::Failed, "simulated");
        check(&origin(dir.path(), Origin::Simulated), FindingState::Ok, "simulated");
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data");
        fs::write(&file, "").unwrap();
        check(&directory(&file)[0], FindingState::Failed, "cannot be written");
    }

    #[test]
    fn a_disk_is_judged_by_what_a_day_takes() {
        check(&room(1 << 40), FindingState::Ok, "1048576 MiB");
        check(&room(100 << 20), FindingState::Warning, "100 MiB");
        check(&room(1 << 20), FindingState::Failed, "1 MiB");
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        check(&time(dir.path(), at("1970-01-01T00:00:09Z")), FindingState::Failed, "1970");
        check(&time(dir.path(), at("2026-01-01T00:00:00Z")), FindingState::Ok, "2026");
        let later = at("2026-03-01T00:00:00Z");
        let mut log = RoundLog::open(dir.path(), Origin::Recorded, later).unwrap();
        let round = Round { time: later, multiplier: Multiplier::from_cents(231).unwrap() };
        log.append(&round, &Event::new(EventKind::Live, "test")).unwrap();
        check(&time(dir.path(), at("2026-01-01T00:00:00Z")), FindingState::Warning, "2026-03-01");
        check(&time(dir.path(), at("2026-03-01T00:00:01Z")), FindingState::Ok, "2026-03-01");
    }

    #[test]
    fn a_replay_without_its_file_is_told() {
        let mut told = Options { source: Some(SourceKind::Replay), ..Options::default() };
        check(&source(&Config::from(told.clone())), FindingState::Failed, "--file");
        told.replay.file = Some("no/such.csv".into());
        check(&source(&Config::from(told)), FindingState::Failed, "--file: no/such.csv");
    }

    #[test]
    fn findings_read_well_and_can_be_parsed() {
        let findings = [
            Finding::ok("disk", "900 MiB free"),
            Finding::failed(
                "browser",
                "nothing answers",
                "start it:\nchrome --remote-debugging-port=9222",
            ),
        ];
        assert_eq!(
            as_text(&findings),
            "ok       disk: 900 MiB free\nFAILED   browser: nothing answers\n           start it:\n           \
             chrome --remote-debugging-port=9222\n"
        );
        let value: serde_json::Value = serde_json::from_str(&as_json(&findings)).unwrap();
        assert_eq!(value["ok"], false);
        assert_eq!(value["findings"][1]["state"], "failed");
    }
}
